"""OCSP (RFC 6960): whether a certificate was revoked, answered one request at a time.

:func:`answer` is a pure function of the request, what the authority keeps, and the present. The request comes
from anybody: its size is bounded, a request that cannot be read gets ``malformedRequest``, one about another
authority ``unauthorized``. A nonce is given back as it came (RFC 9654: at most 128 octets).

The answer is signed by the authority itself, or better by a key of its own with a certificate of the profile
``ocsp``, so that the authority's key can stay locked. An authority with a second key (ML-DSA) is two to those
who ask: each chain is answered for by a responder of that chain (RFC 6960, section 4.2.2.2), or not at all. A
renewed authority has its name and key as before: questions that name its older certificate are answered, too.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import key_id
from haidang.crypto.pki.issuing import signature_hash
from haidang.errors import AuthorityError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography import x509

    from haidang.crypto.keys import SigningKey
    from haidang.crypto.pki.chains import Chain
    from haidang.crypto.pki.records import Kept, Revocation

__all__ = ["Responder", "answer", "internal_error", "make_responder"]

LARGEST_REQUEST = 16 << 10
_LONGEST_NONCE = 128
_VALID = dt.timedelta(hours=1)


class Responder(NamedTuple):
    """Who answers, and for whom."""

    issuer: x509.Certificate
    """The authority whose certificates are asked about."""
    certificate: x509.Certificate
    """Of the key that signs: the authority's own, or one that it issued for this."""
    key: SigningKey
    chain: Chain = "first"
    """Which of the authority's certificates it answers about."""


def make_responder(
    issuer: x509.Certificate, certificate: x509.Certificate, key: SigningKey, chain: Chain = "first"
) -> Responder:
    """Return a responder, once it was seen that it may answer for the issuer of a chain.

    Raises:
        AuthorityError: Its certificate does not allow it.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import ExtendedKeyUsageOID

    allowed = certificate == issuer
    if not allowed:
        try:
            certificate.verify_directly_issued_by(issuer)
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            allowed = ExtendedKeyUsageOID.OCSP_SIGNING in usages
        except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
            allowed = False
    if not allowed or key_id(key) != key_id(certificate.public_key()):
        raise AuthorityError(
            N_("This identity may not answer for the authority."),
            hint=N_("Issue it a certificate of the profile ocsp: haidang pki issue --profile ocsp."),
        )
    return Responder(issuer, certificate, key, chain)


def answer(
    request: bytes,
    responders: Iterable[Responder],
    look_up: Callable[[str], tuple[Kept | None, Revocation | None]],
    *,
    now: dt.datetime,
) -> bytes:
    """Return the OCSP response to ``request``, both DER.

    Args:
        request: what came.
        responders: who answers, for one chain of the authority each.
        look_up: returns the certificate of a serial number (hexadecimal) and its revocation.
        now: the present.
    """
    with needs_extra():
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.x509 import ocsp
    if len(request) > LARGEST_REQUEST:
        return _refusal(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    try:
        asked = ocsp.load_der_ocsp_request(request)
        responder = next((one for one in responders if _is_ours(asked, one.issuer)), None)
        nonce = _nonce_of(asked)
    except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm):
        return _refusal(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    if responder is None:
        return _refusal(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    now = now.replace(microsecond=0)
    kept, revocation = look_up(f"{asked.serial_number:x}")
    if kept is not None and kept.chain != responder.chain:
        kept = None
    builder = _with_status(ocsp.OCSPResponseBuilder(), asked, kept, revocation, now)
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
    if responder.certificate != responder.issuer:
        builder = builder.certificates([responder.certificate])
    if nonce is not None:
        builder = builder.add_extension(nonce, critical=False)
    response = builder.sign(responder.key, signature_hash(responder.key))
    der: bytes = response.public_bytes(Encoding.DER)
    return der


def _with_status(
    builder: Any, asked: Any, kept: Kept | None, revocation: Revocation | None, now: dt.datetime
) -> Any:
    from cryptography import x509
    from cryptography.x509 import ocsp

    status = ocsp.OCSPCertStatus.GOOD
    when = reason = None
    if kept is None:
        status = ocsp.OCSPCertStatus.UNKNOWN
    elif revocation is not None:
        status = ocsp.OCSPCertStatus.REVOKED
        when = dt.datetime.fromisoformat(revocation.moment)
        # RFC 5280, section 5.3.1: "unspecified" is said by saying nothing.
        reason = None if revocation.reason == "unspecified" else x509.ReasonFlags(revocation.reason)
    return builder.add_response_by_hash(
        issuer_name_hash=asked.issuer_name_hash,
        issuer_key_hash=asked.issuer_key_hash,
        serial_number=asked.serial_number,
        algorithm=asked.hash_algorithm,
        cert_status=status,
        this_update=now,
        next_update=now + _VALID,
        revocation_time=when,
        revocation_reason=reason,
    )


def _is_ours(asked: Any, issuer: x509.Certificate) -> bool:
    from cryptography.hazmat.primitives import hashes

    def digest(data: bytes) -> bytes:
        algorithm = hashes.Hash(asked.hash_algorithm)
        algorithm.update(data)
        return algorithm.finalize()

    # RFC 6960, section 4.1.1: over the content of the BIT STRING, without tag, length and unused bits.
    bits = _key_bits(issuer)
    return bool(
        asked.issuer_name_hash == digest(issuer.subject.public_bytes())
        and asked.issuer_key_hash == digest(bits)
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    from asn1crypto import core
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # Taken apart without asn1crypto's own type for keys, which knows no ML-DSA.
    bits: bytes = core.SequenceOf.load(spki, spec=core.Any)[1].contents[1:]
    return bits


def _nonce_of(asked: Any) -> Any:
    from cryptography import x509

    try:
        nonce = asked.extensions.get_extension_for_class(x509.OCSPNonce).value
    except x509.ExtensionNotFound:
        return None
    return nonce if 1 <= len(nonce.nonce) <= _LONGEST_NONCE else None


def internal_error() -> bytes:
    """Return the response that says that the responder itself has a problem."""
    with needs_extra():
        from cryptography.x509 import ocsp
    return _refusal(ocsp.OCSPResponseStatus.INTERNAL_ERROR)


def _refusal(status: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    refusal: bytes = ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
    return refusal
