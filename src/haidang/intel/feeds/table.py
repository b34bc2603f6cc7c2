"""CSV: columns of indicators, their neighbours say what is known of them.

With a header, columns are found by name (:mod:`haidang.intel.feeds._columns`); without one, the first cell of
a row that has the shape of an indicator is it. Lines that begin with ``#`` are comments, and before the first
row ``;`` too, but for a header that is written in one. Input is not trusted.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from haidang.intel.feeds._columns import add_row, columns_of
from haidang.intel.feeds._entries import add, cut
from haidang.intel.model import Reading
from haidang.intel.observables import indicator_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.limits import Limits

__all__ = ["FEED"]

_DELIMITERS = ",;\t|"
_LOOKED_AT = 30


class _Table:
    name = "csv"
    title = "CSV: a column of indicators, others say what is known of them"

    def recognises(self, data: bytes) -> int:
        rows = list(_rows(data[:65536]))[:_LOOKED_AT]
        if sum(len(row) > 1 for row in rows) * 2 <= len(rows):
            return 0
        if columns_of(rows[0]):
            return 70
        return 55 if sum(_by_shape(row) is not None for row in rows) > len(rows) / 2 else 0

    def read(self, data: bytes, limits: Limits) -> Reading:
        reading = Reading()
        columns: dict[str, list[int]] | None = None
        for number, row in enumerate(_rows(data), start=1):
            if columns is None:
                columns = columns_of(row)
                if columns:
                    continue
            if columns:
                add_row(reading, limits, f"row {number}", _cells(row, columns))
            elif (found := _by_shape(row)) is not None:
                add(reading, limits, *found)
            else:
                reading.refuse(f"row {number}: {cut(' '.join(row))}", "no cell has the shape of an indicator")
        return reading


def _cells(row: Sequence[str], columns: dict[str, list[int]]) -> dict[str, list[str]]:
    return {
        meaning: [row[at].strip() for at in places if at < len(row) and row[at].strip()]
        for meaning, places in columns.items()
    }


def _rows(data: bytes) -> Iterator[list[str]]:
    """Yield the rows that are no comment; a header may be written as the last comment before them."""
    lines = data.decode("utf-8", "replace").splitlines()
    comment = ""
    begin = 0
    while begin < len(lines) and _is_comment(lines[begin]):
        comment = lines[begin].lstrip("# ") or comment
        begin += 1
    head = [comment] if any(mark in comment for mark in _DELIMITERS) else []
    sample = lines[begin : begin + _LOOKED_AT]
    delimiter = max(_DELIMITERS, key=lambda mark: sum(mark in line for line in sample))
    if head and not columns_of(next(iter(_parsed(head, delimiter)), [])):
        head = []
    yield from _parsed(
        [*head, *(line for line in lines[begin:] if not line.lstrip().startswith("#"))], delimiter
    )


def _is_comment(line: str) -> bool:
    """Return whether a line before the first row is none; later on, ``;`` may end an empty cell."""
    bare = line.lstrip()
    return not bare or bare.startswith(("#", "; "))


def _parsed(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    rows = csv.reader((line.replace("\0", "") for line in lines), delimiter=delimiter, skipinitialspace=True)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            continue
        if any(cell.strip() for cell in row):
            yield row


def _by_shape(row: Sequence[str]) -> tuple[str, str] | None:
    return next((found for cell in row if (found := indicator_of(cell)) is not None), None)


FEED = _Table()
