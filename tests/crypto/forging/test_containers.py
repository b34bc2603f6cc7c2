from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.crypto.sealing import open_sealed
from haidang.crypto.verifying import verify
from tests.crypto.forging.containers import (
    RECEIVER,
    STRANGER,
    ForgedContainer,
    containers,
    sealed_files,
)
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

FORGED = list(containers())


@pytest.mark.parametrize("forged", FORGED, ids=[one.name for one in FORGED])
def test_a_container_gets_the_verdict_that_it_must_get(forged: ForgedContainer, tmp_path: Path) -> None:
    path = tmp_path / f"c{forged.suffix}"
    path.write_bytes(forged.content)
    verdict = verify(path, small_pki().trust(), now=MOMENT)
    codes = {one.code for one in verdict.reasons} | {
        one.code for signature in verdict.signatures for one in signature.reasons
    }
    assert (verdict.indication, forged.code in {*codes, ""}) == (forged.indication, True), verdict.to_json()


def test_a_sealed_file_gets_the_error_that_it_must_get_and_leaves_nothing(tmp_path: Path) -> None:
    made, inbox = tmp_path / "made", tmp_path / "inbox"
    made.mkdir()
    inbox.mkdir()
    forged = list(sealed_files(made))
    assert len(forged) > 20
    wrong = []
    for one in forged:
        path = tmp_path / "s.age"
        path.write_bytes(one.content)
        keys = [STRANGER if one.name == "forwarded" else RECEIVER]
        error: Exception | None = None
        try:
            open_sealed(path, keys, small_pki().trust(), folder=inbox, now=MOMENT)
        except Exception as raised:  # noqa: BLE001 -- the test tells which it is
            error = raised
        reason = getattr(error, "reason", None)
        code = getattr(reason, "code", "") or getattr(error, "code", "")
        found = type(error).__name__ if error else "", code if one.code else ""
        if found != (one.error, one.code):
            wrong.append((one.name, found, str(error)))
        if one.error:
            assert not list(inbox.iterdir()), one.name
        else:
            assert (inbox / "staff" / "list.txt").is_file()
            (inbox / "staff").rename(tmp_path / one.name)
    assert not wrong
