"""What readers of products share whose records travel through syslog, and also stand in files of their own.

Rules of this module:

- Lines with the name of a host in a syslog header were written by a collector, which writes whatever it
  gets: such files are left to the syslog reader, which asks every product about each line. A file is a
  product's own where at least half of its first lines are its records, without header or with a time alone.
- What else is in such a file is handed over as syslog, or as plain text that is noted.

Input is untrusted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from haidang.events.readers import syslog
from haidang.events.readers._lines import BOM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import EventBatch, Fields, FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ProductReader", "envelope", "text_of"]

HEAD_LINES = 100
SURE = 93
"""Surer than syslog, for these records say more; less sure than a signature."""


class ProductReader:
    """The parts that are the same for every product; a reader adds what its records look like."""

    name: str
    title: str
    origins: tuple[Origin, ...]
    splittable = True
    """Each line says all by itself, so that several processes may share one large file."""

    def carries(self, program: str, start: str) -> bool:
        """Return whether a line of that program, or a message of that start, may be a record."""
        raise NotImplementedError

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record in a line of syslog, None where it is none of this product."""
        raise NotImplementedError

    def recognises(self, head: Head) -> int:
        """Return 93 where at least half of the first lines are records that no collector wrote."""
        lines = head.lines[:HEAD_LINES]
        own = sum(map(self._is_own, lines))
        return SURE if own and own * 2 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield the records of each batch of lines, then what else is there."""
        yield from syslog.read_lines(stream, report, limits, (self,))

    def _is_own(self, line: str) -> bool:
        event = _header(line)
        return (
            "hostname" not in event
            and self.carries(event.get("program", ""), event["message"][:1])
            and self.parse_message(event) is not None
        )


@lru_cache(maxsize=2 * HEAD_LINES)
def _header(line: str) -> Fields:
    """Return the fields of a line; every product looks at the same first lines of a file."""
    line = line.removeprefix(BOM)
    return syslog.parse_line(line) or text_of(line)


def text_of(line: str) -> Fields:
    """Return the fields of a line of which nothing is known."""
    return {"message": line, "raw": line}


def envelope(event: Fields) -> Fields:
    """Return a new event of what the header of a line says: all but the message, which a record replaces."""
    fields = dict(event)
    del fields["message"]
    return fields
