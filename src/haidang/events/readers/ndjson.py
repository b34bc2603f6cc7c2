"""JSON lines: one object a line, as shippers, exports and most products write.

Rules of this module:

- Lines are handed over undecoded; what cannot be decoded is the detector's to note.
- NUL bytes before an object, which files that were being written during a crash are padded with, are removed.
- Input is untrusted.

Fields: those of the objects. Windows events are recognised by their shape (origin ``windows``), others by
the logsource maps; what is left is origin ``json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.model import DocumentBatch, Origin
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "NdjsonReader"]

ORIGIN = Origin(
    "json",
    time_fields=("@timestamp", "timestamp", "time", "eventTime", "ts", "_time", "datetime", "date"),
    host_fields=("host", "hostname", "computer", "Computer", "Hostname", "host.name"),
)

_HEAD_LINES = 100


class NdjsonReader:
    """Reads JSON lines."""

    name = "ndjson"
    title = "JSON lines (NDJSON)"
    origins: tuple[Origin, ...] = (ORIGIN, WINDOWS)
    splittable = True
    """Whether any part of a file can be read without what comes before it."""

    def recognises(self, head: Head) -> int:
        """Return 70 where at least a third of the first lines are an object each."""
        lines = [line.strip("\x00 \t\r") for line in head.lines[:_HEAD_LINES]]
        objects = sum(line.startswith("{") and line.endswith("}") for line in lines)
        return 70 if objects and objects * 3 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[DocumentBatch]:
        """Yield the lines as they are."""
        for first, lines in stream.raw_line_batches(report, limits):
            # Padding (and the empty place of a line that was dropped) sorts before any object.
            if min(lines) < b"\x01":
                lines = [line.lstrip(b"\x00") for line in lines]  # noqa: PLW2901 - the padding goes
            yield DocumentBatch(report, lines, range(first, first + len(lines)))


READER = NdjsonReader()
