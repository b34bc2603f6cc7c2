r"""The events in SQLite: for each log source of the rules, one table with the fields that its rules name.

What a logsource map says is written as SQL over the events' own fields: candidates are ``COALESCE``,
templates are ``||``, translations of values are ``CASE``. Events with the same values in all columns are one
row, which stands for their numbers.
"""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import regex

from tests.end_to_end.differential.conversion import FULLTEXT, NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from haidang.sigma.ir import LogsourceEntry

__all__ = ["Source", "connect", "text"]

_SLOT = re.compile(r"(\{[^{}]+\})")
_IS_NUMBER = r"'^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$'"


def connect() -> sqlite3.Connection:
    """Return an empty database with the REGEXP that SQLite leaves to its users."""
    database = sqlite3.connect(":memory:")
    database.create_function("regexp", 2, _search, deterministic=True)
    return database


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


def _search(pattern: str, value: str | None) -> bool | None:
    return None if value is None else _compiled(pattern).search(value) is not None


def text(value: Any) -> str | None:
    """Return a field's value as SQLite keeps it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    assert value is None or isinstance(value, str | int), "no number with a point, list or object is recorded"
    return None if value is None else str(value)


def _every_value(event: Mapping[str, Any]) -> str:
    values = (item for value in event.values() for item in (value if isinstance(value, list) else [value]))
    return "\n".join(text(item) or "" for item in values)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class _Staging:
    """The events of one entry of a map, under their own fields."""

    def __init__(self, entry: LogsourceEntry, columns: Mapping[str, str], *, keywords: bool) -> None:
        self.entry = entry
        self.names: dict[str, str] = {}
        self.rows: dict[tuple[str | None, ...], list[int]] = {}
        self._keywords = keywords
        self.mapped = {column: self._mapped(field) for field, column in columns.items()}

    def _raw(self, field: str) -> str:
        return self.names.setdefault(field, f"r{len(self.names)}")

    def _mapped(self, field: str) -> str:
        if field.endswith(NUMBER):
            value = self._mapped(field.removesuffix(NUMBER))
            return f"CASE WHEN ({value}) REGEXP {_IS_NUMBER} THEN CAST(({value}) AS NUMERIC) END"
        sources = [self._source(source) for source in self.entry.fields.get(field, (field,))]
        value = sources[0] if len(sources) == 1 else f"COALESCE({', '.join(sources)})"
        return self._translated(value, self.entry.values.get(field, {}))

    def _source(self, source: str) -> str:
        pieces = [piece for piece in _SLOT.split(source) if piece] if "{" in source else ["{" + source + "}"]
        return " || ".join(
            self._raw(piece[1:-1]) if piece.startswith("{") else _quoted(piece) for piece in pieces
        )

    @staticmethod
    def _translated(value: str, meanings: Mapping[str, str]) -> str:
        cases = []
        for seen, meant in sorted(meanings.items(), key=lambda pair: (pair[0].endswith("*"), -len(pair[0]))):
            if seen.endswith("*"):
                size = len(seen) - 1
                cases.append(
                    f"WHEN lower(substr({value}, 1, {size})) = {_quoted(seen[:-1])} "
                    f"THEN {_quoted(meant)} || substr({value}, {size + 1})"
                )
            else:
                cases.append(f"WHEN lower({value}) = {_quoted(seen)} THEN {_quoted(meant)}")
        return f"CASE {' '.join(cases)} ELSE {value} END" if cases else value

    def add(self, number: int, event: Mapping[str, Any]) -> None:
        row = tuple(text(event.get(name)) for name in self.names)
        self.rows.setdefault((*row, _every_value(event)) if self._keywords else row, []).append(number)


class Source:
    """One log source of the rules: its table, and the events that each row stands for."""

    def __init__(
        self,
        database: sqlite3.Connection,
        table: str,
        entries: Iterable[LogsourceEntry],
        columns: Mapping[str, str],
        *,
        keywords: bool,
    ) -> None:
        """Prepare a table for the fields of its rules, with the events of all ``entries``."""
        self._database = database
        self._table = table
        self._columns = columns
        self._keywords = keywords
        self.staged = [_Staging(entry, columns, keywords=keywords) for entry in entries]
        self._events: list[list[int]] = []
        self._rows: dict[int, list[int]] = {}

    def fill(self) -> int:
        """Write the table; return how many rows it has."""
        texts = [f"{column} TEXT COLLATE NOCASE" for column in self._columns.values()]
        kinds = [
            f"{column} NUMERIC" if field.endswith(NUMBER) else kind
            for (field, column), kind in zip(self._columns.items(), texts, strict=True)
        ]
        extra = [f"{FULLTEXT} TEXT"] if self._keywords else []
        self._database.execute(
            f"CREATE TABLE {self._table} ({', '.join(['row INTEGER PRIMARY KEY', *kinds, *extra])})"
        )
        for staged in self.staged:
            self._fill(staged, extra)
        return len(self._events)

    def _fill(self, staged: _Staging, extra: list[str]) -> None:
        names = [*staged.names.values(), *([FULLTEXT] if extra else [])]
        columns = ", ".join(["row INTEGER", *(f"{name} TEXT" for name in names)])
        self._database.execute(f"CREATE TEMP TABLE staged ({columns})")
        first = len(self._events)
        self._events.extend(staged.rows.values())
        self._database.executemany(
            f"INSERT INTO staged VALUES ({', '.join('?' * (len(names) + 1))})",
            ((first + at, *row) for at, row in enumerate(staged.rows)),
        )
        values = ["row", *staged.mapped.values(), *([FULLTEXT] if extra else [])]
        self._database.execute(f"INSERT INTO {self._table} SELECT {', '.join(values)} FROM staged")
        self._database.execute("DROP TABLE staged")

    def run(self, query: str, among: set[int] | None = None) -> set[int]:
        """Return the numbers of the events that a query selects, out of ``among`` when that is given."""
        if among is None:
            rows = self._database.execute(f"SELECT row FROM ({query})").fetchall()
            return {number for (row,) in rows for number in self._events[row]}
        wanted = sorted({row for number in among for row in self._rows_of(number)})
        rows = self._database.execute(
            f"SELECT row FROM ({query}) WHERE row IN ({', '.join(map(str, wanted))})"
        ).fetchall()
        return {number for (row,) in rows for number in self._events[row] if number in among}

    def _rows_of(self, number: int) -> list[int]:
        if not self._rows:
            for row, numbers in enumerate(self._events):
                for each in numbers:
                    self._rows.setdefault(each, []).append(row)
        return self._rows.get(number, [])
