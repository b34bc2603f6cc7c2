"""Blocks of bytes to lines: the first thing that every text log goes through, so it is fast.

Rules of this module:

- Lines end at LF; one CR before it goes too. Every line is kept, blank ones as well, so that the number of a
  line is that of the first one and its index.
- A line of more than ``limits.line_bytes`` is dropped without ever being held, noted (``oversized-line``), and
  its place kept by an empty line.
- Batches have at most ``limits.batch_events`` lines, and at most ``limits.batch_bytes`` bytes unless a single
  line is longer.

All input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["line_batches"]


def line_batches(
    blocks: Iterator[bytes], report: FileReport, limits: Limits
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the 1-based number of the first line and the lines, without their ends."""
    most = limits.batch_events
    for lines in _lines(blocks, report, limits):
        if len(lines) <= most:
            first = report.lines + 1
            report.lines += len(lines)
            yield first, lines
            continue
        for start in range(0, len(lines), most):
            part = lines[start : start + most]
            first = report.lines + 1
            report.lines += len(part)
            yield first, part


def _lines(blocks: Iterator[bytes], report: FileReport, limits: Limits) -> Iterator[list[bytes]]:
    """Yield the lines that each block completes, then the last line if no LF ends it."""
    rest = _Rest(report, limits)
    for block in _bounded(blocks, limits.batch_bytes):
        # Finding a CR costs a tenth of finding CR LF.
        lines = (block.replace(b"\r\n", b"\n") if b"\r" in block else block).split(b"\n")
        tail = lines.pop()
        if lines:
            lines[0] = rest.complete(lines[0])
            if len(block) > limits.line_bytes:
                rest.drop_oversized(lines)
            if len(lines[0]) + len(block) > limits.batch_bytes and len(lines) > 1:
                yield lines[:1]
                del lines[0]
            yield lines
        rest.add(tail)
    last = rest.last()
    if last is not None:
        yield [last]


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
        self._size = 0

    def add(self, part: bytes) -> None:
        """Take more of the line; one that is too long is only counted."""
        if part:
            self._size += len(part)
            # The CR of a CR LF that blocks tear apart may come on top.
            if self._size > self._most + 1:
                self._parts.clear()
            else:
                self._parts.append(part)

    def complete(self, end: bytes) -> bytes:
        """Return the line that ``end`` completes."""
        if not self._size:
            return end
        self.add(end)
        line = b"".join(self._parts)
        if not end and line.endswith(b"\r"):
            line = line[:-1]
            self._size -= 1
        size = self._size
        self._parts.clear()
        self._size = 0
        if size > self._most:
            self._note(0)
            return b""
        return line

    def drop_oversized(self, lines: list[bytes]) -> None:
        """Empty the lines that are too long, where a block may hold such."""
        for index, line in enumerate(lines):
            if len(line) > self._most:
                lines[index] = b""
                self._note(index)

    def last(self) -> bytes | None:
        """Return the line at the end of the file, None where the last line was ended."""
        return self.complete(b"") if self._size else None

    def _note(self, index: int) -> None:
        where = f"line {self._report.lines + index + 1}"
        self._report.note("oversized-line", where, f"longer than {self._most} bytes", skipped=1)
