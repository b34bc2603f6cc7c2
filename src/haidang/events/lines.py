"""Blocks of bytes to lines: the first thing that every text log goes through, so it is fast.

Rules of this module:

- Lines end at LF; one CR before it goes too. Every line is kept, blank ones as well, so that the number of
  a line is that of the first one and its index.
- Raw lines keep their ends, which costs half: for readers to which white space at the end means nothing.
- A line of more than ``limits.line_bytes`` is dropped without ever being held, noted (``oversized-line``),
  and its place kept by an empty line.
- Batches have at most ``limits.batch_events`` lines, and at most ``limits.batch_bytes`` bytes unless a
  single line is longer.

All input is untrusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar, overload

from haidang.native import library, line_ends

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["Lines", "line_batches", "raw_line_batches"]

_Some = TypeVar("_Some", list[bytes], Sequence[bytes])

_END = 2
"""Bytes of a line's end, CR LF, which do not count."""


def line_batches(
    blocks: Iterator[bytes], report: FileReport, limits: Limits
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the 1-based number of the first line and the lines, without their ends."""
    return _numbered(_lines(blocks, _Rest(report, limits), limits), report, limits)


def raw_line_batches(
    blocks: Iterator[bytes], report: FileReport, limits: Limits
) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield the 1-based number of the first line and the lines, each with its end."""
    return _numbered(_raw_lines(blocks, _Rest(report, limits), limits), report, limits)


def _numbered(batches: Iterator[_Some], report: FileReport, limits: Limits) -> Iterator[tuple[int, _Some]]:
    """Cut what is longer than a batch, and count."""
    most = limits.batch_events
    for lines in batches:
        for start in range(0, len(lines), most):
            part = lines if len(lines) <= most else lines[start : start + most]
            first = report.lines + 1
            report.lines += len(part)
            yield first, part


def _lines(blocks: Iterator[bytes], rest: _Rest, limits: Limits) -> Iterator[list[bytes]]:
    """Yield the lines that each block completes, then the last line if no LF ends it."""
    for block in _bounded(blocks, limits.batch_bytes):
        # Finding a CR costs a tenth of finding CR LF.
        lines = (block.replace(b"\r\n", b"\n") if b"\r" in block else block).split(b"\n")
        tail = lines.pop()
        if lines:
            # The LF may come first in this block, and its CR last in the one before.
            torn = block.startswith(b"\n")
            lines[0] = rest.complete(lines[0])
            if torn:
                lines[0] = lines[0].removesuffix(b"\r")
            yield from rest.within_limits(lines, len(block), limits.batch_bytes)
        rest.add(tail)
    if rest.size:
        yield [rest.complete(b"").removesuffix(b"\r")]


class Lines(Sequence[bytes]):
    """Lines with their ends that were not taken apart: each is cut out when it is asked for."""

    __slots__ = ("data", "ends")

    def __init__(self, data: bytes, ends: array[int]) -> None:
        """Take ``data`` and where each line in it ends, its line end included."""
        self.data = data
        """All lines, one behind another, and perhaps the beginning of the next."""
        self.ends = ends
        """Where each ends."""

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self.ends)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        """Return a line."""
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self.ends)))]
        at = range(len(self.ends))[at]
        return self.data[self.ends[at - 1] if at else 0 : self.ends[at]]

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines."""
        start = 0
        for end in self.ends:
            yield self.data[start:end]
            start = end


def _whole_lines(block: bytes, rest: _Rest, limits: Limits) -> Iterator[Lines]:
    """Yield the lines that a block completes, of which none is too long."""
    data = rest.take() + block
    while ends := line_ends(data, limits.batch_events):
        yield Lines(data, ends)
        if len(ends) < limits.batch_events:
            data = data[ends[-1] :]
            break
        data = data[ends[-1] :]
    rest.add(data)


def _raw_lines(blocks: Iterator[bytes], rest: _Rest, limits: Limits) -> Iterator[Sequence[bytes]]:
    """Do the same by the fastest splitter there is, which leaves the ends on the lines."""
    whole = min(limits.line_bytes, limits.batch_bytes) if library() is not None else 0
    for block in _bounded(blocks, limits.batch_bytes):
        if rest.size + len(block) <= whole:
            yield from _whole_lines(block, rest, limits)
            continue
        lines = BytesIO(block).readlines()
        tail = b"" if lines[-1].endswith(b"\n") else lines.pop()
        if lines:
            lines[0] = rest.complete(lines[0])
            yield from rest.within_limits(lines, len(block), limits.batch_bytes)
        rest.add(tail)
    if rest.size:
        yield [rest.complete(b"")]


def _bounded(blocks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Cut blocks of more than ``most`` bytes."""
    for block in blocks:
        if len(block) <= most:
            yield block
        else:
            yield from (block[start : start + most] for start in range(0, len(block), most))


class _Rest:
    """The beginning of a line whose end has not come yet."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        self._report = report
        self._most = limits.line_bytes
        self._parts: list[bytes] = []
        self.size = 0
        """Bytes of the line so far, those that were not kept included."""

    def add(self, part: bytes) -> None:
        """Take more of the line; one that is too long is only counted."""
        if part:
            self.size += len(part)
            if self.size <= self._most + _END:
                self._parts.append(part)
            else:
                self._parts.clear()

    def take(self) -> bytes:
        """Return the line so far, and begin anew."""
        line = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return line

    def complete(self, end: bytes) -> bytes:
        """Return the line that ``end`` completes; an empty one if it is too long."""
        if not self.size:
            return end
        self.add(end)
        line = b"".join(self._parts)
        if self.size > self._most + _END:
            self._note(0)
        self._parts.clear()
        self.size = 0
        return line

    def within_limits(self, lines: list[bytes], size: int, most: int) -> Iterator[list[bytes]]:
        """Yield the lines of a block of ``size`` bytes, too long ones emptied, in at most ``most`` bytes."""
        if size > self._most or len(lines[0]) > self._most:
            for index, line in enumerate(lines):
                if len(line) > self._most and len(line.rstrip(b"\r\n")) > self._most:
                    lines[index] = b""
                    self._note(index)
        if len(lines[0]) + size > most and len(lines) > 1:
            yield lines[:1]
            del lines[0]
        yield lines

    def _note(self, index: int) -> None:
        where = f"line {self._report.lines + index + 1}"
        self._report.note("oversized-line", where, f"longer than {self._most} bytes", skipped=1)
