"""The corpus of forgeries: each gets its verdict, and no flipped bit is ever accepted."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from functools import cache
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms
from asn1crypto import crl as asn1_crl
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.trust import as_asn1
from haidang.crypto.verifying import verify
from haidang.crypto.verifying._beside import unsound_beside
from haidang.crypto.verifying.chains import chains_for
from haidang.crypto.verifying.cms import content_inside, verify_cms
from haidang.crypto.verifying.timestamps import verify_token
from tests.crypto.forging.cms import CONTENT, Case, cases
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

NOW = MOMENT + dt.timedelta(days=1)


@cache
def corpus() -> tuple[Case, ...]:
    return tuple(cases())


def test_the_corpus_is_large_enough() -> None:
    bad = [case for case in corpus() if case.indication != "TOTAL-PASSED"]
    assert len(bad) >= 25
    assert len({case.name for case in corpus()}) == len(corpus())


def test_each_forgery_gets_its_verdict(tmp_path: Path) -> None:
    wrong = []
    for number, case in enumerate(corpus()):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in case.files.items():
            (folder / name).write_bytes(content)
        named = "doc.tsr" if "doc.tsr" in case.files else "doc"
        (one,) = verify(folder / named, case.trust, now=case.now).signatures
        code = one.reasons[0].code if one.reasons else ""
        found = (one.indication, one.subindication, code)
        if found != (case.indication, case.subindication, case.code):
            wrong.append((case.name, found, [str(reason.message) for reason in one.reasons]))
    assert not wrong


@cache
def signature(*, stamped: bool) -> bytes:
    stamper = small_tsa().stamper if stamped else None
    digest = hashlib.sha256(CONTENT).digest()
    return sign_digest(small_pki().signatory(), digest, "sha256", now=MOMENT, timestamper=stamper)


def digest(name: str) -> bytes:
    return hashlib.new(name, CONTENT).digest()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_flipped_bit_of_the_content_is_accepted(data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, len(CONTENT) * 8 - 1))
    changed = bytearray(CONTENT)
    changed[bit // 8] ^= 1 << bit % 8
    found = verify_cms(
        signature(stamped=False),
        lambda name: hashlib.new(name, changed).digest(),
        small_pki().trust(),
        now=NOW,
    )
    assert (found.indication, found.subindication) == ("TOTAL-FAILED", "HASH_FAILURE")


@pytest.mark.parametrize("stamped", [False, True], ids=["B-B", "B-T"])
def test_no_flipped_bit_of_the_signature_is_accepted(stamped: bool) -> None:  # noqa: FBT001
    """Nor of the certificates and timestamps beside what is signed; each byte of five has its turn."""
    whole = signature(stamped=stamped)
    assert verify_cms(whole, digest, TRUST, now=NOW).holds
    accepted = []
    for at in range(0, len(whole), 5):
        changed = bytearray(whole)
        changed[at] ^= 1 << at // 5 % 8
        if verify_cms(bytes(changed), digest, TRUST, now=NOW).holds:
            accepted.append(at)
    assert accepted == []


def test_a_certificate_beside_a_signature_states_no_unused_bits() -> None:
    """Where the signature of a certificate ends in a zero bit, a lenient reader takes it for unused."""
    person = small_pki().signatory()
    while person.certificate.signature[-1] & 1:
        person = small_pki().signatory()
    whole = sign_digest(person, digest("sha256"), "sha256", now=MOMENT)
    assert verify_cms(whole, digest, TRUST, now=NOW).holds
    at = whole.index(person.certificate.signature) - 1
    changed = whole[:at] + b"\1" + whole[at + 1 :]
    assert not verify_cms(changed, digest, TRUST, now=NOW).holds
    assert unsound_beside(changed, []) == "certificate"


def test_a_revocation_list_beside_a_signature_is_one() -> None:
    info = cms.ContentInfo.load(signature(stamped=False))
    lists = [asn1_crl.CertificateList.load(one) for one in small_pki().crls()]
    info["content"]["crls"] = lists
    info = cms.ContentInfo.load(info.dump(force=True))
    assert unsound_beside(info.dump(), []) == ""
    for damage in (0, 1):
        whole = bytearray(info.dump())
        value = lists[0]["signature"].contents
        at = whole.index(value)
        whole[at + damage * (len(value) - 1)] ^= 1
        known = [as_asn1(small_pki().root.certificate)]
        assert unsound_beside(bytes(whole), known) == "revocation list"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_armour_of_a_signature_holds_nothing_else(line_end: bytes) -> None:
    text = base64.encodebytes(signature(stamped=False))
    armoured = b"-----BEGIN CMS-----\n" + text + b"-----END CMS-----\n"
    armoured = armoured.replace(b"\n", line_end)
    assert verify_cms(armoured, digest, TRUST, now=NOW).holds
    accepted = []
    lines = [at for at, octet in enumerate(armoured) if octet in b"\r\n-="]
    for at in {*lines, *range(0, len(armoured), 7)}:
        changed = bytearray(armoured)
        changed[at] ^= 1 << at % 8
        if verify_cms(bytes(changed), digest, TRUST, now=NOW).holds:
            accepted.append(at)
    assert accepted == []


TRUST = small_pki().trust()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3000), st.integers(0, 40))
def test_no_mutated_signature_makes_it_crash(noise: bytes, begin: int, length: int) -> None:
    whole = signature(stamped=True)
    changed = whole[:begin] + noise + whole[begin + length :]
    found = verify_cms(changed, digest, TRUST, now=NOW)
    if found.holds:
        assert found.signer == verify_cms(whole, digest, TRUST, now=NOW).signer
    verify_token(changed, digest, chains_for(TRUST), now=NOW)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_random_bytes_make_it_crash(noise: bytes) -> None:
    found = verify_cms(noise, digest, TRUST, now=NOW)
    assert (found.indication, found.subindication) == ("TOTAL-FAILED", "FORMAT_FAILURE")
    with pytest.raises(ValueError):  # noqa: PT011 -- whatever the parser says
        content_inside(noise)
