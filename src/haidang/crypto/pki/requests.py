"""Requests for certificates (PKCS#10, RFC 2986): made, and read with care.

A request comes from anybody. Rules:

- It is bounded in size; of its extensions only the subjectAltName is looked at, the profile decides the rest.
- Whoever asks must hold the key (the request's own signature), and the key must be strong: ECDSA on P-256,
  P-384 or P-521, RSA of 3,072 bits or more with a sound exponent, ML-DSA-65; SHA-2 alone.
- The age recipient of the asker, where it has one, is in the attribute ``unstructuredName`` (PKCS#9), so that
  the request's signature binds it to the signing key.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import algorithm_of
from haidang.crypto.pki.issuing import signature_hash
from haidang.errors import AuthorityError, InputError, PolicyError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from haidang.crypto.keys import SigningKey

__all__ = ["Request", "alternative_names", "check_strength", "make_request", "read_requests"]

LARGEST = 64 << 10
MOST = 4
_MOST_NAMES = 100
_SMALLEST_RSA = 3072
_LARGEST_RSA = 8192
_UNSTRUCTURED_NAME = "1.2.840.113549.1.9.2"

_PEM = re.compile(
    rb"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]{1,100000})-----END", re.ASCII
)
_HOST = re.compile(
    r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE
)
_MAIL = re.compile(r"[^@\s<>\"',;:\\\x00-\x20\x7f]{1,64}@[A-Za-z0-9.-]{1,255}")
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class Request(NamedTuple):
    """A request that was checked."""

    subject: x509.Name
    public_key: Any
    alternative_names: tuple[x509.GeneralName, ...]
    recipient: str
    """The asker's age recipient, or ``""``."""
    der: bytes


def make_request(
    key: SigningKey,
    subject: x509.Name,
    *,
    names: Sequence[x509.GeneralName] = (),
    recipient: str = "",
) -> bytes:
    """Return a request, PEM, signed with ``key``."""
    with needs_extra():
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if recipient:
        oid = x509.ObjectIdentifier(_UNSTRUCTURED_NAME)
        builder = builder.add_attribute(oid, recipient.encode())
    return builder.sign(key, signature_hash(key)).public_bytes(Encoding.PEM)


def read_requests(content: bytes, name: str) -> list[Request]:
    """Return the requests in ``content``: PEM (up to four) or DER.

    Raises:
        InputError: It is too large, or holds no request.
        AuthorityError: A request does not prove that the asker holds the key, or has a name that is no name.
        PolicyError: A key or a digest is too weak.
    """
    if len(content) > LARGEST:
        raise InputError(
            f"{name} is larger than {LARGEST} bytes", hint="A request for a certificate is a few kilobytes."
        )
    blocks = [match[1] for match in _PEM.finditer(content)]
    if len(blocks) > MOST:
        raise InputError(f"{name} holds more than {MOST} requests", hint="Send them one by one.")
    try:
        ders = [base64.b64decode(block) for block in blocks] or [content]
        return [_checked(der, name) for der in ders]
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{name} holds no request for a certificate that can be read: {error}",
            hint="Name a file that haidang pki request, or openssl req -new, wrote.",
        ) from error


def _checked(der: bytes, name: str) -> Request:
    with needs_extra():
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
    try:
        request = x509.load_der_x509_csr(der)
        public_key = request.public_key()
        check_strength(public_key)
        digest = request.signature_hash_algorithm
        proven = request.is_signature_valid
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error
    except UnsupportedAlgorithm as error:
        raise _too_weak(str(error)) from None
    if digest is not None and digest.name not in {"sha256", "sha384", "sha512"}:
        raise _too_weak(digest.name)
    if not proven:
        raise AuthorityError(
            N_("The request in {path} is not signed with the key that it names."),
            hint=N_("It was altered, or the asker does not hold the key: have it made anew."),
            path=name,
        )
    subject = request.subject
    for part in subject:
        if _UNPRINTABLE.search(str(part.value)):
            raise AuthorityError(
                N_("The request in {path} has a name with invisible characters."),
                hint=N_("Have it made anew."),
                path=name,
            )
    return Request(subject, public_key, _names_of(request), _recipient_of(request), der)


def check_strength(public_key: Any) -> None:
    """Check that a key is one that certificates are issued for.

    Raises:
        PolicyError: It is weak, or of a kind that peers do not read.
    """
    algorithm = algorithm_of(public_key)
    if algorithm.startswith("rsa-"):
        numbers = public_key.public_numbers()
        size = public_key.key_size
        if not _SMALLEST_RSA <= size <= _LARGEST_RSA or numbers.e < 65537 or not numbers.e & 1:
            raise _too_weak(algorithm)
    elif algorithm not in {"ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ml-dsa-65"}:
        raise _too_weak(algorithm)


def alternative_names(hosts: Sequence[str] = (), mails: Sequence[str] = ()) -> list[x509.GeneralName]:
    """Return host names, IP addresses and mail addresses as a certificate has them.

    Raises:
        AuthorityError: One is none, or there are too many.
    """
    import ipaddress

    with needs_extra():
        from cryptography import x509
    found: list[x509.GeneralName] = []
    for host in hosts:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            if not _HOST.fullmatch(host) or len(host) > 253:
                raise _no_name(host) from None
            found.append(x509.DNSName(host))
    for mail in mails:
        if not _MAIL.fullmatch(mail) or not mail.isascii():
            raise _no_name(mail)
        found.append(x509.RFC822Name(mail))
    if len(found) > _MOST_NAMES:
        raise AuthorityError(N_("A certificate has at most {n} alternative names."), n=_MOST_NAMES)
    return found


def _names_of(request: x509.CertificateSigningRequest) -> tuple[x509.GeneralName, ...]:
    from cryptography import x509

    try:
        extension = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from error
    hosts: list[str] = []
    mails: list[str] = []
    for one in extension.value:
        if isinstance(one, x509.DNSName | x509.IPAddress):
            hosts.append(str(one.value))
        elif isinstance(one, x509.RFC822Name):
            mails.append(one.value)
        else:
            raise _no_name(type(one).__name__)
    return tuple(alternative_names(hosts, mails))


def _recipient_of(request: x509.CertificateSigningRequest) -> str:
    from cryptography import x509

    try:
        attribute = request.attributes.get_attribute_for_oid(x509.ObjectIdentifier(_UNSTRUCTURED_NAME))
    except x509.AttributeNotFound:
        return ""
    text = attribute.value.decode("utf-8", "replace")
    return text if _RECIPIENT.fullmatch(text) else ""


def _no_name(name: str) -> AuthorityError:
    return AuthorityError(
        N_("{name} is neither a host name, nor an address, nor a mail address."),
        hint=N_("Write it as it is used, e.g. so.example.vn or van-thu@so.example.vn."),
        name=name[:200],
    )


def _too_weak(algorithm: str) -> PolicyError:
    return PolicyError(
        N_("No certificate is issued for {algorithm}: it is too weak, or peers cannot read it."),
        hint=N_("Ask with an ECDSA P-256 key, or with RSA of 3,072 bits, and SHA-256."),
        algorithm=algorithm,
    )
