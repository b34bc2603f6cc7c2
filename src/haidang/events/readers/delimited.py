"""Tables as text: values separated by commas, tabs, semicolons or bars, with a header row.

Rules of this module:

- The first row names the columns. Where it does not look like names (a number, a time, a sentence) the
  columns are called ``column_1``, ``column_2`` … and the first row is data.
- A name that occurs again gets ``_2``, ``_3`` …; an empty name is ``column_N``.
- A row with too few or too many columns is noted (``ragged-row``) and kept: what is too much is
  ``column_N``. An empty cell is an absent field. An ``sep=;`` line, as Excel writes it, is obeyed.
- A log that merely has commas is no table: a file is recognised by its header and even rows. A row may span
  lines.
- The line ``#TYPE …`` with which PowerShell begins is passed over; ``[UTC]`` behind a name, as Azure's portal
  writes it, is no part of it.
- A row that keeps a line of another log (``_raw`` of Splunk, ``@message`` of CloudWatch) is read as what that
  line is, see :mod:`haidang.events.readers.collected`. What Event Viewer saves is an event of Windows.
- Input is untrusted.

Fields (origin ``csv``): the columns by their names; values are text, as written.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, FileReport, Origin
from haidang.events.patterns import expression
from haidang.events.readers import collected
from haidang.events.readers._lines import BOM, decode
from haidang.events.readers._opener import Opener
from haidang.events.readers._rows import RowAssembler, split_row
from haidang.events.readers._viewer import Viewer
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.events.model import Batch
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "DelimitedReader", "choose_delimiter", "column_names", "looks_like_header"]

ORIGIN = Origin(
    "csv",
    time_fields=(
        "@timestamp", "timestamp", "Timestamp", "TimeCreated", "UtcTime", "EventTime", "_time", "time",
        "Time", "TimeGenerated", "datetime", "DateTime", "date", "Date", "Date and Time",
    ),
    host_fields=(
        "Computer", "ComputerName", "Hostname", "hostname", "HostName", "host", "Host", "MachineName",
        "DeviceName",
    ),
)  # fmt: skip

DELIMITERS = ("\t", ",", ";", "|")
SUFFIXES = (".csv", ".tsv", ".tab", ".psv")
HEAD_LINES = 50
LONGEST_NAME = 80
MOST_WORDS = 4
MANY_COLUMNS = 10
"""Columns of a table whose names may have twice as many words: no log has so many commas in each line."""
_NAME = expression(r"[^\W\d][\w .@/()#%&$:\-]*\Z|[@#$%_.][\w .@/()#%&$:\-]+\Z")
_ZONE = expression(r" \[(?:UTC|Local Time)\]\Z")
_TYPE = "#TYPE "
_CARRYING = frozenset({"_raw", "@message", "@rawstring"})
_TIME = expression(r"\d\d:\d\d|\d{4}-\d\d")
_SEP = expression(r"sep=(.)\Z", re.IGNORECASE)


def choose_delimiter(line: str) -> str:
    """Return the delimiter that cuts the first row into the most columns."""
    return max(DELIMITERS, key=lambda delimiter: len(split_row(line, delimiter)))


def looks_like_header(row: Sequence[str]) -> bool:
    """Return whether all cells of a row are names rather than values."""
    most = MOST_WORDS if len(row) < MANY_COLUMNS else 2 * MOST_WORDS
    return len(row) > 1 and all(
        len(cell) <= LONGEST_NAME
        and _NAME.match(cell)
        and len(cell.split()) <= most
        and not _TIME.search(cell)
        for cell in map(_name, row)
    )


def _name(cell: str) -> str:
    return _ZONE.sub("", cell.strip())


def column_names(row: Iterable[str]) -> list[str]:
    """Return a name for each column, none of them twice."""
    names: dict[str, None] = {}
    seen: dict[str, int] = {}
    for number, cell in enumerate(row, 1):
        name = base = _name(cell) or f"column_{number}"
        while name in names:
            seen[base] = seen.get(base, 1) + 1
            name = f"{base}_{seen[base]}"
        names[name] = None
    return list(names)


class _Table:
    """Rows to events, once the first row has said what the columns are called."""

    def __init__(self, report: FileReport) -> None:
        self._report = report
        self._names: list[str] = []
        self._viewer: Viewer | None = None

    @property
    def carries(self) -> bool:
        """Whether rows keep lines of other logs."""
        return not _CARRYING.isdisjoint(self._names)

    def events(self, rows: Iterable[tuple[int, list[str]]]) -> tuple[list[Fields], list[int]]:
        events: list[Fields] = []
        records: list[int] = []
        for number, row in rows:
            names = self._names
            if not names:
                if looks_like_header(row):
                    self._names = column_names(row)
                    continue
                names = self._names = column_names([""] * len(row))
            if self._viewer is None and Viewer.wrote(names, row):
                self._viewer = Viewer(names)
            if self._viewer is not None and Viewer.wrote(names, row):
                events.append(self._viewer.event(row))
                records.append(number)
                continue
            if len(row) != len(names):
                names = self._ragged(number, row)
            event: Fields = {name: value for name, value in zip(names, row, strict=False) if value}
            if event:
                events.append(event)
                records.append(number)
        return events, records

    def _ragged(self, number: int, row: list[str]) -> list[str]:
        """Note a row that is not as wide as the header, and return names for what it has."""
        detail = f"{len(row)} columns where the header names {len(self._names)}; kept with what it has"
        self._report.note("ragged-row", f"row {number}", detail)
        return [*self._names, *(f"column_{extra}" for extra in range(len(self._names) + 1, len(row) + 1))]


class DelimitedReader:
    """Reads CSV and its kin."""

    name = "csv"
    title = "Table (CSV, TSV)"
    splittable = False
    """The header row says how all of the file is to be read."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return tables, and the families of logs whose lines may be in one."""
        return (ORIGIN, *collected.READER.origins)

    def recognises(self, head: Head) -> int:
        """Return 85 for a table in a file named as one, 55 for a header and even rows in any other."""
        lines = [line.rstrip("\r") for line in head.lines[:HEAD_LINES]]
        if lines:
            lines[0] = lines[0].removeprefix(BOM)
        if lines and lines[0].startswith(_TYPE):
            del lines[0]
        if not lines:
            return 0
        named = head.name.endswith(SUFFIXES)
        if match := _SEP.match(lines[0]):
            return 85 if len(lines) > 1 and match[1] in lines[1] else 0
        delimiter = choose_delimiter(lines[0])
        header = split_row(lines[0], delimiter)
        rows = [split_row(line, delimiter) for line in lines[1:] if not line.count('"') & 1]
        if not _is_even(header, rows):
            rows = _assembled(lines, delimiter)[1:]
            if not rows or not _is_even(header, rows):
                return 0
        if named:
            return 85 if looks_like_header(header) else 60
        if not rows or len(header) < 3 or not looks_like_header(header):
            return 0
        # Logs with a fixed number of commas repeat their words; a table does not repeat its header.
        repeated = any(
            cell and cell == value for row in rows for cell, value in zip(header, row, strict=False)
        )
        return 0 if repeated else 55

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[Batch]:
        """Yield one batch of events for each batch of lines, or one for each family of logs in it."""
        assembler: RowAssembler | None = None
        table = _Table(report)
        opener = Opener(report, stream.mtime, limits)
        for first, lines in stream.line_batches(report, limits):
            texts = [decode(line, number, report) for number, line in enumerate(lines, first)]
            if assembler is None:
                texts, delimiter = _begin(texts)
                if not texts:
                    continue
                assembler = RowAssembler(delimiter, report, limits)
            for batch in _batches(table, assembler.rows(texts), report, limits):
                yield from opener.rows(batch) if table.carries else (batch,)
        if assembler is not None:
            for batch in _batches(table, assembler.close(), report, limits):
                yield from opener.rows(batch) if table.carries else (batch,)
        yield from opener.close()


def _is_even(header: list[str], rows: list[list[str]]) -> bool:
    """Return whether most rows have as many cells as the header, or are what Event Viewer saves."""
    even = sum(len(row) == len(header) or Viewer.wrote(header, row) for row in rows)
    return len(header) > 1 and even >= len(rows) * 0.8


def _assembled(lines: list[str], delimiter: str) -> list[list[str]]:
    """Return the whole rows among the first lines, be they of one line or of several."""
    assembler = RowAssembler(delimiter, FileReport(""), DEFAULT_LIMITS)
    return [row for _, row in assembler.rows(lines)]


def _begin(texts: list[str]) -> tuple[list[str], str]:
    """Return the lines from the header row on, and the delimiter."""
    texts[0] = texts[0].removeprefix(BOM)
    while texts and (not texts[0].strip() or texts[0].startswith(_TYPE)):
        del texts[0]
    if texts and (match := _SEP.match(texts[0].rstrip("\r"))):
        return texts[1:], match[1]
    return texts, choose_delimiter(texts[0]) if texts else ","


def _batches(
    table: _Table, rows: Iterator[tuple[int, list[str]]], report: FileReport, limits: Limits
) -> Iterator[EventBatch]:
    """Cut rows into batches; what a stray quote had swallowed may be many more than one batch of lines."""
    while taken := list(islice(rows, limits.batch_events)):
        events, records = table.events(taken)
        if events:
            yield EventBatch(report, ORIGIN.name, events, records)


READER = DelimitedReader()
