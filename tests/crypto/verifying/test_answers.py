"""Timestamps beside their files: no bit of a token can be altered, nor of the answer around it."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import tsp

from haidang.crypto.timestamps.authority import TimestampAuthority
from haidang.crypto.verifying import verify
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"units;answered\n12;11\n"
NOW = MOMENT + dt.timedelta(days=1)


@pytest.fixture(scope="module")
def answer() -> bytes:
    authority = TimestampAuthority(small_tsa(MOMENT).signatory, clock=lambda: MOMENT)
    imprint = {
        "hash_algorithm": {"algorithm": "sha256"},
        "hashed_message": hashlib.sha256(CONTENT).digest(),
    }
    request = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "cert_req": True, "nonce": 7})
    return authority.answer(request.dump())


def verified(answer: bytes, folder: Path) -> Any:
    (folder / "a.csv").write_bytes(CONTENT)
    (folder / "a.csv.tsr").write_bytes(answer)
    return verify(folder / "a.csv.tsr", small_pki().trust(), now=NOW)


def with_status(answer: bytes, **status: Any) -> bytes:
    """Return an answer of which another status is said."""
    told = tsp.TimeStampResp.load(answer)
    told["status"] = tsp.PKIStatusInfo(status)
    return bytes(told.dump(force=True))


def test_no_bit_of_an_answer_can_be_flipped(answer: bytes, tmp_path: Path) -> None:
    assert verified(answer, tmp_path).holds
    # All of the answer's own, and some of the token.
    places = [*range(24), *range(24, len(answer), 37)]
    for at in places:
        for bit in range(8):
            changed = bytearray(answer)
            changed[at] ^= 1 << bit
            assert not verified(bytes(changed), tmp_path).holds, (at, bit)


def test_a_status_that_does_not_grant_is_not_believed(answer: bytes, tmp_path: Path) -> None:
    (verdict,) = verified(with_status(answer, status="rejection"), tmp_path).signatures
    assert (verdict.indication, verdict.reasons[0].code) == ("TOTAL-FAILED", "damaged-beside")


def test_what_was_granted_otherwise_is_said(answer: bytes, tmp_path: Path) -> None:
    (verdict,) = verified(with_status(answer, status="granted_with_mods"), tmp_path).signatures
    assert (verdict.indication, verdict.reasons[-1].code) == ("INDETERMINATE", "granted-otherwise")


def test_other_authorities_say_more_beside_a_status(answer: bytes, tmp_path: Path) -> None:
    told = with_status(answer, status="granted", status_string=["Operation Okay"])
    assert verified(told, tmp_path).holds
