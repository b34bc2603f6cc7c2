"""What a PDF carries to prove its signatures for years: certificates and revocation data (DSS).

The Document Security Store (ISO 32000-2, section 12.8.4.3) holds what somebody put there. It is believed like
anything that a signature brings along: through an anchor alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cryptography import x509

    from haidang.crypto.trust import Trust

__all__ = ["Evidence", "evidence_in"]

MOST_EVIDENCE = 200
"""Certificates, CRLs or OCSP answers of one document that are looked at."""
LARGEST_EVIDENCE = 64 << 20
"""Bytes of all CRLs and OCSP answers of one document."""


class Evidence(NamedTuple):
    """What the DSS of a document holds."""

    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    @property
    def revocation(self) -> bool:
        """Whether there is revocation data."""
        return bool(self.crls or self.ocsps)

    def added_to(self, trust: Trust) -> Trust:
        """Return ``trust`` with it."""
        return trust.plus(authorities=self.certificates, crls=self.crls, ocsps=self.ocsps)


def evidence_in(reader: Any) -> Evidence:
    """Return what the DSS of the document holds; what is not sound in it counts as not there."""
    certificates = [
        one for data in _streams(reader, "/Certs", "CERTIFICATE") if (one := _certificate(data)) is not None
    ]
    crls = [data for data in _streams(reader, "/CRLs", "CRL") if _is_crl(data)]
    ocsps = [data for data in _streams(reader, "/OCSPs", "OCSP_RESPONSE") if _is_ocsp(data)]
    return Evidence(tuple(certificates), tuple(crls), tuple(ocsps))


def _streams(reader: Any, key: str, purpose: str) -> list[bytes]:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.decode_limits import DecodePurpose

    try:
        array = reader.root["/DSS"][key]
    except (KeyError, TypeError):
        return []
    found: list[bytes] = []
    size = 0
    if not isinstance(array, generic.ArrayObject):
        return found
    for index in range(min(len(array), MOST_EVIDENCE)):
        stream = array.raw_get(index).get_object()
        if isinstance(stream, generic.StreamObject):
            data = stream.read_data(DecodePurpose[purpose])
            size += len(data)
            if size > LARGEST_EVIDENCE:
                break
            found.append(data)
    return found


def _certificate(data: bytes) -> x509.Certificate | None:
    import warnings

    from cryptography.x509 import InvalidVersion, load_der_x509_certificate

    try:
        with warnings.catch_warnings():
            # cryptography warns of serial numbers that RFC 5280 forbids; whether it is believed says enough.
            warnings.simplefilter("ignore")
            return load_der_x509_certificate(data)
    except (ValueError, InvalidVersion):
        return None


def _is_crl(data: bytes) -> bool:
    from cryptography.x509 import InvalidVersion, load_der_x509_crl

    try:
        return bool(load_der_x509_crl(data).last_update_utc)
    except (ValueError, InvalidVersion):
        return False


def _is_ocsp(data: bytes) -> bool:
    from cryptography.x509.ocsp import OCSPResponseStatus, load_der_ocsp_response

    try:
        return load_der_ocsp_response(data).response_status == OCSPResponseStatus.SUCCESSFUL
    except ValueError:
        return False
