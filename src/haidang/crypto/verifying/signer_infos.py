"""One signer of a CMS SignedData: who it was, and whether the signature is one over this content (RFC 5652).

Rules:

- The signer's certificate is the one that the signer info names, and the one that the signed attribute
  signing-certificate (or -v2) names, where there is one (RFC 5035).
- The signed attributes name the type and the digest of the content, once each. A signature without signed
  attributes is not believed: it cannot be told from one over attributes.
- The digest and signature algorithms agree with each other, and with cms-algorithm-protection (RFC 6211).
- Input is not trusted: what is not sound is a :class:`Failure`, never an exception.

Whether the signer is believed is for :mod:`haidang.crypto.verifying.chains`.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from haidang.crypto.extra import needs_extra
from haidang.crypto.verdicts import Indication, Reason, Subindication
from haidang.crypto.verifying.algorithms import weak_digest, weak_key
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

__all__ = [
    "PARSER_ERRORS",
    "Failure",
    "Signed",
    "certificate_exchanged",
    "check_signer",
    "content_changed",
    "embedded_certificates",
    "no_certificate",
    "signature_wrong",
    "unsound",
]

PARSER_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
    AssertionError,
    NotImplementedError,
    UnicodeError,
)
"""What asn1crypto and those who build on it raise for input that is not sound."""


_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

_Attributes: TypeAlias = dict[str, list[bytes]]


class Failure(NamedTuple):
    """Why a signature is not believed before its chain is even looked at."""

    indication: Indication
    subindication: Subindication
    reason: Reason


class Signed(NamedTuple):
    """What is known of a signer."""

    certificate: Any = None
    """``asn1crypto.x509.Certificate``; None where it is not there."""
    failure: Failure | None = None
    claimed: dt.datetime | None = None
    digest_algorithm: str = ""
    signature_algorithm: str = ""
    signature: bytes = b""
    has_certificate_reference: bool = False
    """Whether the signed attributes name the certificate, as CAdES demands."""


def unsound(detail: str = "") -> Failure:
    """Return that the signature's form is wrong; ``detail`` is for programs."""
    reason = Reason(
        "format",
        Message(N_("The signature is damaged, or is not one.")) if not detail else _damaged(detail),
        Message(N_("Fetch the file again from whoever sent it.")),
    )
    return Failure("TOTAL-FAILED", "FORMAT_FAILURE", reason)


def embedded_certificates(signed_data: Any, most: int) -> list[Any]:
    """Return the certificates that a SignedData brings along, at most ``most``.

    Raises:
        ValueError: One is not sound.
    """
    certificates = signed_data["certificates"]
    found = []
    for choice in list(certificates or ())[:most]:
        if choice.name == "certificate":
            choice.chosen.sha256  # noqa: B018 -- has it parsed
            found.append(choice.chosen)
    return found


def check_signer(
    signer_info: Any,
    certificates: Iterable[Any],
    *,
    content_type: str,
    digest: Callable[[str], bytes],
) -> Signed:
    """Return who signed, and the failure if it is no signature of theirs over this content.

    Args:
        signer_info: ``asn1crypto.cms.SignerInfo``.
        certificates: where the signer's may be among.
        content_type: the type of the content that is signed.
        digest: returns the digest of the content by the name of an algorithm; raises ValueError for others.
    """
    try:
        return _check(signer_info, certificates, content_type, digest)
    except PARSER_ERRORS as error:
        return Signed(failure=unsound(str(error)))


def _check(
    info: Any, certificates: Iterable[Any], content_type: str, digest: Callable[[str], bytes]
) -> Signed:
    digest_algorithm = info["digest_algorithm"]["algorithm"].native
    signed = Signed(
        digest_algorithm=digest_algorithm,
        signature_algorithm=info["signature_algorithm"]["algorithm"].native,
        signature=info["signature"].native,
    )
    attributes = _attributes(info)
    signed = signed._replace(claimed=_claimed(attributes))
    certificate = _find(info["sid"], certificates)
    if certificate is None:
        return signed._replace(failure=no_certificate())
    signed = signed._replace(certificate=certificate)
    if attributes is None:
        return signed._replace(failure=_no_attributes())
    wrong = _content(attributes, content_type, digest(digest_algorithm)) or _reference(
        attributes, certificate
    )
    wrong = wrong or _protection(attributes, info) or _signature(info, certificate)
    if wrong is None:
        weak = weak_digest(_digests(info)) or weak_key(certificate.public_key)
        wrong = Failure("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", weak) if weak else None
    named = _SIGNING_CERTIFICATE in attributes or _SIGNING_CERTIFICATE_V2 in attributes
    return signed._replace(failure=wrong, has_certificate_reference=named)


def _attributes(info: Any) -> _Attributes | None:
    """Return the values (DER) of the signed attributes by OID; None where there are none.

    By OID and in DER, since the names and types that asn1crypto knows depend on what else is imported.
    """
    if not info["signed_attrs"]:
        return None
    found: _Attributes = {}
    for attribute in info["signed_attrs"]:
        values = [value.dump() for value in attribute["values"]]
        found.setdefault(attribute["type"].dotted, []).extend(values)
    return found


def _claimed(attributes: _Attributes | None) -> dt.datetime | None:
    from asn1crypto import cms

    values = (attributes or {}).get(_SIGNING_TIME, [])
    moment: dt.datetime | None = cms.Time.load(values[0]).native if len(values) == 1 else None
    return moment


def _find(sid: Any, certificates: Iterable[Any]) -> Any:
    if sid.name == "issuer_and_serial_number":
        serial, issuer = sid.chosen["serial_number"].native, sid.chosen["issuer"]
        for one in certificates:
            if one.serial_number == serial and one.issuer == issuer:
                return one
    else:
        for one in certificates:
            if one.key_identifier == sid.chosen.native:
                return one
    return None


def _content(attributes: _Attributes, content_type: str, digest: bytes) -> Failure | None:
    from asn1crypto import cms, core

    types = [cms.ContentType.load(one).native for one in attributes.get(_CONTENT_TYPE, [])]
    digests = [core.OctetString.load(one, strict=True).native for one in attributes.get(_MESSAGE_DIGEST, [])]
    if types != [content_type] or len(digests) != 1:
        return unsound("content-type or message-digest is missing, wrong or there twice")
    return None if hmac.compare_digest(digests[0], digest) else content_changed()


def _reference(attributes: _Attributes, certificate: Any) -> Failure | None:
    """Compare the certificate with the one that the signed attributes name (RFC 5035, section 3)."""
    from asn1crypto import tsp

    der = certificate.dump()
    for oid, form in (
        (_SIGNING_CERTIFICATE_V2, tsp.SigningCertificateV2),
        (_SIGNING_CERTIFICATE, tsp.SigningCertificate),
    ):
        values = attributes.get(oid)
        if values is None:
            continue
        if len(values) != 1:
            return unsound("signing-certificate is there more than once")
        first = form.load(values[0])["certs"][0]
        algorithm = "sha1" if oid == _SIGNING_CERTIFICATE else first["hash_algorithm"]["algorithm"].native
        if not hmac.compare_digest(first["cert_hash"].native, hashlib.new(algorithm, der).digest()):
            return certificate_exchanged()
    return None


def _protection(attributes: _Attributes, info: Any) -> Failure | None:
    """Compare the algorithms with those of cms-algorithm-protection (RFC 6211)."""
    from asn1crypto import cms

    values = attributes.get(_ALGORITHM_PROTECTION, [])
    if not values:
        return None
    if len(values) != 1:
        return unsound("cms-algorithm-protection is there more than once")
    protected = cms.CMSAlgorithmProtection.load(values[0])
    digest, signature = protected["digest_algorithm"], protected["signature_algorithm"]
    same = digest["algorithm"].native == info["digest_algorithm"]["algorithm"].native
    same = same and signature.native is not None
    same = same and signature["algorithm"].native == info["signature_algorithm"]["algorithm"].native
    return None if same else unsound("the algorithms are not those that were signed")


def _digests(info: Any) -> set[str]:
    names = {info["digest_algorithm"]["algorithm"].native}
    # Ed25519, ML-DSA and plain RSA name none.
    with contextlib.suppress(ValueError):
        names.add(info["signature_algorithm"].hash_algo)
    return names


def _signature(info: Any, certificate: Any) -> Failure | None:
    with needs_extra():
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator, SignatureValidationContext
    digest_algorithm = info["digest_algorithm"]["algorithm"].native
    try:
        named = info["signature_algorithm"].hash_algo
    except ValueError:
        named = digest_algorithm
    if named != digest_algorithm:
        return unsound("the algorithms of digest and signature do not agree")
    # RFC 5652, section 5.4: what is signed are the attributes with the tag of a SET, not the implicit one.
    covered = info["signed_attrs"].untag().dump()
    try:
        DefaultSignatureValidator().validate_signature(
            info["signature"].native,
            covered,
            certificate.public_key,
            info["signature_algorithm"],
            SignatureValidationContext(contextual_md_algorithm=digest_algorithm),
        )
    except (InvalidSignature, UnsupportedAlgorithm, *PARSER_ERRORS):
        return signature_wrong()
    return None


def content_changed() -> Failure:
    """Return that the digest of the content is not the one that was signed."""
    reason = Reason(
        "content-changed",
        Message(
            N_("The content is not what was signed: it was changed, or the signature is of another file.")
        ),
        Message(N_("Do not rely on it. Fetch the file again, with its signature.")),
    )
    return Failure("TOTAL-FAILED", "HASH_FAILURE", reason)


def certificate_exchanged() -> Failure:
    """Return that the certificate is not the one that the signature names."""
    reason = Reason(
        "certificate-exchanged",
        Message(N_("The certificate is not the one with which it was signed.")),
        Message(N_("Do not rely on it. Fetch the file again, with its signature.")),
    )
    return Failure("INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND", reason)


def signature_wrong() -> Failure:
    """Return that the signature is not one of the key of the certificate."""
    reason = Reason(
        "signature-wrong",
        Message(N_("The signature is not one of this signer's key: it was changed or forged.")),
        Message(N_("Do not rely on it. Fetch the file again, with its signature.")),
    )
    return Failure("TOTAL-FAILED", "SIG_CRYPTO_FAILURE", reason)


def no_certificate() -> Failure:
    """Return that nobody brought the certificate of the signer."""
    reason = Reason(
        "signer-certificate-missing",
        Message(N_("The certificate of the signer is not there.")),
        Message(N_("Ask the signer for the certificate, or to sign again and include it.")),
    )
    return Failure("INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND", reason)


def _no_attributes() -> Failure:
    reason = Reason(
        "signed-attributes-missing",
        Message(N_("The signature does not say what it was made for: its signed attributes are missing.")),
        Message(N_("Ask the signer to sign again with a program that writes signed attributes.")),
    )
    return Failure("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", reason)


def _damaged(detail: str) -> Message:
    return Message(N_("The signature is damaged, or is not one ({detail})."), detail=detail[:200])
