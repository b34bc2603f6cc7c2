"""Certificates as files and as facts for people.

Files are read as PEM (one or many) or DER, by content. They may come from anybody: sizes and counts are
bounded, and what cannot be parsed is an error that names the file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from haidang.crypto.extra import needs_extra
from haidang.crypto.files import PUBLIC, read_bounded, write_whole
from haidang.crypto.keys import algorithm_of
from haidang.crypto.verdicts import CertificateFacts
from haidang.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

__all__ = [
    "certificate_facts",
    "fingerprint",
    "parse_certificates",
    "read_certificates",
    "write_certificates",
]

_LARGEST = 4 << 20
_MOST = 1000


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates in a PEM or DER file, in their order.

    Raises:
        InputError: It cannot be read, or holds no certificate.
    """
    return parse_certificates(read_bounded(path, _LARGEST), str(path))


def parse_certificates(content: bytes, name: str) -> list[x509.Certificate]:
    """Return the certificates in ``content``, which errors call ``name``.

    Raises:
        InputError: There is none, there are too many, or one is not sound.
    """
    with needs_extra():
        from cryptography import x509
    try:
        if b"-----BEGIN" in content:
            found = x509.load_pem_x509_certificates(content)
        else:
            found = [x509.load_der_x509_certificate(content)]
    except (ValueError, x509.InvalidVersion) as error:
        raise InputError(
            f"{name} holds no certificate that can be read: {error}",
            hint="Name a file with a certificate, PEM or DER.",
        ) from error
    if len(found) > _MOST:
        raise InputError(f"{name} holds more than {_MOST} certificates", hint="Split it.")
    return found


def write_certificates(
    certificates: Sequence[x509.Certificate], path: Path, *, replace: bool = False
) -> None:
    """Write certificates as PEM, in their order, whole or not at all."""
    from cryptography.hazmat.primitives.serialization import Encoding

    content = b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
    write_whole(path, content, mode=PUBLIC, replace=replace)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return SHA-256 over the DER of a certificate, in hexadecimal."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def certificate_facts(certificate: x509.Certificate) -> CertificateFacts:
    """Return what people need to know of a certificate."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import NameOID

    def part(oid: x509.ObjectIdentifier) -> str:
        values = certificate.subject.get_attributes_for_oid(oid)
        return str(values[0].value) if values else ""

    try:
        algorithm = algorithm_of(certificate.public_key())
    except (UnsupportedAlgorithm, ValueError):
        algorithm = certificate.public_key_algorithm_oid.dotted_string
    return CertificateFacts(
        name=part(NameOID.COMMON_NAME),
        organisation=part(NameOID.ORGANIZATION_NAME),
        unit=part(NameOID.ORGANIZATIONAL_UNIT_NAME),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        sha256=fingerprint(certificate),
        algorithm=algorithm,
        not_before=certificate.not_valid_before_utc.astimezone(dt.UTC),
        not_after=certificate.not_valid_after_utc.astimezone(dt.UTC),
    )
