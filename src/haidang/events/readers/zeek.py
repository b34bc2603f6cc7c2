r"""Zeek logs: tab-separated with their ``#`` header, and JSON lines.

Rules of this module:

- A header counts until the next one, so that concatenated files are read; ``#separator``,
  ``#set_separator``, ``#empty_field``, ``#unset_field``, ``#path``, ``#fields`` and ``#types`` are obeyed.
- A row with too few or too many columns, and JSON that is no object, is noted and skipped.
- ``\x09`` and its like in text are undone. A number that does not read as one stays text.
- Input is untrusted.

Fields (origin ``zeek``): those of the log by their names, with the dot (``id.orig_h``); an unset field
(``-``) is absent.

    time, interval, double     float (``ts`` is epoch seconds)
    count, int, port           int
    bool                       true or false
    set, vector                list; empty where the log says ``(empty)``
    anything else              text
    _path                      which log it is (conn, dns, http …): ``#path``, JSON ``_path`` or ``@stream``,
                               else the name of the file up to its first dot
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.readers._lines import BOM, broken, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "Table", "ZeekReader", "log_name", "parse_json_lines"]

ORIGIN = Origin("zeek", time_fields=("ts",), host_fields=("id.orig_h", "id_orig_h", "src"))

HEAD_LINES = 50
_ESCAPES = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
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
        events: list[Fields] = []
        records: list[int] = []
        rows: list[list[str]] = []
        escaped: list[int] = []
        for number, line in enumerate(lines, first):
            text = decode(line, number, self._report)
            if text[-1:] == "\r":
                text = text[:-1]
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

    def _events(self, rows: list[list[str]]) -> list[Fields]:
        """Convert rows column by column, which costs half of what row by row does."""
        if not rows:
            return []
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for index, convert in self._converters:
            columns[index] = self._converted(columns[index], convert)
        names = self._names
        if self._path:
            names = [*names, "_path"]
            columns.append([self._path] * len(rows))
        unset = self._unset
        return [
            {name: value for name, value in zip(names, values, strict=True) if value != unset}
            if unset in values
            else dict(zip(names, values, strict=True))
            for values in zip(*columns, strict=True)
        ]

    def _converted(self, column: Iterable[str], convert: Callable[[str], Any]) -> list[Any]:
        try:
            return list(map(convert, column))
        except (KeyError, ValueError):
            return [value if value == self._unset else _number(value, convert) for value in column]

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


def parse_json_lines(
    first: int, lines: list[bytes], report: FileReport, limits: Limits
) -> tuple[list[Fields], list[int]]:
    """Return the events of consecutive ``lines`` of JSON and the line number of each."""
    events: list[Fields] = []
    records: list[int] = []
    path = log_name(report.path)
    for number, line in enumerate(lines, first):
        fields = _loads(number, line, report)
        if fields is None:
            continue
        if line.count(b"{") + line.count(b"[") > limits.json_depth and _depth(fields) > limits.json_depth:
            report.note("too-deep", f"line {number}", "JSON nested too deeply", skipped=1)
            continue
        if "_path" not in fields and (name := fields.get("@stream") or path):
            fields["_path"] = name
        events.append(fields)
        records.append(number)
    return events, records


def _loads(number: int, line: bytes, report: FileReport) -> Fields | None:
    from orjson import JSONDecodeError, loads

    try:
        fields = loads(line)
    except JSONDecodeError:
        try:
            # Only what is not UTF-8 may have been wrong with it.
            fields = loads(decode(line, number, report))
        except JSONDecodeError:
            if line and not line.isspace():
                broken(report, number, "not JSON")
            return None
    if type(fields) is dict:
        return fields
    broken(report, number, "JSON, but no object")
    return None


def _depth(value: Any) -> int:
    """Return how deeply ``value`` is nested, without recursion."""
    depth = 0
    level = [value]
    while level:
        depth += 1
        inner = [list(item.values()) if isinstance(item, dict) else item for item in level]
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
    return depth


def log_name(path: str) -> str:
    """Return what a log is called by its file: ``…/conn.11:00:00-12:00:00.log.gz`` is conn."""
    base = re.split(r"[/\\!]", path)[-1]
    match = _NAME.match(base)
    return match[0] if match else ""


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


def _is_json_log(line: str) -> bool:
    """Return whether a line of JSON has what every Zeek stream has, and hardly anything else."""
    if not line.startswith("{") or '"ts"' not in line:
        return False
    return (
        '"_path"' in line
        or '"@stream"' in line
        or ('"uid"' in line and ('"id.orig_h"' in line or '"id_orig_h"' in line))
    )


class ZeekReader:
    """Reads Zeek logs of both kinds."""

    name = "zeek"
    title = "Zeek (TSV and JSON)"
    origins: tuple[Origin, ...] = (ORIGIN,)
    splittable = False
    """The header of a tab-separated log says how all of it is to be read."""

    def recognises(self, head: Head) -> int:
        """Return 100 for the header of a tab-separated log, 90 where most lines are Zeek's JSON."""
        lines = head.lines[:HEAD_LINES]
        if not lines:
            return 0
        begin = lines[0].removeprefix(BOM)
        if begin.startswith("#separator ") or (
            begin.startswith(("#set_separator", "#path", "#fields"))
            and any(line.startswith("#fields\t") for line in lines[:10])
        ):
            return 100
        return 90 if sum(map(_is_json_log, lines)) * 2 > len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        table = Table(log_name(report.path), report, limits)
        json: bool | None = None
        for first, lines in stream.line_batches(report, limits):
            if json is None:
                lines = [lines[0].removeprefix(BOM.encode()), *lines[1:]]  # noqa: PLW2901 - the BOM goes
                begin = next((line for line in lines if line.strip()), None)
                json = None if begin is None else begin.lstrip()[:1] == b"{"
            if json:
                events, records = parse_json_lines(first, lines, report, limits)
            else:
                events, records = table.rows(first, lines)
            if events:
                yield EventBatch(report, ORIGIN.name, events, records)


READER = ZeekReader()
