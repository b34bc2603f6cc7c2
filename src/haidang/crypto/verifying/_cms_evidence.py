"""What a CMS signature brings along to be believed for years: certificates, CRLs and OCSP answers.

In the SignedData (RFC 5652, section 10.2.1; what CAdES baseline does), in a signed attribute of the signer
(Adobe), or in unsigned ones (the older long forms of CAdES). It is believed like anything that a signature
brings along: through an anchor alone. At most :data:`~haidang.crypto.verifying.chains.MOST_CERTIFICATES` of
each are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.verifying.chains import MOST_CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Brought", "evidence_of", "revocation_in"]

_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"
"""RFC 5940: an OCSPResponse."""
_OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1"
"""EN 319 122-1, section 5.4.2.2: a BasicOCSPResponse."""
_ADOBE = "1.2.840.113583.1.1.8"
"""adbe-revocationInfoArchival, a signed attribute (ISO 32000-1, section 12.8.3.3.2)."""
_CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
"""EN 319 122-1, annex A.1.1: both are unsigned attributes."""


class Brought(NamedTuple):
    """What a signature brings along to be believed."""

    certificates: Sequence[Any] = ()
    """``asn1crypto.x509.Certificate``."""
    crls: Sequence[bytes] = ()
    ocsps: Sequence[bytes] = ()


def revocation_in(signed_data: Any) -> tuple[list[bytes], list[bytes]]:
    """Return the CRLs and the OCSP answers, DER, of a SignedData.

    Raises:
        ValueError: One is not sound.
    """
    crls: list[bytes] = []
    ocsps: list[bytes] = []
    for choice in list(signed_data["crls"] or ())[:MOST_CERTIFICATES]:
        if choice.name == "crl":
            crls.append(choice.chosen.dump())
            continue
        form, held = choice.chosen["other_rev_info_format"].dotted, choice.chosen["other_rev_info"]
        if form == _OCSP_RESPONSE:
            ocsps.append(held.dump())
        elif form == _OCSP_BASIC:
            ocsps.append(_whole_ocsp(held.dump()))
    return crls, ocsps


def evidence_of(signer_info: Any) -> Brought:
    """Return what the attributes of a signer hold.

    Raises:
        ValueError: One is not sound.
    """
    from asn1crypto import core, x509

    certificates: list[Any] = []
    crls: list[bytes] = []
    ocsps: list[bytes] = []
    for value in _values(signer_info["signed_attrs"], _ADOBE):
        more_crls, answers = _tagged(value)
        crls += more_crls
        ocsps += answers
    for value in _values(signer_info["unsigned_attrs"], _REVOCATION_VALUES):
        more_crls, answers = _tagged(value)
        crls += more_crls
        ocsps += (_whole_ocsp(one) for one in answers)
    for value in _values(signer_info["unsigned_attrs"], _CERTIFICATE_VALUES):
        held = core.SequenceOf.load(value, strict=True, spec=x509.Certificate)
        for one in list(held)[:MOST_CERTIFICATES]:
            one.sha256  # noqa: B018 -- has it parsed
            certificates.append(one)
    return Brought(certificates[:MOST_CERTIFICATES], crls[:MOST_CERTIFICATES], ocsps[:MOST_CERTIFICATES])


def _values(attributes: Iterable[Any] | None, oid: str) -> Iterator[bytes]:
    """Yield the values, DER, of an attribute, whatever asn1crypto takes it for."""
    for attribute in attributes or ():
        if attribute["type"].dotted == oid:
            for value in attribute["values"]:
                yield value.dump()


def _tagged(value: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the CRLs and the OCSP answers, DER, of both kinds of values: each list has a tag."""
    from asn1crypto import core

    class Several(core.SequenceOf):  # type: ignore[misc]
        _child_spec = core.Any

    class Values(core.Sequence):  # type: ignore[misc]
        _fields = [  # noqa: RUF012 -- asn1crypto's way of saying it
            ("crls", Several, {"explicit": 0, "optional": True}),
            ("ocsps", Several, {"explicit": 1, "optional": True}),
            ("other", core.Any, {"explicit": 2, "optional": True}),
        ]

    held = Values.load(value, strict=True)
    crls, ocsps = (
        [one.dump() for one in list(held[name] or ())[:MOST_CERTIFICATES]] for name in ("crls", "ocsps")
    )
    return crls, ocsps


def _whole_ocsp(basic: bytes) -> bytes:
    """Return a BasicOCSPResponse as the answer that held it."""
    from asn1crypto import ocsp

    held = {"response_type": "basic_ocsp_response", "response": ocsp.BasicOCSPResponse.load(basic)}
    answer: bytes = ocsp.OCSPResponse({"response_status": "successful", "response_bytes": held}).dump()
    return answer
