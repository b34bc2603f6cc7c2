"""Verifies a detached CMS signature (thin: the whole is made on another branch)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from haidang.crypto.certificates import certificate_facts, parse_certificates
from haidang.crypto.extra import needs_extra
from haidang.crypto.verdicts import Reason, SignatureVerdict
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from haidang.crypto.trust import Trust

__all__ = ["verify_cms"]


def verify_cms(
    signature: bytes,
    digest: Callable[[str], bytes],
    trust: Trust,
    *,
    now: dt.datetime,
    level_prefix: str = "CAdES",
) -> SignatureVerdict:
    """Return what holds of a detached signature over what has ``digest(algorithm)``."""
    with needs_extra():
        from asn1crypto import cms
        from pyhanko.sign.general import SignedDataCerts, extract_signer_info  # noqa: F401
        from pyhanko.sign.validation import generic_cms
        from pyhanko.sign.validation.settings import KeyUsageConstraints
        from pyhanko.sign.validation.status import StandardCMSSignatureStatus
    try:
        signed = cms.ContentInfo.load(signature, strict=True)["content"]
        info = extract_signer_info(signed)
        wanted = digest(info["digest_algorithm"]["algorithm"].native)
        status: Any = asyncio.run(
            generic_cms.async_validate_cms_signature(
                signed,
                status_cls=StandardCMSSignatureStatus,
                raw_digest=wanted,
                validation_context=trust.context(now),
                key_usage_settings=KeyUsageConstraints({"digital_signature", "non_repudiation"}),
            )
        )
    except Exception as error:  # noqa: BLE001 -- thin
        reason = Reason(
            "signature-unsound", Message(N_("The signature cannot be read: {reason}"), reason=error)
        )
        return SignatureVerdict("TOTAL-FAILED", "FORMAT_FAILURE", level_prefix, reasons=(reason,))
    signer = certificate_facts(parse_certificates(status.signing_cert.dump(), "signer")[0])
    level = f"{level_prefix}-B-B"
    if not (status.intact and status.valid):
        reason = Reason("signature-broken", Message(N_("What was signed was altered.")))
        return SignatureVerdict("TOTAL-FAILED", "HASH_FAILURE", level, signer, reasons=(reason,))
    if not status.trusted:
        reason = Reason("chain-unknown", Message(N_("Nobody that is believed vouches for the signer.")))
        return SignatureVerdict(
            "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", level, signer, reasons=(reason,)
        )
    return SignatureVerdict("TOTAL-PASSED", "", level, signer)
