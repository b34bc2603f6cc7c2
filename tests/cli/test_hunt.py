"""``haidang hunt`` as a user runs it: questions, outputs, exit codes."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from haidang.cli.main import main
from haidang.ingest.archive import Archive
from haidang.ingest.model import Arrival
from haidang.ingest.spool import Spooled
from tests.scanning.material import event, write_rules

if TYPE_CHECKING:
    from pathlib import Path

DAY = 1_796_000_000_000_000_000


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with ``archive/``, of a service whose data this is, and ``rules.yml``."""
    monkeypatch.setenv("HAIDANG_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.chdir(tmp_path)
    write_rules(tmp_path)
    archive = Archive(tmp_path / "archive")
    records = b"\n".join(
        json.dumps(event(n, CommandLine="=1+1", Hostname=f"h{n}")).encode() for n in range(4)
    )
    archive.take([Spooled(5, Arrival("7", "", DAY, records, 4))])
    archive.flush()
    return tmp_path


def test_rules_give_findings_in_any_format(place: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["hunt", "--rules", "rules.yml", "--format", "ndjson", "--output", "found.csv"]) == 0
    lines = [json.loads(line) for line in (place / "found.csv").read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["finding"] * 5 + ["summary"]
    assert lines[0]["source"] == {"path": "7/5", "record": 1}
    assert (lines[-1]["events"], lines[-1]["findings"]) == (4, 5)
    assert b"Tool" in capsysbinary.readouterr().out


def test_a_query_gives_rows(place: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    query = "SELECT host, fields['CommandLine'], host FROM events ORDER BY host LIMIT 1"
    assert main(["hunt", "--sql", query]) == 0
    assert json.loads(capsysbinary.readouterr().out) == {
        "host": "h0",
        "fields['CommandLine']": "=1+1",
        "host_2": "h0",
    }
    assert main(["hunt", "--sql", query, "--output", str(place / "a.csv")]) == 0
    rows = list(csv.reader(io.StringIO((place / "a.csv").read_text(encoding="utf-8"))))
    assert rows[1] == ["h0", "'=1+1", "h0"]


def test_an_entity_gives_its_records(place: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["hunt", "--archive", str(place / "archive"), "--entity", "H2", "--since", "2026-11-01"]) == 0
    record = json.loads(capsysbinary.readouterr().out)
    assert (record["host"], record["record"], record["source"]) == ("h2", 3, "7")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sql", "DROP VIEW events"],
        ["--sql", "SELECT 1", "--entity", "x"],
        ["--sql", "SELECT 1", "--format", "html"],
        ["--sql", "SELECT 1", "--format", "csv", "--format", "ndjson"],
        ["--archive", "none"],
        ["--since", "nonsense"],
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(place: Path, arguments: list[str]) -> None:
    assert place.is_dir()
    assert main(["hunt", *arguments]) == 2
