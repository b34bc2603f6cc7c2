"""The account of a run in words."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import haidang
from haidang.errors import RuleError
from haidang.events.model import FileReport
from haidang.findings.account import (
    PROBLEM_WORDS,
    files_line,
    problem_entries,
    refused_entry,
    rules_line,
    speed_line,
)
from haidang.findings.model import ScanSummary
from haidang.i18n import translator

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

ENGLISH = translator("en")
VIETNAMESE = translator("vi")


def test_files_are_counted_as_whole_in_part_and_lost(troubled_summary: ScanSummary) -> None:
    assert files_line(troubled_summary, ENGLISH) == "2 files read, 1 of them in part, 1 file not read"
    assert files_line(ScanSummary(files=[FileReport("a")]), ENGLISH) == "1 file read"


def test_rules_are_counted_as_loaded_and_refused(troubled_summary: ScanSummary) -> None:
    assert rules_line(troubled_summary, ENGLISH) == "3,742 rules loaded, 1 rule refused"
    assert rules_line(troubled_summary, VIETNAMESE) == "đã nạp 3.742 quy tắc, từ chối 1 quy tắc"


def test_rules_that_only_feed_correlations_are_counted_apart() -> None:
    summary = ScanSummary(rules=176, feeding=48)
    assert rules_line(summary, ENGLISH) == "176 rules loaded, 48 more that only feed correlations"
    said = "đã nạp 176 quy tắc, thêm 48 quy tắc chỉ phục vụ các quy tắc tương quan"
    assert rules_line(summary, VIETNAMESE) == said


def test_speed_survives_a_run_that_took_no_time(troubled_summary: ScanSummary) -> None:
    assert speed_line(ScanSummary(), ENGLISH) == "0 events, 0 B in 0.0 s: 0 events/s, 0 B/s"
    assert speed_line(troubled_summary, ENGLISH) == (
        "989,642 events, 2.3 GB in 41.2 s: 24,003 events/s, 55.3 MB/s"
    )


def test_each_file_with_problems_is_named_with_its_reasons_and_first_positions(
    troubled_summary: ScanSummary,
) -> None:
    lost, partly = problem_entries(troubled_summary, ENGLISH)
    assert lost.lost
    assert lost.reasons == ("encrypted: The archive needs a password.",)
    assert (partly.name, partly.lost) == ("logs/dc01.evtx", False)
    assert partly.reasons == (
        "corrupt (at record 812): A chunk has a wrong checksum.",
        "broken lines × 12 (first at line 1,234,567): It is not JSON.",
    )


def test_names_of_files_and_rules_cannot_drive_the_terminal(troubled_summary: ScanSummary) -> None:
    assert problem_entries(troubled_summary, ENGLISH)[0].name == "backup.zip!x␛]0;owned␇.json"
    entry = refused_entry(RuleError("bad\x1b[2J", path="r\n.yml", line=3, rule="t\x1b[1m"), ENGLISH)
    assert (entry.name, entry.reasons) == ("r␊.yml:3", ("t␛[1m: bad␛[2J",))


def test_details_and_reasons_speak_the_language_of_the_reader() -> None:
    report = FileReport("a.json", records=1)
    report.note("oversized-line", "line 1700", "longer than 4096 bytes")
    (entry,) = problem_entries(ScanSummary(files=[report]), VIETNAMESE)
    assert entry.reasons == ("dòng quá dài (tại dòng 1.700): dài hơn 4096 byte",)
    error = RuleError("unknown modifier 'soundex'", path="r.yml", line=3, rule="Odd")
    assert refused_entry(error, VIETNAMESE).reasons == ("Odd: không có từ bổ nghĩa (modifier) 'soundex'",)
    assert refused_entry(error, ENGLISH).reasons == ("Odd: unknown modifier 'soundex'",)


def test_unknown_kind_of_problem_is_shown_as_it_is() -> None:
    report = FileReport("a")
    report.note("haunted", "", "")
    (entry,) = problem_entries(ScanSummary(files=[report]), VIETNAMESE)
    assert entry.reasons == ("haunted",)


def test_every_known_kind_of_problem_speaks_vietnamese(subtests: pytest.Subtests) -> None:
    for kind, word in PROBLEM_WORDS.items():
        with subtests.test(kind):
            assert VIETNAMESE(word) != word


def kinds_in_the_source() -> Iterator[str]:
    """The first argument of every ``….note(`` and ``DamagedError(``, where it is written out."""
    for path in Path(haidang.__path__[0]).rglob("*.py"):
        if {"crypto", "pki"} & set(path.parts):
            continue  # What is noted there is no problem of a log.
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="note") | ast.Name(id="DamagedError"),
                    args=[ast.Constant(value=str(kind)), *_],
                ):
                    yield kind


def test_every_kind_of_problem_that_is_noted_has_words_for_people() -> None:
    kinds = set(kinds_in_the_source())
    assert len(kinds) > 8
    assert kinds <= set(PROBLEM_WORDS)
