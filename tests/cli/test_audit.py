"""``haidang audit``: the exit code says whether the log holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from haidang.cli.main import main
from haidang.console.audit.models import Entry
from haidang.console.audit.record import Change, record_each

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db


def test_an_untouched_log_holds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    record_each("service", "a", [Change("audit")] * 3)
    note = tmp_path / "checkpoint"
    assert main(["audit", "checkpoint", "--output", str(note)]) == 0
    assert main(["audit", "verify", "--checkpoint", str(note)]) == 0
    assert "3 entries" in capfd.readouterr().err


def test_an_altered_log_ends_with_1_and_says_which_entry(capfd: pytest.CaptureFixture[str]) -> None:
    record_each("service", "a", [Change("audit")] * 3)
    Entry.objects.filter(number=1).update(action="b")
    assert main(["audit", "verify"]) == 1
    assert "Entry 1 of the log was altered." in capfd.readouterr().err
    assert main(["audit", "verify", "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["reasons"][0]["code"] == "log-entry-altered"


def test_an_empty_log_has_nothing_to_sign(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "checkpoint"]) == 0
    assert capfd.readouterr().out == ""


def test_a_checkpoint_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert main(["audit", "verify", "--checkpoint", str(tmp_path / "none")]) == 2
