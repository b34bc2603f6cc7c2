"""What verification believes: roots, known authorities, and what is known to be revoked.

    anchors/       roots; a chain must end in one of them
    authorities/   issuing authorities, which a signature need not bring along
    revocation/    CRLs (``.crl``, DER or PEM) and OCSP answers (``.ocsp``, DER)

Nothing is fetched: verification works without a network, with what is here and what a document carries.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from haidang.crypto.certificates import read_certificates
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import read_bounded
from haidang.errors import InputError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Container, Iterable
    from pathlib import Path

    from cryptography import x509

__all__ = ["Trust", "load_trust"]

_LARGEST_CRL = 64 << 20
_PEM = re.compile(rb"-----BEGIN X509 CRL-----(.+?)-----END X509 CRL-----", re.DOTALL)


class Trust(NamedTuple):
    """Certificates and revocation data that verification starts from."""

    anchors: tuple[x509.Certificate, ...] = ()
    authorities: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    """CRLs, DER."""
    ocsps: tuple[bytes, ...] = ()
    """OCSP answers, DER."""

    def plus(
        self,
        *,
        authorities: Iterable[x509.Certificate] = (),
        crls: Iterable[bytes] = (),
        ocsps: Iterable[bytes] = (),
    ) -> Trust:
        """Return this with more that is known; anchors are never added this way."""
        return Trust(
            self.anchors,
            (*self.authorities, *authorities),
            (*self.crls, *crls),
            (*self.ocsps, *ocsps),
        )

    def about(self, issuers: Container[bytes], serials: Container[int]) -> Trust:
        """Return this with the revocation data alone that concerns some certificates.

        Args:
            issuers: names of their issuers, DER.
            serials: their serial numbers.
        """
        return self._replace(
            crls=tuple(one for one in self.crls if _crl_issuer(one) in issuers),
            ocsps=tuple(one for one in self.ocsps if _ocsp_serial(one) in serials),
        )

    def context(
        self,
        moment: dt.datetime | None = None,
        *,
        revocation: Literal["soft-fail", "hard-fail", "require"] = "require",
        **options: Any,
    ) -> Any:
        """Return a ``pyhanko_certvalidator.ValidationContext`` that fetches nothing.

        Args:
            moment: the moment at which chains are validated; None for now.
            revocation: ``require`` wants revocation data for every certificate but the root's.
            options: further arguments of ``ValidationContext``.
        """
        with needs_extra():
            from asn1crypto import crl, ocsp
            from pyhanko_certvalidator import ValidationContext
        return ValidationContext(
            trust_roots=[as_asn1(one) for one in self.anchors],
            other_certs=[as_asn1(one) for one in self.authorities],
            crls=[crl.CertificateList.load(one) for one in self.crls],
            ocsps=[ocsp.OCSPResponse.load(one) for one in self.ocsps],
            moment=moment,
            allow_fetching=False,
            revocation_mode=revocation,
            **options,
        )


def load_trust(folder: Path) -> Trust:
    """Return what the folder holds; a folder that is not there holds nothing.

    Raises:
        InputError: A file in it cannot be read or is not what its name says.
    """
    anchors = [one for path in _files(folder / "anchors") for one in read_certificates(path)]
    authorities = [one for path in _files(folder / "authorities") for one in read_certificates(path)]
    crls: list[bytes] = []
    ocsps: list[bytes] = []
    for path in _files(folder / "revocation"):
        content = read_bounded(path, _LARGEST_CRL)
        if path.suffix == ".ocsp":
            ocsps.append(content)
        else:
            crls.extend(_crls(content, path))
    return Trust(tuple(anchors), tuple(authorities), tuple(crls), tuple(ocsps))


def as_asn1(certificate: x509.Certificate) -> Any:
    """Return a certificate as the library pyHanko wants it (``asn1crypto.x509.Certificate``)."""
    from asn1crypto import x509 as asn1_x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def _crls(content: bytes, path: Path) -> list[bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        ders = [base64.b64decode(one[1]) for one in _PEM.finditer(content)] or [content]
        return [x509.load_der_x509_crl(one).public_bytes(Encoding.DER) for one in ders]
    except ValueError as error:
        raise InputError(
            f"{path} holds no CRL that can be read: {error}",
            hint="Take it out of the folder, or fetch it anew from the authority.",
        ) from error


def _crl_issuer(crl: bytes) -> bytes:
    from cryptography.x509 import load_der_x509_crl

    try:
        return load_der_x509_crl(crl).issuer.public_bytes()
    except ValueError:
        return b""


def _ocsp_serial(answer: bytes) -> int:
    from cryptography.x509.ocsp import load_der_ocsp_response

    try:
        return load_der_ocsp_response(answer).serial_number
    except ValueError:
        return -1
