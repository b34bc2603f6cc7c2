r"""Windows events as PowerShell lists them: ``Get-WinEvent`` or ``Get-EventLog``, and ``Format-List``.

    TimeCreated  : 11/11/2026 9:58:57 PM
    ProviderName : Microsoft-Windows-Security-Auditing
    Id           : 4625
    Message      : An account failed to log on.

                   Subject:
                   …

Rules of this module:

- A line that begins with a name is a property; the lines of its value that follow are indented as far as
  the first one. An event ends where a name comes again that it has already.
- Where the list does not name the channel (``Format-List *`` does), that of the provider is taken.
- A time is written as the region of the host has it, without a zone; see
  :mod:`haidang.events.readers._day_order`. The time in UTC that an event of Sysmon tells comes before it.
- Of a value, ``limits.line_bytes`` characters are kept; that there was more is noted. Lines before the
  first event are noted and skipped.
- Input is untrusted.

Fields (origin ``windows``): the properties by the names of Windows (``Channel``, ``EventID``, ``Computer``
…), and what the message says. Events have the number of their first line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events import shapes
from haidang.events.model import EventBatch
from haidang.events.patterns import expression
from haidang.events.readers._day_order import iso_time
from haidang.events.readers._lines import BOM, apart, broken, decode_all
from haidang.events.readers._viewer import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Fields, FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "EventListReader"]

_HEAD_LINES = 400
_PROPERTY = expression(r"([A-Z][A-Za-z]{1,40}) *: ?(.*)\Z", re.DOTALL)
_NEEDED = (
    frozenset({"TimeCreated", "ProviderName", "Id"}),
    frozenset({"TimeGenerated", "Source", "EventID"}),
)
_OLDER = {"EventID": "Id", "Source": "ProviderName", "TimeGenerated": "TimeCreated", "Index": "RecordId"}
"""What ``Get-EventLog`` calls the properties of ``Get-WinEvent``."""
_NONE = frozenset({"", "{}"})


class EventListReader:
    """Reads lists of Windows events."""

    name = "event-list"
    title = "Windows events as a list (PowerShell's Format-List)"
    origins: tuple[Origin, ...] = (shapes.WINDOWS,)
    splittable = False
    """An event spans lines."""

    def recognises(self, head: Head) -> int:
        """Return 90 where the first lines are properties, among them those that every event has."""
        lines = [line.removeprefix(BOM).rstrip("\r") for line in head.lines[:_HEAD_LINES]]
        if not lines or _PROPERTY.match(lines[0]) is None:
            return 0
        names = {match[1] for line in lines if (match := _PROPERTY.match(line))}
        return 90 if any(names >= needed for needed in _NEEDED) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        cutter = _Cutter(report, limits.line_bytes)
        for first, lines in stream.line_batches(report, limits):
            for number, text in enumerate(decode_all(lines, first, report), first):
                cutter.take(number, text.removeprefix(BOM).strip("\x00").rstrip("\r\n"))
            yield from cutter.batches(limits.batch_events)
        cutter.end()
        yield from cutter.batches(limits.batch_events)


class _Cutter:
    """Puts lines together to properties, and these to events."""

    def __init__(self, report: FileReport, most: int) -> None:
        self._report = report
        self._most = most
        self._number = 0
        self._properties: dict[str, list[str]] = {}
        self._last = ""
        self._column = 0
        self._size = 0
        self._done: list[tuple[int, Fields]] = []

    def take(self, number: int, line: str) -> None:
        """Take the next line."""
        match = _PROPERTY.match(line)
        if match is not None:
            if match[1] in self._properties:
                self.end()
            if not self._properties:
                self._number = number
            self._last, self._column = match[1], match.start(2)
            self._size = len(match[2])
            self._properties[self._last] = [match[2]]
        elif not self._properties:
            if line.strip():
                broken(self._report, number, "no property of an event")
        else:
            self._size += len(line) + 1
            if self._size <= self._most:
                begins = line[: self._column]
                self._properties[self._last].append(line[self._column :] if begins.isspace() else line)
            else:
                self._report.note("oversized-line", f"line {number}", f"longer than {self._most} bytes")

    def end(self) -> None:
        """End the event that was begun."""
        if self._properties:
            self._done.append((self._number, _event(self._properties)))
        self._properties, self._last = {}, ""

    def batches(self, most: int) -> Iterator[EventBatch]:
        """Yield the events that have ended, in batches of at most so many."""
        for start in range(0, len(self._done), most):
            some = self._done[start : start + most]
            yield EventBatch(self._report, shapes.WINDOWS.name, *apart(some))
        self._done = []


def _event(properties: dict[str, list[str]]) -> Fields:
    """Return an event as Windows has it."""
    record: Fields = {}
    for name, lines in properties.items():
        value = "\n".join(lines).strip()
        if value not in _NONE:
            record[_OLDER.get(name, name)] = value
    if "Id" not in record or "ProviderName" not in record:
        return record
    channel = CHANNELS.get(record["ProviderName"].lower())
    if channel and "LogName" not in record:
        record["LogName"] = channel
    if "TimeCreated" in record:
        record["EventTime"] = iso_time(record.pop("TimeCreated"), day_first=None)
    record.setdefault("LogName", "")
    return shapes.flatten("record", record)


READER = EventListReader()
