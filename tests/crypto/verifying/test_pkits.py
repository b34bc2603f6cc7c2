"""NIST's Public Key Interoperability Test Suite: 224 signed mails, most of whose chains must not hold.

Each mail is verified as ``haidang verify`` verifies it, with the suite's trust anchor, all its revocation
lists and the settings that people have: any policy, nothing fetched. The suite comes with the package
``cryptography-vectors``. Its names say what must hold; where they do not, NIST's description does (sections
4.4, 4.8 and 4.12, for the settings here).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from haidang.crypto.trust import Trust
from haidang.crypto.verifying import verify
from tests.crypto.small_pki import MOMENT

vectors = pytest.importorskip(
    "cryptography_vectors", reason="the package cryptography-vectors is not installed"
)
PKITS = Path(vectors.__file__).parent / "x509" / "PKITS_data"
MAILS = sorted(path.stem for path in (PKITS / "smime").glob("*.eml"))

HOLD = {
    "SignedAllCertificatesSamePolicyTest1",
    "SignedAllCertificatesNoPoliciesTest2",
    "SignedDifferentPoliciesTest3",
    "SignedOverlappingPoliciesTest6",
    "SignedAllCertificatesSamePoliciesTest10",
    "SignedAllCertificatesAnyPolicyTest11",
    "SignedAllCertificatesSamePoliciesTest13",
    "SignedAnyPolicyTest14",
    "SignedUserNoticeQualifierTest15",
    "SignedUserNoticeQualifierTest16",
    "SignedUserNoticeQualifierTest17",
    "SignedUserNoticeQualifierTest18",
    "SignedUserNoticeQualifierTest19",
    "SignedCPSPointerQualifierTest20",
    "SignedinhibitAnyPolicyTest3",
}
DO_NOT_HOLD = {
    "SignedMissingCRLTest1",
    "SignedDifferentPoliciesTest4",
    "SignedDifferentPoliciesTest5",
    "SignedDifferentPoliciesTest7",
    "SignedDifferentPoliciesTest8",
    "SignedDifferentPoliciesTest9",
    "SignedDifferentPoliciesTest12",
}
DEVIATIONS = {
    # What must hold does not; nothing that must not hold does.
    "SignedValidDSASignaturesTest4": "DSA is not believed any more",
    "SignedValidDSAParameterInheritanceTest5": "DSA is not believed any more",
    "SignedValidNameChainingUIDsTest6": "asn1crypto changes unique identifiers when it writes a certificate",
}


def must_hold(name: str) -> bool:
    if name in HOLD or name in DO_NOT_HOLD:
        return name in HOLD
    valid, invalid = name.startswith("SignedValid"), name.startswith("SignedInvalid")
    assert valid != invalid, f"it is not known what must hold of {name}"
    return valid


@pytest.fixture(scope="module")
def trust() -> Trust:
    anchor = x509.load_der_x509_certificate((PKITS / "certs" / "TrustAnchorRootCertificate.crt").read_bytes())
    crls = tuple(path.read_bytes() for path in sorted((PKITS / "crls").glob("*.crl")))
    return Trust(anchors=(anchor,), crls=crls)


def test_the_suite_is_whole() -> None:
    assert len(MAILS) == 224
    assert set(MAILS) >= HOLD | DO_NOT_HOLD | set(DEVIATIONS)
    assert sum(map(must_hold, MAILS)) == 103


@pytest.mark.slow
# Some certificates of the suite have serial numbers that are not positive: they must not end in an error.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("name", MAILS)
def test_a_mail_holds_or_not_as_nist_says(name: str, trust: Trust, request: pytest.FixtureRequest) -> None:
    if name in DEVIATIONS:
        request.applymarker(pytest.mark.xfail(reason=DEVIATIONS[name], strict=True))
    verdict = verify(PKITS / "smime" / f"{name}.eml", trust, now=MOMENT)
    assert verdict.holds == must_hold(name), verdict.to_json()
    assert len(verdict.signatures) == 1
    # Nothing fails for the form of what NIST made, but for signatures that it broke.
    assert verdict.signatures[0].subindication != "FORMAT_FAILURE"
