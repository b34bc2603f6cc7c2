"""Tab-separated Zeek logs: the header that counts, and rows read by it.

Rules of this module:

- The header's lines may change anything in the middle of a file, as in files that were put together.
- Columns are converted by ``#types``; a cell that does not read as its type stays text.
- A row of another width than ``#fields`` is noted and skipped.

Input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.events.patterns import expression
from haidang.events.readers._lines import broken, decode_all

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

    from haidang.events.model import Fields, FileReport
    from haidang.limits import Limits

__all__ = ["Table"]

_ESCAPES = expression(r"(?:\\x[0-9A-Fa-f]{2})+")
_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "time": float,
    "interval": float,
    "double": float,
    "count": int,
    "int": int,
    "port": int,
    "bool": {"T": True, "F": False}.__getitem__,
}


class Table:
    """The header that counts, and rows read by it."""

    def __init__(self, path: str, report: FileReport, limits: Limits) -> None:
        """Begin without a header; ``path`` is the log's name until a ``#path`` says another."""
        self._report = report
        self._columns = limits.columns
        self._separator = "\t"
        self._set_separator = ","
        self._empty = "(empty)"
        self._unset = "-"
        self._path = path
        self._names: list[str] = []
        self._converters: list[tuple[int, Callable[[str], Any]]] = []

    def rows(self, first: int, lines: list[bytes]) -> tuple[list[Fields], list[int]]:
        """Return the events of consecutive ``lines`` and the line number of each."""
        texts = decode_all(lines, first, self._report)
        rows = self._plain_rows(lines, texts)
        if rows is not None:
            return self._events(rows), list(range(first, first + len(rows)))
        events: list[Fields] = []
        records: list[int] = []
        rows = []
        escaped: list[int] = []
        for number, text in enumerate(texts, first):
            if text[-1:] == "\r":
                text = text[:-1]  # noqa: PLW2901 - the line goes on without its end
            if text[:1] == "#":
                events += self._events(rows)
                rows = []
                self._header(text)
                continue
            # One more than the header names is enough to see that there are too many.
            values = text.split(self._separator, len(self._names))
            if len(values) == len(self._names):
                if "\\x" in text:
                    escaped.append(len(records))
                rows.append(values)
                records.append(number)
            elif text and not text.isspace():
                broken(self._report, number, f"not the {len(self._names)} columns that the header names")
        events += self._events(rows)
        for index in escaped:
            events[index] = {name: _unescaped(value) for name, value in events[index].items()}
        return events, records

    def _plain_rows(self, lines: list[bytes], texts: list[str]) -> list[list[str]] | None:
        """Return the cells of all lines where they are rows without anything special, as nearly always."""
        wide = len(self._names)
        whole = b"\n".join(lines)
        if not wide or whole[:1] == b"#" or any(mark in whole for mark in (b"\n#", b"\\x", b"\r")):
            return None
        separator = self._separator
        rows = [text.split(separator, wide) for text in texts]
        return rows if set(map(len, rows)) == {wide} else None

    def _events(self, rows: list[list[str]]) -> list[Fields]:
        """Convert rows column by column, which costs a third of what row by row does."""
        if not rows:
            return []
        written = list(zip(*rows, strict=True))
        columns: list[Sequence[Any]] = list(written)
        for index, convert in self._converters:
            columns[index] = self._converted(columns[index], convert)
        names = self._names
        if self._path:
            names = [*names, "_path"]
            columns.append([self._path] * len(rows))
        # The rows are as wide as the header; having zip() check that again would cost a third of the time.
        events = [dict(zip(names, values)) for values in zip(*columns, strict=True)]  # noqa: B905
        unset = self._unset
        for name, column in zip(names, written, strict=False):
            if unset in column:
                for fields, value in zip(events, column, strict=True):
                    if value == unset:
                        fields.pop(name, None)
        return events

    def _converted(self, column: Sequence[str], convert: Callable[[str], Any]) -> Sequence[Any]:
        """Convert one column; what stands for an unset cell does not matter."""
        if convert is int or convert is float:
            numbers = self._numbers(column, convert)
            if numbers is not None:
                return numbers
        try:
            return list(map(convert, column))
        except (KeyError, ValueError):
            return [_number(value, convert) for value in column]

    def _numbers(self, column: Sequence[str], kind: type) -> list[Any] | None:
        """Read a column of numbers at once, as JSON; None where that would read any of it differently."""
        from orjson import JSONDecodeError, loads

        if self._unset in column:
            zero = str(kind(0))
            column = [zero if value == self._unset else value for value in column]
        try:
            numbers: list[Any] = loads(f"[{','.join(column)}]")
        except JSONDecodeError:
            return None
        return numbers if len(numbers) == len(column) and set(map(type, numbers)) == {kind} else None

    def _list_of(self, item: Callable[[str], Any] | None) -> Callable[[str], Any]:
        """Return what reads a set or vector, by the separators that count when it is called."""

        def convert(text: str) -> Any:
            if text == self._empty:
                return []
            if text == self._unset:
                return text
            parts = text.split(self._set_separator)
            return [_number(part, item) for part in parts] if item else parts

        return convert

    def _header(self, text: str) -> None:
        """Take a line of the header; ``#open``, ``#close`` and what nobody knows say nothing."""
        name, _, value = text.partition(" " if text.startswith("#separator ") else self._separator)
        if name == "#separator":
            self._separator = _unescaped(value) or "\t"
        elif name == "#set_separator":
            self._set_separator = _unescaped(value) or ","
        elif name == "#empty_field":
            self._empty = value
        elif name == "#unset_field":
            self._unset = value
        elif name == "#path":
            self._path = value
        elif name == "#fields":
            self._names = value.split(self._separator, self._columns)[: self._columns]
            self._set_types([])
        elif name == "#types":
            self._set_types(value.split(self._separator, self._columns))

    def _set_types(self, types: list[str]) -> None:
        self._converters = []
        for index, kind in enumerate(types[: len(self._names)]):
            if kind.startswith(("set[", "vector[", "table[")):
                item = _CONVERTERS.get(kind[kind.index("[") + 1 :].rstrip("]"))
                self._converters.append((index, self._list_of(item)))
            elif kind in _CONVERTERS:
                self._converters.append((index, _CONVERTERS[kind]))


def _number(text: str, convert: Callable[[str], Any]) -> Any:
    try:
        return convert(text)
    except (KeyError, ValueError):
        return text


def _unescaped(value: Any) -> Any:
    if isinstance(value, str):
        return _ESCAPES.sub(_bytes_of, value) if "\\x" in value else value
    return [_unescaped(item) for item in value] if isinstance(value, list) else value


def _bytes_of(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("\\x", "")).decode("utf-8", "replace")
