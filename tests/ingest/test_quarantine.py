"""The quarantine: newest lines of each source, within bounds, each once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.ingest.model import BrokenLine, BrokenLines, SpoolFullError
from haidang.ingest.quarantine import Quarantine
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from pathlib import Path


def broken(line: bytes, reason: str = "broken-line") -> BrokenLine:
    return BrokenLine(reason, "The line is no JSON object.", line)


def test_lines_are_read_newest_first_and_page_by_page(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q")
    quarantine.add("s1", 5, [broken(b"\xff\x00"), broken(b"b")])
    quarantine.add("s2", 6, [broken(b"c")])
    assert [one.line for one in quarantine.lines()] == [b"c", b"b", b"\xff\x00"]
    assert [one.line for one in quarantine.lines("s1")] == [b"b", b"\xff\x00"]
    (page,) = quarantine.lines("s1", most=1)
    assert [one.line for one in quarantine.lines("s1", before=page.number)] == [b"\xff\x00"]
    assert quarantine.counts() == {"s1": 2, "s2": 1}


def test_a_line_that_comes_again_is_counted(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q")
    quarantine.add("s1", 5, [broken(b"a")])
    quarantine.add("s1", 9, [broken(b"a"), broken(b"a"), broken(b"a", "oversized-line")])
    quarantine.add("s2", 9, [broken(b"a")])
    assert [(one.source, one.reason, one.times, one.first, one.last) for one in quarantine.lines()] == [
        ("s2", "broken-line", 1, 9, 9),
        ("s1", "oversized-line", 1, 9, 9),
        ("s1", "broken-line", 3, 5, 9),
    ]


def test_the_oldest_lines_of_a_source_go_first(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", replace(DEFAULT_LIMITS, quarantine_lines=3))
    quarantine.add("s2", 1, [broken(b"other")])
    for number in range(10):
        quarantine.add("s1", 1, [broken(b"%d" % number)])
    assert [one.line for one in quarantine.lines()] == [b"9", b"8", b"7", b"other"]


def test_a_long_line_is_cut_and_says_so(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", replace(DEFAULT_LIMITS, quarantine_line_bytes=4))
    quarantine.add("s1", 1, [broken(b"123456"), broken(b"1234")])
    assert [(one.line, one.size, one.cut) for one in quarantine.lines()] == [
        (b"1234", 4, False),
        (b"1234", 6, True),
    ]


def test_lines_are_discarded_by_number(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q")
    quarantine.add("s1", 1, [broken(b"a"), broken(b"b")])
    quarantine.discard([quarantine.lines()[0].number, 10**12])
    assert [one.line for one in quarantine.lines()] == [b"a"]


def test_no_room_is_said(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", replace(DEFAULT_LIMITS, spool_reserve_bytes=1 << 60))
    with pytest.raises(SpoolFullError):
        quarantine.add("s1", 1, [broken(b"a")])


def test_of_one_request_some_lines_are_kept_and_all_are_counted() -> None:
    lines = BrokenLines(replace(DEFAULT_LIMITS, quarantine_request_lines=2))
    for _ in range(5):
        lines.broken("broken-line", b"x", "The line is no JSON object.")
    assert (lines.count, len(lines.lines)) == (5, 2)
