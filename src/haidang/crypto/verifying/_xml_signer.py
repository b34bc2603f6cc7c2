"""One signature in XML: its parts, and whether it is one of its certificate's key over its SignedInfo.

The certificate is the one that the signed properties name; where they name none (plain XML Signature), one of
those in KeyInfo, whose key must have made the value. A key that is not in a certificate proves nobody.

Input is not trusted: what is not sound is an :class:`XmlRefusedError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from haidang.crypto.extra import needs_extra
from haidang.crypto.verifying._xades import certificates_in
from haidang.crypto.verifying._xml_reading import (
    DS,
    XmlRefusedError,
    bytes_in,
    canonical,
    is_element,
    only_child,
)
from haidang.crypto.verifying._xml_references import algorithm_refused, read_references
from haidang.crypto.verifying.algorithms import weak_digest, weak_key
from haidang.crypto.verifying.signer_infos import (
    Failure,
    Signed,
    certificate_exchanged,
    no_certificate,
    signature_wrong,
    unsound,
)

if TYPE_CHECKING:
    from haidang.crypto.verifying._xades import Properties
    from haidang.crypto.verifying._xml_references import Reference
    from haidang.crypto.verifying.chains import Chains

__all__ = ["Parts", "check_xml_signer", "read_parts", "weakness"]

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_PSS: Final = "http://www.w3.org/2007/05/xmldsig-more#"
_METHODS: Final = {
    f"{DS}rsa-sha1": ("rsa", "sha1"),
    f"{_MORE}ecdsa-sha1": ("ecdsa", "sha1"),
    **{f"{_MORE}rsa-{name}": ("rsa", name) for name in ("sha256", "sha384", "sha512")},
    **{f"{_MORE}ecdsa-{name}": ("ecdsa", name) for name in ("sha256", "sha384", "sha512")},
    **{f"{_PSS}{name}-rsa-MGF1": ("pss", name) for name in ("sha256", "sha384", "sha512")},
}
"""Padding or kind, and digest, by the name of the signature method."""
_PARTS: Final = ("SignedInfo", "SignatureValue", "KeyInfo")


class Parts(NamedTuple):
    """A signature by its parts."""

    element: Any
    references: tuple[Reference, ...]
    method: tuple[str, str]
    value: bytes
    certificates: tuple[Any, ...]


def read_parts(element: Any) -> Parts:
    """Return the parts of a signature; nothing else may be in it that could be mistaken for one.

    Raises:
        XmlRefusedError: They are not sound, or use what is not accepted.
    """
    names = [one.tag for one in element if one.tag != f"{{{DS}}}Object"]
    allowed = {f"{{{DS}}}{name}" for name in _PARTS}
    texts = [element.text, *(one.tail for one in element)]
    if not set(names) <= allowed or len(set(names)) < len(names) or "".join(filter(None, texts)).strip():
        raise XmlRefusedError(unsound("parts of Signature"))
    for one in element.iter():
        if not is_element(one) and next(one.iterancestors(f"{{{DS}}}Object"), None) is None:
            # Programs differ in what text is where a comment parts it.
            raise XmlRefusedError(unsound("a comment in Signature"))
    signed_info = only_child(element, f"{{{DS}}}SignedInfo")
    method = only_child(signed_info, f"{{{DS}}}SignatureMethod")
    name = method.get("Algorithm", "")
    if name not in _METHODS or len(method):
        raise XmlRefusedError(algorithm_refused(name))
    held = element.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    return Parts(
        element,
        read_references(signed_info),
        _METHODS[name],
        bytes_in(only_child(element, f"{{{DS}}}SignatureValue")),
        tuple(certificates_in(held)),
    )


def check_xml_signer(parts: Parts, properties: Properties, chains: Chains) -> Signed:
    """Return who signed, and the failure if it is no signature of theirs over the SignedInfo.

    Raises:
        XmlRefusedError: The SignedInfo's canonical form is not one that is accepted.
    """
    kind, digest = parts.method
    signed = Signed(
        digest_algorithm=digest,
        signature_algorithm=f"{digest}_{kind}",
        claimed=properties.claimed,
        signature=parts.value,
    )
    known = [*parts.certificates, *properties.brought, *chains.certificates]
    if properties.certificates:
        candidates = [one for one in known if properties.names(one)][:1]
        if not candidates and parts.certificates:
            return signed._replace(failure=certificate_exchanged())
    else:
        candidates = list(parts.certificates)
    if not candidates:
        return signed._replace(failure=no_certificate())
    signed_info = only_child(parts.element, f"{{{DS}}}SignedInfo")
    form = only_child(signed_info, f"{{{DS}}}CanonicalizationMethod")
    prefixes = form[0].get("PrefixList", "") if len(form) else ""
    octets = canonical(signed_info, form.get("Algorithm", ""), prefixes)
    for one in candidates:
        if _is_signature(one, parts, octets):
            return signed._replace(certificate=one, has_certificate_reference=bool(properties.certificates))
    return signed._replace(certificate=candidates[0], failure=signature_wrong())


def _is_signature(certificate: Any, parts: Parts, octets: bytes) -> bool:
    """Return whether the value is a signature of the certificate's key over ``octets``."""
    with needs_extra():
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
    kind, name = parts.method
    known: dict[str, hashes.HashAlgorithm] = {
        "sha1": hashes.SHA1(),  # noqa: S303 -- that it is weak is said, and that it is wrong before that
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
    digest = known[name]
    try:
        key = serialization.load_der_public_key(certificate.public_key.dump())
        if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            # XML Signature 1.1, section 6.4.3: both numbers, each as long as the field, and no DER.
            half = (key.key_size + 7) // 8
            if len(parts.value) != 2 * half:
                return False
            r, s = (int.from_bytes(parts.value[at : at + half], "big") for at in (0, half))
            key.verify(utils.encode_dss_signature(r, s), octets, ec.ECDSA(digest))
        elif kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(parts.value, octets, padding.PKCS1v15(), digest)
        elif kind == "pss" and isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            key.verify(parts.value, octets, pss, digest)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def weakness(parts: Parts, certificate: Any) -> Failure | None:
    """Return that an algorithm of a signature is too weak to prove anything; None where none is."""
    used = {parts.method[1], *(one.algorithm for one in parts.references)}
    weak = weak_digest(used) or weak_key(certificate.public_key)
    return Failure("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", weak) if weak else None
