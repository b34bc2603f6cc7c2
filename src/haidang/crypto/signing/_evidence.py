"""What a signature of level B-LT takes along of what is trusted: its own chains' revocation data, no more.

pyHanko embeds all that its validation context knows. The lists of a whole administration are megabytes; those
that the chains of the signer and of the time stamping authority need are a few kilobytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    from haidang.crypto.signers import Signatory
    from haidang.crypto.trust import Trust

__all__ = ["evidence_for", "following_revision", "has_code"]


async def evidence_for(trust: Trust, signatory: Signatory, timestamper: Any, now: dt.datetime) -> Any:
    """Return a ``ValidationContext`` with the revocation data that the two chains need.

    Raises:
        pyhanko_certvalidator.errors.PathError: There is no chain to a root that is trusted.
        pyhanko_certvalidator.errors.ValidationError: A certificate of a chain is not valid.
    """
    from pyhanko_certvalidator import CertificateValidator

    from haidang.crypto.trust import as_asn1

    known = trust.plus(authorities=signatory.authorities)
    # Without a look at revocation: only which certificates take part.
    bare = known._replace(crls=(), ocsps=()).context(now, revocation="soft-fail")
    path = await CertificateValidator(
        as_asn1(signatory.certificate), validation_context=bare
    ).async_validate_path()
    chains = [path, *[one async for one in timestamper.validation_paths(bare)]]
    certificates = [one for chain in chains for one in chain]
    issuers = {one.issuer.dump() for one in certificates}
    serials = {one.serial_number for one in certificates}
    needed = known.about(issuers, serials)
    return needed.context(now)


def has_code(writer: Any) -> bool:
    """Return whether the document gets an authentication code (ISO/TS 32004), which covers every revision."""
    handler = writer.security_handler
    return handler is not None and bool(handler.pdf_mac_enabled)


async def following_revision(document: Any, written: Any) -> bytes:
    """Return the revision with the evidence as it will follow the signature, which is not made yet.

    Nothing in it depends on the signature, whose room in the document is fixed.
    """
    from pyhanko.sign.signers.pdf_signer import PdfPostSignatureDocument

    draft = io.BytesIO(written.getvalue())
    size = len(draft.getvalue())
    post: Any = PdfPostSignatureDocument(b"", document.post_sign_instructions, document.validation_context)
    await post.post_signature_processing(draft)
    return draft.getvalue()[size:]
