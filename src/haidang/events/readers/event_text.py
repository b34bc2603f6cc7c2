r"""Windows events as text: as ``wevtutil`` prints, as Event Viewer copies, and as Splunk renders them.

    Event[0]:                                   05/11/2026 10:14:15 AM
      Log Name: Security                        LogName=Security
      Source: Microsoft-Windows-…               EventCode=4688
      Date: 2026-05-11T10:14:15.123             ComputerName=PC01
      Event ID: 4688                            Message=A new process has been created.
      Description:                              …
    A new process has been created.

Rules of this module:

- An event begins at its number, at ``Log Name:`` or at a time above ``LogName=``, and ends where the next
  begins: a message may hold anything else, line ends too.
- Of a message, ``limits.line_bytes`` characters are kept; that there was more is noted.
- What comes before the first event is handed over as plain text, and noted.
- A time without a zone is local; the time in UTC that an event of Sysmon tells comes before it.
- Input is untrusted.

Fields (origin ``windows``): those of the header by the names of Windows (``Channel``, ``EventID`` …),
``Message``, and what the message says. Events are counted from 1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from haidang.events import shapes
from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers import text
from haidang.events.readers._lines import BOM, broken, decode
from haidang.events.rendered import add_rendered
from haidang.events.rendered_messages import message_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "EventTextReader"]

_Item = TypeVar("_Item")
_NUMBER = expression(r"Event\[\d{1,10}\]:?\s*\Z", re.ASCII)
_LOG_NAME = expression(r" {0,2}Log Name:\s*+\S")
_PAIR = expression(r" {0,2}([A-Z][A-Za-z ]{1,20}):(?:\s++(.*))?\Z", re.DOTALL)
_CLOCK = expression(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d[^\n]{0,20}\Z", re.ASCII)
_SPLUNK = "LogName="
_NAMES = {
    "Log Name": "Channel",
    "Source": "Provider_Name",
    "Date": "EventTime",
    "Event ID": "EventID",
    "Task": "TaskCategory",
    "Task Category": "TaskCategory",
    "Level": "Level",
    "Opcode": "Opcode",
    "Keyword": "Keywords",
    "Keywords": "Keywords",
    "User": "UserID",
    "User Name": "UserName",
    "Computer": "Computer",
}


class _Event:
    """One event while its lines come in."""

    def __init__(self, time: str = "", *, is_splunk: bool = False) -> None:
        self.fields: Fields = {"EventTime": time} if time else {}
        self.is_splunk = is_splunk
        self.message: list[str] | None = None
        self.size = 0

    def add(self, line: str, most: int) -> bool:
        """Take one more line; return whether there was room for it."""
        if self.message is not None:
            self.size += len(line)
            if self.size > most:
                return False
            self.message.append(line)
        elif self.is_splunk:
            name, is_pair, value = line.partition("=")
            if name == "Message":
                self.message = [value]
            elif is_pair:
                self.fields[name] = value
        elif (match := _PAIR.match(line)) is not None:
            name, value = match[1], (match[2] or "").strip()
            if name == "Description":
                self.message = [value] if value else []
            elif name in _NAMES and value not in {"", "N/A"}:
                self.fields[_NAMES[name]] = value
        return True

    def finished(self) -> Fields:
        """Return the fields of the whole event."""
        message = "\n".join(self.message or ()).strip()
        if message:
            self.fields["Message"] = message
        if self.is_splunk:
            shape = shapes.recognise(self.fields)
            return shapes.flatten(shape, self.fields) if shape else self.fields
        if str(self.fields.get("EventTime", "")).endswith("Z"):
            self.fields["TimeCreated"] = self.fields.pop("EventTime")
        return add_rendered({**message_fields(message), **self.fields})


class EventTextReader:
    """Reads Windows events in text."""

    name = "event-text"
    title = "Windows events as text (wevtutil, Event Viewer, Splunk)"
    origins: tuple[Origin, ...] = (shapes.WINDOWS, text.ORIGIN)
    splittable = False
    """An event spans lines."""

    def recognises(self, head: Head) -> int:
        """Return 91 where the first lines begin an event."""
        lines = [line.removeprefix(BOM) for line in head.lines[:2]]
        if not lines:
            return 0
        first, second = lines[0], lines[1] if len(lines) > 1 else ""
        begins = _NUMBER.match(first) is not None and _LOG_NAME.match(second) is not None
        copied = _LOG_NAME.match(first) is not None and second.startswith("Source:")
        rendered = _CLOCK.match(first) is not None and second.startswith(_SPLUNK)
        return 91 if begins or copied or rendered else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield the events in batches."""
        cutter = _Cutter(report, limits.line_bytes)
        events: list[Fields] = []
        count = 0
        for first, lines in stream.line_batches(report, limits):
            for number, raw in enumerate(lines, first):
                line = decode(raw, number, report).removeprefix(BOM).strip("\x00").rstrip("\r\n")
                events += cutter.take(line, number)
            yield from cutter.strays(limits.batch_events)
            for some in _cut(events, limits.batch_events):
                records = range(count + 1, count + len(some) + 1)
                yield EventBatch(report, shapes.WINDOWS.name, some, records)
                count += len(some)
            events = []
        cutter.close()
        yield from cutter.strays(limits.batch_events)
        if cutter.event is not None:
            yield EventBatch(report, shapes.WINDOWS.name, [cutter.event.finished()], [count + 1])


class _Cutter:
    """Tells where an event begins."""

    def __init__(self, report: FileReport, most: int) -> None:
        self._report = report
        self._most = most
        self._strays: list[tuple[int, str]] = []
        self._clock = ""
        self._last = 0
        self.event: _Event | None = None

    def take(self, line: str, number: int) -> list[Fields]:
        """Take one more line; return the event that ends before it, if one does."""
        done: list[Fields] = []
        clock, self._clock = self._clock, ""
        if line.startswith(_SPLUNK) and (clock or self.event is None):
            done = self._end()
            self.event = _Event(clock, is_splunk=True)
        else:
            if clock:
                self._add(clock, number - 1)
            if _CLOCK.match(line):
                # It begins an event of Splunk, or is of a message: the next line tells.
                self._clock, self._last = line, number
                return done
            if _NUMBER.match(line) or (_LOG_NAME.match(line) and not self._is_numbered()):
                done = self._end()
                self.event = _Event()
        self._add(line, number)
        return done

    def _is_numbered(self) -> bool:
        """Return whether the event has just begun, at its number."""
        return self.event is not None and not self.event.fields and self.event.message is None

    def _add(self, line: str, number: int) -> None:
        if self.event is None:
            if line.strip():
                broken(self._report, number, "no event; read as plain text", skipped=0)
                self._strays.append((number, line))
        elif not self.event.add(line, self._most):
            self._report.note("oversized-line", f"line {number}", f"longer than {self._most} bytes")

    def _end(self) -> list[Fields]:
        return [] if self.event is None else [self.event.finished()]

    def close(self) -> None:
        """Say that nothing follows."""
        if self._clock:
            self._add(self._clock, self._last)

    def strays(self, most: int) -> Iterator[EventBatch]:
        """Yield what came before the first event, in batches of at most so many."""
        for some in _cut(self._strays, most):
            events: list[Fields] = [{"message": line} for _, line in some]
            yield EventBatch(self._report, text.ORIGIN.name, events, [number for number, _ in some])
        self._strays = []


def _cut(items: list[_Item], most: int) -> Iterator[list[_Item]]:
    return (items[start : start + most] for start in range(0, len(items), most))


READER = EventTextReader()
