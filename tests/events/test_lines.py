"""Lines come out whole, numbered and bounded, however the bytes are cut into blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haidang.events.lines import line_batches, raw_line_batches
from haidang.events.model import FileReport
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = replace(DEFAULT_LIMITS, line_bytes=6, batch_events=3, batch_bytes=8)
TEXT = st.text("ab\r\n\n\n", max_size=60).map(str.encode)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def split(data: bytes, size: int = 7, limits: Limits = DEFAULT_LIMITS) -> tuple[list[bytes], FileReport]:
    report = FileReport("log")
    lines: list[bytes] = []
    for first, batch in line_batches(cut(data, size), report, limits):
        assert first == len(lines) + 1
        assert 0 < len(batch) <= limits.batch_events
        lines += batch
    assert report.lines == len(lines)
    return lines, report


def plain(data: bytes) -> list[bytes]:
    """The same, obviously right."""
    lines = data.split(b"\n")
    ended = [line.removesuffix(b"\r") for line in lines[:-1]]
    return [*ended, lines[-1].removesuffix(b"\r")] if lines[-1] else ended


@example(b"a\r\r\n", 2)
@given(TEXT, st.integers(1, 9))
def test_lines_are_the_same_however_the_blocks_are_cut(data: bytes, size: int) -> None:
    assert split(data, size)[0] == plain(data)


@given(TEXT, st.integers(1, 9))
def test_raw_lines_are_all_the_bytes_in_as_many_lines(data: bytes, size: int) -> None:
    report = FileReport("log")
    lines = [line for _, batch in raw_line_batches(cut(data, size), report, DEFAULT_LIMITS) for line in batch]
    assert b"".join(lines) == data
    assert [line.removesuffix(b"\n").removesuffix(b"\r") for line in lines] == plain(data)
    assert report.lines == len(lines)


@given(TEXT, st.integers(1, 9))
def test_a_line_beyond_line_bytes_is_noted_and_its_place_kept(data: bytes, size: int) -> None:
    lines, report = split(data, size, SMALL)
    # Of a line that blocks tear apart, the end may count, too.
    expected = plain(data)
    assert len(lines) == len(expected)
    emptied = [number for number, line in enumerate(expected, 1) if line and not lines[number - 1]]
    assert all(len(expected[number - 1]) > SMALL.line_bytes for number in emptied)
    assert all(len(line) <= SMALL.line_bytes + 2 for line in lines)
    assert report.skipped == len(emptied)
    if emptied:
        problem = report.problems["oversized-line"]
        assert (problem.where, problem.count) == (f"line {emptied[0]}", len(emptied))


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_of_exactly_line_bytes_is_kept(size: int, end: bytes) -> None:
    assert split(b"abcdef" + end, size, SMALL)[0] == [b"abcdef"]
    lines, report = split(b"ab\nabcdefghijkl" + end, size, SMALL)
    assert lines == [b"ab", b""]
    assert report.problems["oversized-line"].where == "line 2"


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 50))
def test_a_batch_has_at_most_batch_bytes_unless_a_line_is_longer(lengths: list[int], size: int) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    limits = replace(DEFAULT_LIMITS, batch_bytes=8)
    for _, batch in line_batches(cut(data, size), FileReport("log"), limits):
        assert sum(map(len, batch)) <= 8 or len(batch) == 1


def test_a_batch_has_at_most_batch_events_lines() -> None:
    batches = list(line_batches(iter([b"a\n" * 7]), FileReport("log"), replace(SMALL, batch_bytes=100)))
    assert [(first, len(lines)) for first, lines in batches] == [(1, 3), (4, 3), (7, 1)]


def test_nul_bytes_are_bytes_like_any_other() -> None:
    assert split(b"a\x00\x00\nb\x00" + bytes(20) + b"\n")[0] == [b"a\x00\x00", b"b" + bytes(21)]
