"""Parts of a file hold each line once, however the file is cut."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.blocks import DamagedError
from haidang.events.files import file_blocks, line_count, line_part
from haidang.events.lines import line_batches
from haidang.events.model import FileReport
from haidang.events.streams import Input
from haidang.limits import DEFAULT_LIMITS
from tests.events.reading import read_input

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, read_bytes=5)


def lines_of(path: str, start: int, end: int) -> list[bytes]:
    blocks = line_part(path, start, end, SMALL)
    return [line for _, batch in line_batches(blocks, FileReport("log"), SMALL) for line in batch]


@given(st.text("ab\r\n\n", max_size=40).map(str.encode), st.lists(st.integers(0, 40), max_size=5))
def test_parts_hold_each_line_once_however_the_file_is_cut(data: bytes, cuts: list[int]) -> None:
    bounds = sorted({0, len(data), *(cut for cut in cuts if cut <= len(data))})
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        whole = lines_of(file.name, 0, len(data))
        parts = [line for start, end in pairwise(bounds) for line in lines_of(file.name, start, end)]
        counts = [line_count(line_part(file.name, start, end, SMALL)) for start, end in pairwise(bounds)]
        assert sum(counts) == len(parts)
    assert parts == whole
    assert b"".join(line + b"\n" for line in whole).replace(b"\r", b"") in {
        data.replace(b"\r", b""),
        data.replace(b"\r", b"") + b"\n",
    }


def test_a_part_inside_a_long_line_reads_no_more_than_itself(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 1000 + b"\nlast\n")
    assert lines_of(str(path), 100, 200) == []
    assert lines_of(str(path), 900, 1002) == [b"last"]


def test_the_lines_of_a_part_are_numbered_from_1_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\xef\xbb\xbfa\nb\nc\nd\n")
    item = Input(str(path), "log", 5, reader="text")
    (first,) = read_input(replace(item, start=0, end=5))
    (second,) = read_input(replace(item, start=5, end=11))
    (nothing,) = read_input(replace(item, start=10, end=11))
    assert (first.messages, first.records, first.report.lines) == (["a"], [1], 1)
    assert (second.messages, second.records, second.report.lines) == (["b", "c", "d"], [1, 2, 3], 3)
    assert (nothing.messages, nothing.report.lines, nothing.problems) == ([], 0, {})
    assert {file.report.format for file in (first, second, nothing)} == {"text"}


def test_a_file_that_goes_away_is_unreadable(tmp_path: Path) -> None:
    for blocks in (
        file_blocks(str(tmp_path / "gone"), SMALL),
        file_blocks(str(tmp_path), SMALL),
        line_part(str(tmp_path / "gone"), 0, 5, SMALL),
    ):
        with pytest.raises(DamagedError) as caught:
            list(blocks)
        assert caught.value.kind == "unreadable"


def test_blocks_have_at_most_read_bytes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 12)
    assert [len(block) for block in file_blocks(str(path), SMALL)] == [5, 5, 2]
