"""How a signature carries labels: the ESS security label (RFC 2634, section 3), a signed attribute of CMS.

PAdES, CAdES and ASiC signatures are all CMS, so one form serves them all. The labels stand in the privacy
mark as people read them, separated by "; ". The policy identifier says by which rules to read it: an OID of
our own below the arc 2.25, which anybody may use with a UUID (ITU-T X.667).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra

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
        from asn1crypto import cms, core

    class SecurityLabel(core.SetOf):  # type: ignore[misc]
        _child_spec = core.Any

    class SetOfSecurityLabel(core.SetOf):  # type: ignore[misc]
        _child_spec = SecurityLabel

    cms.CMSAttributeType._map[_OID] = ATTRIBUTE_NAME  # noqa: SLF001 -- asn1crypto's way to add a type
    if cms.CMSAttributeType._reverse_map is not None:  # noqa: SLF001 -- made from the map when first used
        cms.CMSAttributeType._reverse_map[ATTRIBUTE_NAME] = _OID  # noqa: SLF001 -- likewise
    cms.CMSAttribute._oid_specs[ATTRIBUTE_NAME] = SetOfSecurityLabel  # noqa: SLF001 -- likewise
    return SecurityLabel


def attribute_providers(labels: Iterable[Label]) -> list[Any]:
    """Return what pyHanko takes as further signed attributes: one provider, or none without labels."""
    text = _SEPARATOR.join(str(label) for label in labels)
    if not text:
        return []
    label_class = _label_class()
    from asn1crypto import core
    from pyhanko.sign.attributes import CMSAttributeProvider

    class LabelProvider(CMSAttributeProvider):
        attribute_type = ATTRIBUTE_NAME

        async def build_attr_value(self, dry_run: bool = False) -> Any:  # noqa: FBT001, FBT002 -- pyHanko's
            del dry_run
            return label_class([core.Any(core.ObjectIdentifier(POLICY)), core.Any(core.UTF8String(text))])

    return [LabelProvider()]


def labels_of(signer_info: Any) -> tuple[str, ...]:
    """Return the labels that a ``cms.SignerInfo`` carries, as they are written; none where it carries none.

    The signature is not checked here, and the text is the signer's: a label of somebody else's policy is
    returned as it is.
    """
    _label_class()
    try:
        for attribute in signer_info["signed_attrs"]:
            if attribute["type"].dotted == _OID:
                for part in attribute["values"][0]:
                    mark = part.native
                    # A PrintableString or UTF8String is the mark; the policy is an OBJECT IDENTIFIER.
                    if part.parse().tag in {_PRINTABLE, _UTF8} and isinstance(mark, str):
                        return tuple(filter(None, mark[:_LONGEST].split(_SEPARATOR)))
    except (ValueError, TypeError, KeyError, IndexError):
        # What is no security label says nothing; the verifier judges the signature itself.
        return ()
    return ()
