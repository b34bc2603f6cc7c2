"""How a signature carries labels: the ESS security label (RFC 2634, section 3), a signed attribute of CMS.

PAdES, CAdES and ASiC signatures are all CMS, so one form serves them all. The labels stand in the privacy
mark as people read them, separated by "; ". The policy identifier says by which rules to read it: an OID of
our own below the arc 2.25, which anybody may use with a UUID (ITU-T X.667).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra
from haidang.crypto.signed_attributes import make_known, provider_of, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.crypto.marking.labels import Label

__all__ = ["ATTRIBUTE_NAME", "POLICY", "attribute_providers", "labels_of"]

ATTRIBUTE_NAME = "ess_security_label"
POLICY = "2.25.58176672906101674551787318288603010171"
_OID = "1.2.840.113549.1.9.16.2.2"
_SEPARATOR = "; "
_LONGEST = 2048
_UTF8 = 12
_PRINTABLE = 19


@cache
def _label_class() -> Any:
    """Return the ASN.1 class of the label, made known to asn1crypto's CMS.

    RFC 2634 has a SET of four fields, of which ours has two. asn1crypto can neither order a SET whose
    optional fields are absent nor one with a CHOICE; a SET OF ANY has the same encoding.
    """
    with needs_extra():
        from asn1crypto import core

    class SecurityLabel(core.SetOf):  # type: ignore[misc]
        _child_spec = core.Any

    make_known(ATTRIBUTE_NAME, _OID, SecurityLabel)
    return SecurityLabel


def attribute_providers(labels: Iterable[Label]) -> list[Any]:
    """Return what pyHanko takes as further signed attributes: one provider, or none without labels."""
    text = _SEPARATOR.join(str(label) for label in labels)
    if not text:
        return []
    label_class = _label_class()
    from asn1crypto import core

    parts = [core.Any(core.ObjectIdentifier(POLICY)), core.Any(core.UTF8String(text))]
    return [provider_of(ATTRIBUTE_NAME, label_class(parts))]


def labels_of(signer_info: Any) -> tuple[str, ...]:
    """Return the labels that a ``cms.SignerInfo`` carries, as they are written; none where it carries none.

    The signature is not checked here, and the text is the signer's: a label of somebody else's policy is
    returned as it is.
    """
    _label_class()
    try:
        for part in next(values_of(signer_info, _OID), ()):
            mark = part.native
            # A PrintableString or UTF8String is the mark; the policy is an OBJECT IDENTIFIER.
            if part.parse().tag in {_PRINTABLE, _UTF8} and isinstance(mark, str):
                return tuple(filter(None, mark[:_LONGEST].split(_SEPARATOR)))
    except (ValueError, TypeError, KeyError, IndexError):
        # What is no security label says nothing; the verifier judges the signature itself.
        return ()
    return ()
