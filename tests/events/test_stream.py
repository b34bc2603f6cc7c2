"""A stream gives bytes, lines or a file, and notes damage where it is."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.model import FileReport
from haidang.events.stream import Stream
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = replace(DEFAULT_LIMITS, spool_bytes=10)


def stream_of(*blocks: bytes, damaged: bool = False) -> tuple[Stream, FileReport]:
    def all_blocks() -> Iterator[bytes]:
        yield from blocks
        if damaged:
            raise DamagedError("corrupt", "Broken.")

    report = FileReport("log")
    return Stream(BlockSource(all_blocks()), report), report


def test_reading_counts_bytes_and_looking_does_not() -> None:
    stream, report = stream_of(b"abc", b"def")
    assert stream.head() == b"abcdef"
    assert (stream.position, report.size) == (0, 0)
    assert stream.read(4) == b"abcd"
    assert (stream.position, report.size) == (4, 4)
    assert b"".join(stream.blocks()) == b"ef"
    assert (stream.position, report.size) == (6, 6)
    assert stream.read(1) == b""


def test_damage_is_noted_with_its_position_and_never_raised() -> None:
    for take in (lambda stream: stream.read(9) + stream.read(9), lambda stream: b"".join(stream.blocks())):
        stream, report = stream_of(b"abc", b"def", damaged=True)
        assert take(stream) == b"abcdef"
        problem = report.problems["corrupt"]
        assert (problem.where, problem.count) == ("byte 6", 1)


def test_lines_of_utf_16_are_utf_8() -> None:
    stream, report = stream_of("\ufeffmột\r\nhai\n".encode("utf-16-le"), b"\xff")
    lines = [line for _, batch in stream.line_batches(report, DEFAULT_LIMITS) for line in batch]
    assert [line.decode() for line in lines] == ["một", "hai", "\ufffd"]
    assert list(report.problems) == ["invalid-utf8"]


@pytest.mark.parametrize("size", [0, 10, 11, 1000])
def test_a_seekable_file_holds_all_bytes_and_nobody_else_may_read_it(size: int) -> None:
    data = os.urandom(size)
    stream, _ = stream_of(*(data[start : start + 4] for start in range(0, size, 4)))
    with stream.seekable_file(SMALL) as path:
        assert Path(path).read_bytes() == data
        on_disk = not path.startswith("/proc/")
        assert not stat.S_IMODE(Path(path).stat().st_mode) & 0o077 or not on_disk
        assert on_disk or size <= SMALL.spool_bytes
        assert not on_disk or size > SMALL.spool_bytes or not hasattr(os, "memfd_create")
    assert not Path(path).exists()


def test_a_seekable_file_of_a_plain_file_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"abc")
    report = FileReport("log")
    stream = Stream(BlockSource(iter([b"abc"])), report, path=str(path))
    with stream.seekable_file(SMALL) as given:
        assert given == str(path)
    assert report.size == 3
    assert path.exists()
