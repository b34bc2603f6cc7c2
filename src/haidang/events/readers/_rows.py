"""Lines to the rows of a delimited table, by the rules of RFC 4180 where the data keep to them.

Rules of this module:

- A quoted field may hold line ends. A quote that is not closed within ``limits.line_bytes`` (or at the end
  of the file) is taken for a stray one: it is noted, and each line that it swallowed is read by itself,
  so that nothing after it is lost.
- Lines that hold whole rows go through the csv module many at once; only rows that span lines are put
  together by hand.
- A row of more than ``limits.columns`` columns is noted and skipped.

Input is untrusted.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["RowAssembler", "split_row"]


class RowAssembler:
    """Puts rows together; rows are numbered from 1, the header included, as a spreadsheet does."""

    def __init__(self, delimiter: str, report: FileReport, limits: Limits) -> None:
        """Begin before the first row."""
        # The csv module keeps this bound for the whole process; a field may be as long as a line here.
        csv.field_size_limit(max(csv.field_size_limit(), limits.line_bytes))
        self._delimiter = delimiter
        self._report = report
        self._limits = limits
        self._pending: list[str] = []
        self._size = 0
        self._row = 0

    def rows(self, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that consecutive ``lines`` complete, each with its number; blank ones left out."""
        whole = None if self._pending else self._whole_rows(lines)
        if whole is not None:
            yield from ((number, row) for number, row in enumerate(whole, self._row + 1) if row)
            self._row += len(whole)
            return
        for line in lines:
            self._pending.append(line)
            self._size += len(line) + 1
            if _ends_open(line, self._delimiter, is_open=len(self._pending) > 1):
                if self._size > self._limits.line_bytes:
                    yield from self._give_up()
            else:
                yield from self._complete("\n".join(self._pending))
                self._pending.clear()
                self._size = 0

    def close(self) -> Iterator[tuple[int, list[str]]]:
        """Yield what an unclosed quote held at the end of the file."""
        if self._pending:
            yield from self._give_up()

    def _whole_rows(self, lines: list[str]) -> list[list[str]] | None:
        """Return one row for each line, or None where some row spans lines or is too wide."""
        columns = self._limits.columns
        for line in lines:
            if line.count('"') & 1 or (len(line) > columns and line.count(self._delimiter) >= columns):
                return None
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter))
        except csv.Error:
            return None
        return rows if len(rows) == len(lines) else None

    def _complete(self, text: str) -> Iterator[tuple[int, list[str]]]:
        self._row += 1
        if text.count(self._delimiter) >= self._limits.columns:
            detail = f"a row of more than {self._limits.columns} columns"
            self._report.note("oversized-line", f"row {self._row}", detail, skipped=1)
            return
        row = split_row(text, self._delimiter)
        if row:
            yield self._row, row

    def _give_up(self) -> Iterator[tuple[int, list[str]]]:
        """Read each pending line by itself."""
        self._report.note("broken-line", f"row {self._row + 1}", "a quote that is never closed")
        pending, self._pending = self._pending, []
        self._size = 0
        for line in pending:
            yield from self._complete(line)


def split_row(text: str, delimiter: str) -> list[str]:
    """Return the fields of one row; a carriage return that would break it becomes a blank."""
    text = text.rstrip("\r")
    reader = csv.reader(text.splitlines(keepends=True) if '"' in text else [text], delimiter=delimiter)
    try:
        return next(reader, [])
    except csv.Error:
        return [field.strip('"') for field in text.replace("\r", " ").split(delimiter)]


def _ends_open(line: str, delimiter: str, *, is_open: bool) -> bool:
    """Return whether a quoted field is still open at the end of ``line``, by the csv module's own rules."""
    opening, closing = _quotes(delimiter)
    position = 0
    if is_open:
        match = closing.match(line)
        if match is None:
            return True
        position = match.end()
    elif line.startswith('"'):
        match = closing.match(line, 1)
        if match is None:
            return True
        position = match.end()
    while match := opening.search(line, position):
        match = closing.match(line, match.end())
        if match is None:
            return True
        position = match.end()
    return False


@lru_cache(maxsize=8)
def _quotes(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(re.escape(delimiter) + '"'), re.compile('(?:[^"]|"")*+"')
