"""The export format of the systemd journal (``journalctl -o export``): bytes to entries.

Rules of this module, after systemd's own description of its export formats:

- ``NAME=text`` is a field of text; ``NAME`` alone is followed by the length of its value (eight bytes, the
  least first), the value and a line end. A blank line ends the entry.
- A value of more than ``limits.line_bytes`` is passed over and noted, and so are fields of an entry beyond
  ``limits.columns``. What is no field is noted once for each line.
- A file that ends within an entry is noted; what there is of it is handed over.

Input is untrusted; memory is bounded by two blocks and one entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["Entry", "ExportedEntries"]

Entry = dict[str, "bytes | list[bytes]"]
"""Name of each field to its value, or to all its values where it has several."""

_NAME = expression(rb"[A-Z0-9_]{1,64}\Z")
_SIZE = 8
_PASSED = b"(passed over)"
"""Stands, by its identity, for a line that was passed over."""


class ExportedEntries:
    """Reads entries one after another."""

    def __init__(self, blocks: Iterator[bytes], report: FileReport, limits: Limits) -> None:
        """Read from ``blocks``."""
        self._blocks = blocks
        self._report = report
        self._limits = limits
        self._buffer = b""
        self._at = 0
        self._number = 1
        self._entry: Entry = {}
        self._size = 0

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        """Yield each entry with its number, from 1."""
        while (line := self._line()) is not None:
            if line is _PASSED:
                continue
            if line:
                self._take(line)
            elif self._entry:
                yield self._finished()
        if self._entry:
            detail = "The file ends within an entry."
            self._report.note("truncated", f"record {self._number}", detail)
            yield self._finished()

    def _finished(self) -> tuple[int, Entry]:
        found = self._number, self._entry
        self._number += 1
        self._entry, self._size = {}, 0
        return found

    def _take(self, line: bytes) -> None:
        """Take a field of text, or read the value of a binary one."""
        name, equals, value = line.partition(b"=")
        if not _NAME.match(name):
            detail = "no field of the journal"
            self._report.note("broken-line", f"record {self._number}", detail)
            return
        if not equals:
            found = self._binary()
            if found is None:
                return
            value = found
        self._size += len(value)
        if self._size > self._limits.line_bytes or len(self._entry) >= self._limits.columns:
            detail = f"an entry of more than {self._limits.line_bytes} bytes or {self._limits.columns} fields"
            self._report.note("oversized-line", f"record {self._number}", detail)
            return
        key = name.decode("ascii")
        known = self._entry.get(key)
        if known is None:
            self._entry[key] = value
        elif isinstance(known, list):
            known.append(value)
        else:
            self._entry[key] = [known, value]

    def _line(self) -> bytes | None:
        """Return the next line without its end, None at the end; one that is too long is passed over."""
        while True:
            end = self._buffer.find(b"\n", self._at)
            if end < 0:
                return self._long_line()
            line = self._buffer[self._at : end]
            self._at = end + 1
            if len(line) <= self._limits.line_bytes:
                return line
            self._note_long()

    def _long_line(self) -> bytes | None:
        """Return a line that goes on in the next blocks; it is not searched again with each of them."""
        parts = [self._buffer[self._at :]]
        size = len(parts[0])
        self._at = len(self._buffer)
        is_over = False
        while not is_over and self._refill():
            end = self._buffer.find(b"\n")
            is_over = end >= 0
            part = self._buffer[:end] if is_over else self._buffer
            self._at = end + 1 if is_over else len(self._buffer)
            size += len(part)
            if size <= self._limits.line_bytes:
                parts.append(part)
            else:
                parts.clear()
        if size > self._limits.line_bytes:
            self._note_long()
            return _PASSED if is_over else None
        line = b"".join(parts)
        return line if line or is_over else None

    def _binary(self) -> bytes | None:
        """Return the value that follows, with its length before it; None where it is not all there."""
        size = int.from_bytes(self._exactly(_SIZE), "little")
        if size > self._limits.line_bytes:
            self._note_long()
            self._pass_over(size + 1)
            return None
        value = self._exactly(size + 1)
        if len(value) < size + 1:
            return value
        if value[-1:] != b"\n":
            detail = "a binary field whose length is wrong"
            self._report.note("broken-line", f"record {self._number}", detail)
        return value[:-1]

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) - self._at < size and self._refill():
            pass
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        return data

    def _pass_over(self, size: int) -> None:
        while size > (there := len(self._buffer) - self._at):
            size -= there
            self._at = len(self._buffer)
            if not self._refill():
                return
        self._at += size

    def _refill(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return True

    def _note_long(self) -> None:
        detail = f"a field longer than {self._limits.line_bytes} bytes"
        self._report.note("oversized-line", f"record {self._number}", detail)
