"""What a signature in a PDF says of the revision that follows it: a signed attribute of CMS.

The evidence of a signature of level B-LT (certificates, revocation data) stands in a revision behind it,
where programs look for it, and where the signature itself does not reach. So the revision is written first,
and the signature states how long it is and what its digest is: nothing in it can be altered or taken away
unseen, while whatever comes after it (further signatures, archive timestamps) stays free::

    FollowingRevision ::= SEQUENCE { octets INTEGER, digest MessageImprint }  -- MessageImprint: RFC 3161

The name of the attribute is an OID of our own below the arc 2.25, which anybody may use with a UUID (ITU-T
X.667). Programs that do not know it pass over it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from haidang.crypto.extra import needs_extra
from haidang.crypto.signed_attributes import imprint_of, is_imprint_of, make_known, provider_of, values_of

__all__ = ["follows_as_stated", "statement_provider"]

_NAME = "haidang_following_revision"
_OID = "2.25.278454758608430864530763886178137225978"


@cache
def _statement_class() -> Any:
    """Return the ASN.1 class of the statement, made known to asn1crypto's CMS."""
    with needs_extra():
        from asn1crypto import core, tsp

    class FollowingRevision(core.Sequence):  # type: ignore[misc]
        _fields = [("octets", core.Integer), ("digest", tsp.MessageImprint)]  # noqa: RUF012 -- asn1crypto writes to it

    make_known(_NAME, _OID, FollowingRevision)
    return FollowingRevision


def statement_provider(revision: bytes, digest: str) -> Any:
    """Return what pyHanko takes as a further signed attribute: that ``revision`` follows.

    Args:
        revision: the bytes that will stand right behind what is signed.
        digest: the name of a digest algorithm of the SHA-2 family.
    """
    statement = _statement_class()({"octets": len(revision), "digest": imprint_of(revision, digest)})
    return provider_of(_NAME, statement)


def follows_as_stated(signature: bytes, after: memoryview) -> bool:
    """Return whether what stands behind a signature begins with what it states; True where it states nothing.

    Args:
        signature: CMS SignedData, DER, of which it is known that it can be parsed and holds.
        after: what the file holds behind that which is signed.
    """
    _statement_class()
    from asn1crypto import cms

    try:
        for signer in cms.ContentInfo.load(signature)["content"]["signer_infos"]:
            if not all(_is_of(stated, after) for stated in values_of(signer, _OID)):
                return False
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return False
    return True


def _is_of(stated: Any, after: memoryview) -> bool:
    octets = stated["octets"].native
    return 0 < octets <= len(after) and is_imprint_of(stated["digest"], after[:octets])
