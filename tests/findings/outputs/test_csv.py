"""CSV: one row a finding, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source
from haidang.findings.outputs.csv import COLUMNS, OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable


def written(*findings: Finding) -> str:
    stream = io.BytesIO()
    writer = OUTPUT.open(stream, lang="vi")
    for finding in findings:
        writer.write(finding)
    writer.close(ScanSummary())
    assert not stream.closed, "the caller closes the stream"
    return stream.getvalue().decode()


def rows(*findings: Finding) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(*findings), newline="")))


def test_row_says_what_was_found(make_finding: Callable[..., Finding]) -> None:
    assert rows(make_finding()) == [
        {
            "time": "2026-03-01T08:12:45.5Z",
            "level": "high",
            "rule": "Encoded PowerShell",
            "host": "WS01",
            "matched": "Image=C:\\Windows\\powershell.exe",
            "techniques": "T1059.001",
            "tags": "attack.execution attack.t1059.001",
            "status": "test",
            "rule_id": "11111111-2222-4333-8444-555555555555",
            "origin": "windows",
            "path": "logs/ws01.json",
            "record": "17",
            "event": "Image=C:\\Windows\\powershell.exe; EventID=1",
            "group": "",
            "count": "1",
            "id": "0123456789abcdef0123456789abcdef",
        }
    ]


def test_header_is_there_without_findings() -> None:
    assert written() == ",".join(COLUMNS) + "\r\n"


def test_reference_names_the_columns_in_their_order() -> None:
    reference = Path(__file__).resolve().parents[3] / "docs" / "reference" / "findings.md"
    words = " ".join(reference.read_text(encoding="utf-8").split())
    assert ", ".join(f"`{column}`" for column in COLUMNS) in words


def test_keyword_has_no_field_name(make_finding: Callable[..., Finding]) -> None:
    matches = (Match("", "mimikatz", "keyword"), Match("User", None, "null"), Match("a", [1, "b"], "exists"))
    (row,) = rows(make_finding(matched=matches))
    assert row["matched"] == 'mimikatz; User=null; a=[1,"b"]'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_cell_that_a_spreadsheet_would_run_is_text(start: str, make_finding: Callable[..., Finding]) -> None:
    evil = f"{start}HYPERLINK()"
    (row,) = rows(make_finding(host=evil, rule_title=evil, event={evil: 1}, matched=(Match("", evil, ""),)))
    for column in ("host", "rule", "event", "matched"):
        assert row[column].startswith("'" + start)


def test_text_that_is_not_unicode_does_not_lose_the_row(make_finding: Callable[..., Finding]) -> None:
    (row,) = rows(make_finding(host="h\udcff", event={"a": ["\ud800"]}))
    assert row["host"] == "h\\udcff"


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_stays_in_its_cell_and_is_never_a_formula(text: str) -> None:
    rule = FindingRule("", text, "low", "test", ())
    finding = Finding("0" * 32, rule, None, text, Source(text, 1), {text: text}, (Match(text, text, ""),))
    header, row = csv.reader(io.StringIO(written(finding), newline=""))
    assert len(row) == len(header)
    cells = dict(zip(header, row, strict=True))
    assert cells["host"].removeprefix("'") == text.removeprefix("'")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)
