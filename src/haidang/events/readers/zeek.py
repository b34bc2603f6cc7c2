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
from haidang.events.patterns import expression
from haidang.events.readers._lines import BOM, broken, decode
from haidang.events.readers._zeek_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "ZeekReader", "log_name", "parse_json_lines"]

ORIGIN = Origin("zeek", time_fields=("ts",), host_fields=("id.orig_h", "id_orig_h", "src"))

HEAD_LINES = 50
_NAME = expression(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def parse_json_lines(
    first: int, lines: list[bytes], report: FileReport, limits: Limits
) -> tuple[list[Fields], list[int]]:
    """Return the events of consecutive ``lines`` of JSON and the line number of each."""
    from orjson import JSONDecodeError, loads

    events: list[Fields] = []
    records: list[int] = []
    path = log_name(report.path)
    for number, line in enumerate(lines, first):
        try:
            fields = loads(line)
        except JSONDecodeError:
            fields = _second_try(number, line, report)
        if type(fields) is not dict:
            if line and not line.isspace():
                broken(report, number, "no JSON object")
            continue
        if line.count(b"{") + line.count(b"[") > limits.json_depth and _depth(fields) > limits.json_depth:
            report.note("too-deep", f"line {number}", "JSON nested too deeply", skipped=1)
            continue
        if "_path" not in fields and (name := fields.get("@stream") or path):
            fields["_path"] = name
        events.append(fields)
        records.append(number)
    return events, records


def _second_try(number: int, line: bytes, report: FileReport) -> Any:
    """Read JSON with what is not UTF-8 replaced, where only that was wrong with it."""
    from orjson import JSONDecodeError, loads

    if line.isascii():
        return None
    try:
        return loads(decode(line, number, report))
    except JSONDecodeError:
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
