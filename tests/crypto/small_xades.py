"""XML signatures for tests, made by hand: XAdES and plain, with any part left out or wrong.

Example::

    content = signed_xml(b"<report><unit>…</unit></report>")
"""

from __future__ import annotations

import base64
import copy
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from haidang.crypto.coroutines import finished
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.crypto.signers import Signatory

__all__ = ["DS", "ENVELOPED", "EXCLUSIVE", "Ref", "Wish", "signature_of", "signed_xml"]

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DS}enveloped-signature"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_DIGESTS = {
    "sha1": f"{DS}sha1",
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}


class Ref(NamedTuple):
    """One reference; what it is of is handed in, since tests want it wrong, too."""

    uri: str
    octets: bytes
    transforms: str = f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'
    digest: str = "sha256"
    kind: str = ""


class Wish(NamedTuple):
    """How a signature is made."""

    digest: str = "sha256"
    method: str = ""
    """The name of the signature method, where it is not that of the key."""
    properties: bool = True
    """Whether there are signed properties."""
    properties_signed: bool = True
    named: bool = True
    """Whether they name the certificate."""
    pss: bool = False
    """Whether an RSA key signs with PSS."""
    certificate: Any = None
    """Which certificate stands in KeyInfo, where it is not the signer's."""
    stamper: Any = None
    objects: str = ""
    """More of the signature: ``ds:Object`` elements."""


def canonical(element: Any) -> bytes:
    """Return the exclusive canonical form."""
    form: bytes = etree.tostring(element, method="c14n", exclusive=True)
    return form


def signature_of(refs: Sequence[Ref], wish: Wish = Wish(), signatory: Signatory | None = None) -> bytes:  # noqa: B008
    """Return a ``ds:Signature`` over what ``refs`` say."""
    signatory = signatory or small_pki().signatory()
    der = signatory.certificate.public_bytes(Encoding.DER)
    properties = _properties(der, named=wish.named)
    all_refs = list(refs)
    if wish.properties and wish.properties_signed:
        octets = canonical(etree.fromstring(properties))
        all_refs.append(Ref("#props", octets, kind="http://uri.etsi.org/01903#SignedProperties"))
    kind = "ecdsa" if isinstance(signatory.key, ec.EllipticCurvePrivateKey) else "rsa"
    space = DS if kind == "rsa" and wish.digest == "sha1" else _MORE
    method = wish.method or f"{space}{kind}-{wish.digest}"
    if wish.pss:
        method = f"http://www.w3.org/2007/05/xmldsig-more#{wish.digest}-rsa-MGF1"
    info = (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/>{"".join(map(_reference, all_refs))}</ds:SignedInfo>'
    )
    value = _sign(signatory.key, canonical(etree.fromstring(info)), wish)
    shown = der if wish.certificate is None else wish.certificate.public_bytes(Encoding.DER)
    value_element = f'<ds:SignatureValue xmlns:ds="{DS}">{_base64(value)}</ds:SignatureValue>'
    unsigned = _stamp(value_element, wish.stamper) if wish.stamper else ""
    held = (
        f'<ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#sig">{properties}{unsigned}'
        "</xades:QualifyingProperties></ds:Object>"
        if wish.properties
        else ""
    )
    return (
        f'<ds:Signature xmlns:ds="{DS}" Id="sig">{info}{value_element}<ds:KeyInfo><ds:X509Data>'
        f"<ds:X509Certificate>{_base64(shown)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        f"{held}{wish.objects}</ds:Signature>"
    ).encode()


def signed_xml(document: bytes, wish: Wish = Wish(), signatory: Signatory | None = None) -> bytes:  # noqa: B008
    """Return the document with an enveloped signature over all of it, last in its root."""
    root = etree.fromstring(document)
    transforms = f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXCLUSIVE}"/>'
    octets = etree.tostring(root.getroottree(), method="c14n", exclusive=True)
    signature = signature_of([Ref("", octets, transforms)], wish, signatory)
    signed = copy.deepcopy(root)
    signed.append(etree.fromstring(signature))
    content: bytes = etree.tostring(signed.getroottree(), xml_declaration=True, encoding="UTF-8")
    return content


def _reference(ref: Ref) -> str:
    digest = hashlib.new(ref.digest, ref.octets).digest()
    kind = f' Type="{ref.kind}"' if ref.kind else ""
    transforms = f"<ds:Transforms>{ref.transforms}</ds:Transforms>" if ref.transforms else ""
    return (
        f'<ds:Reference{kind} URI="{ref.uri}">{transforms}'
        f'<ds:DigestMethod Algorithm="{_DIGESTS[ref.digest]}"/>'
        f"<ds:DigestValue>{_base64(digest)}</ds:DigestValue></ds:Reference>"
    )


def _properties(der: bytes, *, named: bool) -> str:
    digest = _base64(hashlib.sha256(der).digest())
    certificate = (
        "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
        f'<ds:DigestMethod Algorithm="{_DIGESTS["sha256"]}"/><ds:DigestValue>{digest}</ds:DigestValue>'
        "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
    )
    return (
        f'<xades:SignedProperties xmlns:xades="{XADES}" xmlns:ds="{DS}" Id="props">'
        f"<xades:SignedSignatureProperties><xades:SigningTime>{MOMENT.isoformat()}</xades:SigningTime>"
        f"{certificate if named else ''}</xades:SignedSignatureProperties></xades:SignedProperties>"
    )


def _stamp(value: str, stamper: Any) -> str:
    octets = canonical(etree.fromstring(value))
    token = finished(stamper.async_timestamp(hashlib.sha256(octets).digest(), "sha256")).dump()
    return (
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>"
        f'<ds:CanonicalizationMethod xmlns:ds="{DS}" Algorithm="{EXCLUSIVE}"/>'
        f"<xades:EncapsulatedTimeStamp>{_base64(token)}</xades:EncapsulatedTimeStamp>"
        "</xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    )


def _sign(key: Any, octets: bytes, wish: Wish) -> bytes:
    algorithm = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}[wish.digest]
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        signed: bytes = key.sign(octets, pss if wish.pss else padding.PKCS1v15(), algorithm)
        return signed
    half = (key.curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(key.sign(octets, ec.ECDSA(algorithm)))
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
