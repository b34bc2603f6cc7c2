"""How what a search found is written: whole events as NDJSON or CSV, or a short line for each.

A line has the time, the host, where the event is, and the fields in which the pattern occurs. Texts come from
logs and are untrusted: on a terminal they pass :func:`haidang.plaintext.neutralise`.
"""

from __future__ import annotations

import csv
from io import TextIOWrapper
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, cast

from haidang.events.times import format_time
from haidang.findings.outputs._json import encode
from haidang.findings.outputs.csv import harmless
from haidang.inquiry.folding import folded
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from haidang.inquiry.searching import Found

__all__ = ["COLUMNS", "write_count", "write_csv", "write_lines", "write_ndjson"]

COLUMNS = ("time", "host", "origin", "path", "record", "fields", "matched", "event")
_MOST_LINES = 3
"""Lines that a value may take on a terminal."""


def write_ndjson(stream: IO[bytes], found: Iterable[Found], *, most: int | None = None) -> int:
    """Write events whole, at most ``most``; return how many."""
    count = 0
    for count, each in enumerate(islice(found, most), 1):  # noqa: B007 -- returned
        event = each.event
        written = {
            "time": None if each.time is None else format_time(each.time),
            "host": each.host,
            "origin": event.origin,
            "source": {"path": event.report.path, "record": event.record},
            "fields": [name for name, _ in each.fields],
            "event": event.fields,
        }
        stream.write(encode(written) + b"\n")
    return count


def write_csv(stream: IO[bytes], found: Iterable[Found], *, most: int | None = None) -> int:
    """Write events as CSV (RFC 4180, UTF-8), at most ``most``; return how many. The last column is JSON."""
    text = TextIOWrapper(cast("Any", stream), encoding="utf-8", errors="backslashreplace", newline="")
    count = 0
    try:
        row = csv.writer(text).writerow
        row(COLUMNS)
        for count, each in enumerate(islice(found, most), 1):  # noqa: B007 -- returned
            event = each.event
            cells = (
                "" if each.time is None else format_time(each.time),
                each.host,
                event.origin,
                event.report.path,
                str(event.record),
                " ".join(name for name, _ in each.fields),
                "\n".join(f"{name}={value}" for name, value in each.fields),
                encode(event.fields).decode("utf-8", "backslashreplace"),
            )
            row([harmless(cell) for cell in cells])
        text.flush()
    finally:
        text.detach()
    return count


def write_lines(
    stream: IO[bytes],
    found: Iterable[Found],
    *,
    most: int | None = None,
    width: int | None = None,
    find: Callable[[str], tuple[int, int] | None] = lambda _value: None,
    colour: bool = False,
) -> int:
    """Write each event, at most ``most``; return how many.

    Without ``width`` an event is one whole line. With it, what does not fit is folded below, and of a long
    value the part around what ``find`` finds is shown.
    """
    count = 0
    for count, each in enumerate(islice(found, most), 1):  # noqa: B007 -- returned
        moment = "-" if each.time is None else format_time(each.time)
        place = f"{each.event.report.path}:{each.event.record}"
        head = "  ".join(map(neutralise, (moment, each.host or "-", place)))
        values = [_Value(name, " ".join(value.split()), find) for name, value in each.fields]
        line = "  ".join((head, *(str(value) for value in values)))
        if width is None or (len(line) <= width and not colour):
            stream.write((line + "\n").encode("utf-8", "backslashreplace"))
            continue
        lines = folded(head, width, below="    ")
        for value in values:
            lines += ["    " + part for part in value.lines(width - 4, colour=colour)]
        stream.write(("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))
    return count


class _Value:
    """One field in which the pattern occurs."""

    def __init__(self, name: str, value: str, find: Callable[[str], tuple[int, int] | None]) -> None:
        self._name = name
        self._value = value
        self._find = find

    def __str__(self) -> str:
        return neutralise(f"{self._name}={self._value}")

    def lines(self, width: int, *, colour: bool) -> list[str]:
        """Return the field folded to ``width``: of a long value what is around the occurrence."""
        value, room = self._value, max(width * _MOST_LINES - len(self._name) - 3, 40)
        found = self._find(value) or (0, 0)
        start = max(0, min(found[0] - room // 3, len(value) - room))
        shown = (
            ("…" if start else "") + value[start : start + room] + ("…" if start + room < len(value) else "")
        )
        text = f"{self._name}={shown}"
        if not colour or found[1] <= found[0]:
            return folded(neutralise(text), width)
        # The marks are set around the occurrence after folding, where it is whole in a line.
        needle = neutralise(value[found[0] : found[1]])
        lines = folded(neutralise(text), width)
        return [line.replace(needle, f"\x1b[1;31m{needle}\x1b[0m") for line in lines]


def write_count(stream: IO[bytes], found: Iterable[Found], *, most: int | None = None) -> int:
    """Write how many events there are; return it."""
    count = sum(1 for _ in islice(found, most))
    stream.write(b"%d\n" % count)
    return count
