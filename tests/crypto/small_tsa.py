"""A time stamping authority for tests, in this process: RFC 3161 tokens at the time that a test says."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, core, tsp
from pyhanko.sign.timestamps.api import TimeStamper

from haidang.crypto.keys import sign
from haidang.crypto.trust import as_asn1
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from haidang.crypto.signers import Signatory

__all__ = ["SmallTsa", "small_tsa"]


class SmallTsa(TimeStamper):  # type: ignore[misc]
    """Answers every request, at ``moment``."""

    def __init__(self, signatory: Signatory, moment: dt.datetime) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.signatory = signatory
        self.moment = moment
        self.asked = 0
        self.refuses = False

    async def async_request_tsa_response(self, req: Any) -> Any:
        self.asked += 1
        if self.refuses:
            raise OSError("the authority does not answer")
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.3.6.1.4.1.99999.1",
                "message_imprint": req["message_imprint"],
                "serial_number": self.asked,
                "gen_time": core.GeneralizedTime(self.moment),
                "nonce": req["nonce"],
            }
        )
        return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": self.token(info)})

    def token(self, info: Any) -> Any:
        """Return the token that says ``info``."""
        certificate = as_asn1(self.signatory.certificate)
        content = info.dump()
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("message_digest", hashlib.sha256(content).digest()),
                _attribute(
                    "signing_certificate_v2",
                    tsp.SigningCertificateV2(
                        {"certs": [{"cert_hash": hashlib.sha256(certificate.dump()).digest()}]}
                    ),
                ),
            ]
        )
        sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
        one = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    "issuer_and_serial_number",
                    {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
                ),
                "digest_algorithm": sha256,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signed_attrs": attributes,
                "signature": sign(self.signatory.key, attributes.dump()),
            }
        )
        certificates = [certificate, *(as_asn1(one) for one in self.signatory.authorities)]
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [sha256],
                "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content)},
                "certificates": certificates,
                "signer_infos": [one],
            }
        )
        return cms.ContentInfo({"content_type": "signed_data", "content": signed})


def small_tsa(moment: dt.datetime = MOMENT, **options: Any) -> SmallTsa:
    """Return an authority of the small PKI whose clock stands at ``moment``."""
    pki = small_pki()
    signatory = pki.signatory("Dấu thời gian Tỉnh Mẫu", "timestamp", unit="", **options)
    return SmallTsa(signatory, moment)


def _attribute(kind: str, value: Any) -> Any:
    return cms.CMSAttribute({"type": kind, "values": [value]})
