"""JSON lines: one object a line, as shippers, exports and most products write.

Rules of this module:

- Lines are handed over undecoded; what cannot be decoded is the detector's to note.
- A line of syslog whose message is an object is such a line where it is an event of Windows, as NXLog sends
  them, or of a product of the cloud; any other is left to syslog, for the header says more than the object.
- NUL bytes before an object, which files that were being written during a crash are padded with, are removed.
- Input is untrusted.

Fields: those of the objects. Windows events are recognised by their shape (origin ``windows``), others by
the logsource maps; what is left is origin ``json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events import shapes
from haidang.events.lines import Lines
from haidang.events.model import DocumentBatch, Origin
from haidang.events.readers._lines import COOKIE
from haidang.events.shapes import WINDOWS, decoded_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Fields, FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "JsonLinesReader", "NdjsonReader"]

ORIGIN = Origin(
    "json",
    time_fields=("@timestamp", "timestamp", "time", "eventTime", "ts", "_time", "datetime", "date"),
    host_fields=("host", "hostname", "computer", "Computer", "Hostname", "host.name"),
)

_HEAD_LINES = 100
_KNOWN = (
    ("eventSource", "eventName"),
    ("auditID", "verb"),
    ("protoPayload", "logName"),
    ("eventType", "published"),
    ("Workload", "Operation"),
    ("logtype", "logdata", "node_id"),
)
"""Members of events of products whose collectors put nothing of worth around them."""


class JsonLinesReader:
    """Reads JSON lines, of whichever format."""

    name: str
    title: str
    origins: tuple[Origin, ...]
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
            if b"\0" in lines.data if isinstance(lines, Lines) else min(lines) < b"\x01":
                lines = [line.lstrip(b"\x00") for line in lines]  # noqa: PLW2901 - the padding goes
            yield DocumentBatch(report, lines, range(first, first + len(lines)))


class NdjsonReader(JsonLinesReader):
    """Reads JSON lines of which nothing else is known, and finds them in syslog."""

    name = "ndjson"
    title = "JSON lines (NDJSON)"
    origins: tuple[Origin, ...] = (ORIGIN, WINDOWS)

    def carries(self, program: str, start: str) -> bool:  # noqa: ARG002 - whatever the program
        """Return True for messages that may be an object."""
        return start in {"{", "@"}

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the object in a line of syslog, where it says all by itself."""
        message: str = event["message"].removeprefix(COOKIE).strip()
        if not (message.startswith("{") and message.endswith("}")):
            return None
        found = decoded_object(message)
        if found is None:
            return None
        inner = shapes.unwrap(found)[1]
        if shapes.recognise(inner) or any(all(name in inner for name in names) for names in _KNOWN):
            return found
        return None


READER = NdjsonReader()
