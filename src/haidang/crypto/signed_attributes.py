"""Signed attributes of CMS that asn1crypto does not know: made known to it, written and read.

Whoever states something in a signature says its ASN.1 class here once; what is signed then is a value of it.
What is read is not trusted: whoever reads says first whether the signature holds.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["imprint_of", "is_imprint_of", "make_known", "provider_of", "values_of"]

_DIGESTS = frozenset({"sha256", "sha384", "sha512"})


def make_known(name: str, oid: str, value_class: Any) -> None:
    """Make an attribute known to asn1crypto's CMS.

    Args:
        name: how asn1crypto is to call it.
        oid: its object identifier.
        value_class: the ASN.1 class of its value (``asn1crypto``).
    """
    with needs_extra():
        from asn1crypto import cms, core

    class Values(core.SetOf):  # type: ignore[misc]
        _child_spec = value_class

    cms.CMSAttributeType._map[oid] = name  # noqa: SLF001 -- asn1crypto's way to add a type
    if cms.CMSAttributeType._reverse_map is not None:  # noqa: SLF001 -- made from the map when first used
        cms.CMSAttributeType._reverse_map[name] = oid  # noqa: SLF001 -- likewise
    cms.CMSAttribute._oid_specs[name] = Values  # noqa: SLF001 -- likewise


def provider_of(name: str, value: Any) -> Any:
    """Return what pyHanko takes as a further signed attribute: ``value`` under a name that was made known."""
    with needs_extra():
        from pyhanko.sign.attributes import CMSAttributeProvider

    class Provider(CMSAttributeProvider):
        attribute_type = name

        async def build_attr_value(self, dry_run: bool = False) -> Any:  # noqa: FBT001, FBT002 -- pyHanko's
            del dry_run
            return value

    return Provider()


def values_of(signer_info: Any, oid: str) -> Iterator[Any]:
    """Yield the values that a ``cms.SignerInfo`` states under ``oid``.

    Raises:
        ValueError, TypeError, LookupError, ArithmeticError: What is there cannot be parsed.
    """
    for attribute in signer_info["signed_attrs"]:
        if attribute["type"].dotted == oid:
            yield from attribute["values"]


def imprint_of(content: bytes, digest: str) -> dict[str, Any]:
    """Return the fields of a MessageImprint (RFC 3161) of ``content``; ``digest`` is of the SHA-2 family."""
    hashed = hashlib.new(digest, content).digest()
    return {"hash_algorithm": {"algorithm": digest}, "hashed_message": hashed}


def is_imprint_of(imprint: Any, content: bytes | memoryview) -> bool:
    """Return whether a ``tsp.MessageImprint`` is that of ``content``."""
    name = imprint["hash_algorithm"]["algorithm"].native
    if name not in _DIGESTS:
        return False
    return bool(hashlib.new(name, content).digest() == imprint["hashed_message"].native)
