"""An example to copy: a reader for a made-up format with four columns.

    HDX1|2026-01-31T08:00:00Z|ws-07|Sign-in of user lan failed

To read a format of your own, copy this file to ``events/readers/<name>.py`` and change it; copy its test
(``tests/events/readers/test_example.py``) and its sample (``tests/events/readers/samples/example/``), too.
There is no list to add it to.

A docstring like this one states the rules, and the fields:

- A line that is not of the format is noted with its number and skipped; blank lines are passed over.
- Input is untrusted.

Fields (origin ``example``):

    time      as written
    host      as written
    message   the rest of the line, bars included
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.readers._lines import broken, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "ExampleReader"]

# Logs that share field names share an origin: logsource maps speak of it by this name.
ORIGIN = Origin("example", time_fields=("time",), host_fields=("host",))

_MARK = "HDX1|"


class ExampleReader:
    """Reads the made-up format."""

    name = "example"
    title = "Example (HDX1)"
    origins: tuple[Origin, ...] = (ORIGIN,)
    splittable = True
    """Each line says all by itself, so that several processes may share one large file."""

    def recognises(self, head: Head) -> int:
        """Return 95 where the first line begins with the mark, which nothing else does."""
        return 95 if head.lines and head.lines[0].startswith(_MARK) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            for number, line in enumerate(lines, first):
                columns = decode(line, number, report).split("|", 3)
                if len(columns) == 4 and columns[0] == "HDX1":
                    _, time, host, message = columns
                    events.append({"time": time, "host": host, "message": message})
                    records.append(number)
                elif line.strip():
                    broken(report, number, "not of the form HDX1|time|host|message")
            if events:
                yield EventBatch(report, ORIGIN.name, events, records)


READER = ExampleReader()
