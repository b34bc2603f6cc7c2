"""Revocation data that a CMS signature brings along (RFC 5652, section 10.2.1; RFC 5940) is read and used."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest
from asn1crypto import cms, crl, ocsp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as making
from pyhanko_certvalidator.util import get_ocsp_urls

from haidang.crypto.keys import make_key
from haidang.crypto.pki.issuing import Places, Wanted, issue_certificate, subject_name
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.signers import Signatory
from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.trust import Trust, as_asn1
from haidang.crypto.verifying.cms import verify_cms
from tests.crypto.small_pki import MOMENT, small_pki

DIGEST = hashlib.sha256(b"x").digest()
PKI = small_pki()


def _signatory() -> Signatory:
    """Return a signer whose certificate names a place for revocation answers."""
    key = make_key("ecdsa-p256")
    wanted = Wanted(subject_name({"C": "VN", "CN": "Ánh"}), key.public_key(), load_profiles()["person"])
    places = Places((), ("http://ocsp.example.vn/",))
    certificate = issue_certificate(PKI.issuing, wanted, now=MOMENT, places=places)
    return Signatory(key, certificate, (PKI.issuing.certificate,))


SIGNATORY = _signatory()
# OCSP answers say when they were made by the clock of whoever makes them.
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
BARE = Trust(anchors=(PKI.root.certificate,), authorities=(PKI.issuing.certificate,))


def bringing(*choices: tuple[str, Any], who: Signatory | None = None) -> bytes:
    """Return a signature that brings revocation data along."""
    info = cms.ContentInfo.load(sign_digest(who or SIGNATORY, DIGEST, "sha256", now=MOMENT))
    info["content"]["crls"] = [cms.RevocationInfoChoice(name, value) for name, value in choices]
    if any(name == "other" for name, _ in choices):
        info["content"]["version"] = "v5"  # RFC 5652, section 5.1
    der: bytes = info.dump(force=True)
    return der


def crls(**options: Any) -> list[tuple[str, Any]]:
    return [("crl", crl.CertificateList.load(one)) for one in PKI.crls(**options)]


def ocsp_answer(status: making.OCSPCertStatus, who: Signatory | None = None) -> tuple[str, Any]:
    revoked = status is making.OCSPCertStatus.REVOKED
    made = (
        making.OCSPResponseBuilder()
        .add_response(
            (who or SIGNATORY).certificate,
            PKI.issuing.certificate,
            hashes.SHA256(),
            status,
            NOW,
            NOW + dt.timedelta(hours=1),
            MOMENT if revoked else None,
            None,
        )
        .responder_id(making.OCSPResponderEncoding.HASH, PKI.issuing.certificate)
        .sign(PKI.issuing.key, hashes.SHA256())
    )
    answer = ocsp.OCSPResponse.load(made.public_bytes(Encoding.DER))
    return "other", {"other_rev_info_format": "ocsp_response", "other_rev_info": answer}


def indication(signature: bytes) -> str:
    return verify_cms(signature, lambda _: DIGEST, BARE, now=NOW).indication


def test_without_any_it_is_not_known_whether_the_certificate_was_revoked() -> None:
    assert indication(sign_digest(SIGNATORY, DIGEST, "sha256", now=MOMENT)) == "INDETERMINATE"


def test_lists_that_a_signature_brings_are_enough() -> None:
    assert indication(bringing(*crls())) == "TOTAL-PASSED"


def test_a_list_that_a_signature_brings_speaks_against_it() -> None:
    assert indication(bringing(*crls(revoked=[SIGNATORY.certificate]))) == "TOTAL-FAILED"


def test_an_answer_counts_though_the_certificate_names_no_responder() -> None:
    """A list that knows nothing of the revocation yet does not outweigh it."""
    who = PKI.signatory()
    assert not get_ocsp_urls(as_asn1(who.certificate))
    good, revoked = (ocsp_answer(making.OCSPCertStatus[name], who) for name in ("GOOD", "REVOKED"))
    assert indication(bringing(*crls(), good, who=who)) == "TOTAL-PASSED"
    assert indication(bringing(*crls(), revoked, who=who)) == "TOTAL-FAILED"


@pytest.mark.parametrize(
    ("status", "expected"),
    [(making.OCSPCertStatus.GOOD, "TOTAL-PASSED"), (making.OCSPCertStatus.REVOKED, "TOTAL-FAILED")],
)
def test_an_answer_that_a_signature_brings_is_heard(status: making.OCSPCertStatus, expected: str) -> None:
    root_list = crls()[0]
    assert indication(bringing(root_list, ocsp_answer(status))) == expected
