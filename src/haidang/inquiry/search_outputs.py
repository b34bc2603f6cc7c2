"""How what a search found is written: whole events as NDJSON, or a short line for each.

A line has the time, the host, where the event is, and the fields in which the pattern occurs. Texts come from
logs and are untrusted: on a terminal they pass :func:`haidang.plaintext.neutralise`.
"""

from __future__ import annotations

from itertools import islice
from typing import IO, TYPE_CHECKING

from haidang.events.times import format_time
from haidang.findings.outputs._json import encode
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.inquiry.searching import Found

__all__ = ["write_count", "write_lines", "write_ndjson"]


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


def write_lines(
    stream: IO[bytes], found: Iterable[Found], *, most: int | None = None, width: int | None = None
) -> int:
    """Write a line for each event, at most ``most``, cut at ``width`` columns; return how many."""
    count = 0
    for count, each in enumerate(islice(found, most), 1):  # noqa: B007 -- returned
        moment = "-" if each.time is None else format_time(each.time)
        values = "  ".join(f"{name}={' '.join(value.split())}" for name, value in each.fields)
        place = f"{each.event.report.path}:{each.event.record}"
        line = "  ".join(map(neutralise, (moment, each.host or "-", place, values)))
        if width is not None and len(line) > width:
            line = line[: max(width - 1, 1)] + "…"
        stream.write((line + "\n").encode("utf-8", "backslashreplace"))
    return count


def write_count(stream: IO[bytes], found: Iterable[Found], *, most: int | None = None) -> int:
    """Write how many events there are; return it."""
    count = sum(1 for _ in islice(found, most))
    stream.write(b"%d\n" % count)
    return count
