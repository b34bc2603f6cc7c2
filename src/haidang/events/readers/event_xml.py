"""Windows events as XML: what Event Viewer and ``wevtutil`` export, and what collectors write, one a line.

Rules of this module:

- Each ``<Event>`` element is one event, whether ``<Events>`` is around them or nothing is. They are cut out
  of the stream and parsed one by one, so that memory is bounded and nothing outside them means anything.
- An event that is no XML, one that a next begins in, and text between events are noted; reading goes on. One
  that is longer than ``limits.line_bytes`` is skipped and noted.
- UTF-16, in which Windows tools write, is read as well.
- Input is untrusted; there are no entities but those of XML itself.

Fields (origin ``windows``): those of EVTX, see :mod:`haidang.events.shapes`; all values are text. Events are
counted from 1.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers._event_xml import EventXmlError, parse_event
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "EventXmlReader"]

_END = b"</Event>"
_START = expression(rb"<Event(?=[\s>])")
# Some tools number the records; a browser shows a `-` before what can be folded.
_BETWEEN = expression(
    rb"(?:\s++|Record \d{1,20}(?=\s)|<\?xml[^>]*+>|</?Events(?=[\s>])[^>]*+>|<!--[^>]*+>"
    rb"|-(?=\s*+(?:<|\Z)))*+\Z"
)
_BEGIN = expression(
    r"\s*+(?:Record \d{1,20}\s++)?(?:<\?xml[^>]{0,200}>\s*+)?(?:<!--[^>]{0,1000}>\s*+)?"
    r"(?:(?:- ?)?<Events(?=[\s>])[^>]{0,1000}>\s*+)?(?:- ?)?<Event(?=[\s>])"
)
_SCHEMA = "http://schemas.microsoft.com/win/2004/08/events"


class EventXmlReader:
    """Reads Windows events in XML."""

    name = "event-xml"
    title = "Windows event XML (Event Viewer, wevtutil)"
    origins: tuple[Origin, ...] = (WINDOWS,)
    splittable = False
    """An event may span lines."""

    def recognises(self, head: Head) -> int:
        """Return 95 where the first element is an event of that schema, or one with a System part."""
        if "<Event" not in head.text[:4096]:
            return 0
        text = head.text[:8192]
        return 95 if _BEGIN.match(text) and (_SCHEMA in text or "<System>" in text) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield the events in batches."""
        cutter = _Cutter(report, limits)
        events: list[Fields] = []
        records: list[int] = []
        size = 0
        for number, fragment in cutter.fragments(stream.text_blocks()):
            try:
                events.append(parse_event(fragment, partial(_note_replaced, report, number)))
            except EventXmlError as error:
                report.note("broken-record", f"record {number}", f"{error}.", skipped=1)
                continue
            records.append(number)
            size += len(fragment)
            if len(events) >= limits.batch_events or size >= limits.batch_bytes:
                yield EventBatch(report, WINDOWS.name, events, records)
                events, records = [], []
                size = 0
        if events:
            yield EventBatch(report, WINDOWS.name, events, records)


def _note_replaced(report: FileReport, number: int) -> None:
    report.note("invalid-utf8", f"record {number}", "not UTF-8; read with replacement characters")


class _Cutter:
    """Cuts event elements out of blocks of bytes."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        self._report = report
        self._most = limits.line_bytes
        self._number = 0

    def fragments(self, blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield each element with its number."""
        pending: list[bytes] = []
        size = 0
        tail = b""
        is_cut = False
        for block in blocks:
            seen = tail + block
            tail = seen[1 - len(_END) :]
            pending.append(block)
            size += len(block)
            if _END in seen:
                parts = b"".join(pending).split(_END)
                pending = [parts.pop()]
                size = len(pending[0])
                for part in parts:
                    if is_cut or len(part) > self._most:
                        self._skip_long()
                        is_cut = False
                    else:
                        yield from self._element(part)
            if size > self._most:
                # What is left of it is dropped up to its end, of which the beginning may be here.
                is_cut = True
                pending = [tail]
                size = len(tail)
        if is_cut:
            self._skip_long()
        else:
            self._close(b"".join(pending))

    def _element(self, part: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the element that ends here; note what stands before it."""
        starts = [match.start() for match in _START.finditer(part)]
        if not starts:
            self._note("broken-record", "the end of an event without its beginning", skipped=1)
            return
        if _BETWEEN.match(part, 0, starts[0]) is None:
            self._note("broken-line", "text between events", skipped=0, ahead=1)
        for _ in starts[1:]:
            self._note("broken-record", "an event that does not end before the next begins", skipped=1)
        self._number += 1
        yield self._number, part[starts[-1] :] + _END

    def _skip_long(self) -> None:
        self._note("oversized-line", f"an event longer than {self._most} bytes", skipped=1)

    def _close(self, rest: bytes) -> None:
        """Note what is left at the end of the file."""
        starts = _START.findall(rest)
        if starts:
            self._note("truncated", "the file ends within an event", skipped=1)
        elif _BETWEEN.match(rest) is None:
            self._note("broken-line", "text after the last event", skipped=0, ahead=1)

    def _note(self, kind: str, detail: str, *, skipped: int, ahead: int = 0) -> None:
        """Note a fault of the next event, which counts as one where it is skipped."""
        self._number += skipped
        self._report.note(kind, f"record {self._number + ahead}", f"{detail}.", skipped=skipped)


READER = EventXmlReader()
