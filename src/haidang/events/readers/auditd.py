"""The Linux audit log: the records of one event are one event.

Rules of this module:

- Records with the same time and serial (and node) belong together, also when those of several events are
  interleaved. An event is handed over once a record two seconds younger is seen, in the order of the
  first records; ``limits.audit_records`` and ``limits.audit_bytes`` bound what is held. An event that had
  to be handed over before all of it was seen is noted (``split-event``).
- Read are the files of auditd, plain and enriched, the output of ``ausearch``, and records that went
  through syslog. What else is in such a syslog file is handed over as the syslog reader does.
- Input is untrusted.

Fields (origin ``auditd``; values are text, as written, without quotes and with hex digits undone). A field
that differs between the records of an event is a list of its distinct values in order:

    type         type of the record or records: SYSCALL, EXECVE, PATH, USER_LOGIN …
    syscall exe comm key auid uid name cwd proctitle a0 …
                 by the names that the audit system gives them; so are the keys inside ``msg='…'``
    SYSCALL      name of the system call, also where the log has only its number
    AUID UID ARCH …
                 in enriched logs, the names that auditd looked up
    CommandLine  arguments of EXECVE joined by blanks, else the process title
    ParentImage ParentCommandLine
                 what the parent runs, where the log has said it before
    timestamp    time of the event, RFC 3339, UTC
    serial       number of the event
    node         host, where the log names it
    saddr_fam laddr lport path
                 socket address of a SOCKADDR record
    seresult seperms
                 decision and permissions of an AVC record
"""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._audit_parents import Parents
from haidang.events.readers._audit_records import arguments, parse_body, record_type
from haidang.events.readers._lines import BOM, broken, decode
from haidang.events.readers._years import Years
from haidang.events.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "AuditdReader", "Merger", "batches", "is_record", "merge"]

ORIGIN = Origin("auditd", time_fields=("timestamp",), host_fields=("node",))

COMPLETE_AFTER = 2.0
"""Seconds after which no further record of an event is expected; auditd's own tools wait as long."""
HEAD_LINES = 100
_RECORD = expression(
    r"(?:node=(\S+) )?type=(\S+) msg=audit\((\d+\.\d+):(\d+)\): ?(.*)\Z", re.ASCII | re.DOTALL
)
_WRAPPED = expression(
    r"(?:node=(\S{1,256}) )?\btype=(\S{1,64}) (?:msg=)?audit\(([\d/.:, -]{1,40}):(\d{1,20})\) ?: ?(.*)\Z",
    re.ASCII | re.DOTALL,
)
_AROUND = ('"', "->", " stdout ", " stderr ")
"""What only others put before a record, who say more of it: JSON and tables, Wazuh, containers."""
_SEPARATOR = expression(r"(?:-{4}|time->.*|<no matches>)?\s*\Z", re.DOTALL)


_Key: TypeAlias = tuple[str, str, str]
"""Node, time and serial, as written."""


class _Open:
    """An event of which further records may come."""

    __slots__ = ("number", "records", "seconds", "size")

    def __init__(self, number: int, seconds: float) -> None:
        self.number = number
        self.seconds = seconds
        self.size = 0
        self.records: list[Fields] = []


class Merger:
    """Puts records together into events; ``take`` what is finished after each batch of lines."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        """Begin with nothing held."""
        self._report = report
        self._limits = limits
        self._open: OrderedDict[_Key, _Open] = OrderedDict()
        self._held = 0
        self._size = 0
        self._forced: OrderedDict[_Key, None] = OrderedDict()
        self._parents = Parents(limits)
        self._last_key: _Key | None = None
        self._last: _Open | None = None
        self._events: list[Fields] = []
        self._records: list[int] = []

    def add(self, number: int, text: str, host: str = "") -> bool:
        """Take the line ``number``; False where it is no audit record.

        ``host`` is the node where the line names none.
        """
        match = _RECORD.match(text)
        if match is None:
            return "audit(" in text and self._add_wrapped(number, text, host)
        node, kind, time, serial, body = match.groups()
        self._add(number, (node or host, time, serial), kind, body)
        return True

    def take(self) -> tuple[list[Fields], list[int]]:
        """Return the events finished since the last call, with their first lines."""
        taken = self._events, self._records
        self._events, self._records = [], []
        return taken

    def close(self) -> None:
        """Finish all events: no further record comes."""
        while self._open:
            self._finish_oldest()

    def _add_wrapped(self, number: int, text: str, host: str) -> bool:
        """Take a record that syslog carries, or that ``ausearch`` has interpreted."""
        match = _WRAPPED.search(text)
        if match is None:
            return False
        node, kind, time, serial, body = match.groups()
        if node is None and match.start():
            header = syslog.parse_line(text)
            node = header.get("hostname", "") if header else ""
        self._add(number, (node or host, time, serial), kind, body)
        return True

    def _add(self, number: int, key: _Key, kind: str, body: str) -> None:
        if len(body) > self._limits.value_chars:
            detail = f"an audit record of more than {self._limits.value_chars} characters"
            self._report.note("oversized-line", f"line {number}", detail, skipped=1)
            return
        if not kind.isalpha():
            kind = record_type(kind)
        if kind == "EOE":
            return
        if key != self._last_key or self._last is None:
            self._last = self._open.get(key) or self._begin(number, key)
            self._last_key = key
        self._last.records.append(parse_body(kind, body))
        self._last.size += len(body)
        self._size += len(body)
        self._held += 1
        if self._held > self._limits.audit_records or self._size > self._limits.audit_bytes:
            self._forced[self._finish_oldest()] = None
            if len(self._forced) > self._limits.audit_records:
                self._forced.popitem(last=False)

    def _begin(self, number: int, key: _Key) -> _Open:
        """Open an event, and finish those that are so old that nothing more of them will come."""
        if key in self._forced:
            detail = "records of an event are so far apart that it was handed over in parts"
            self._report.note("split-event", f"line {number}", detail)
        seconds = _seconds(key[1])
        while self._open and next(iter(self._open.values())).seconds + COMPLETE_AFTER <= seconds:
            self._finish_oldest()
        event = self._open[key] = _Open(number, seconds)
        return event

    def _finish_oldest(self) -> _Key:
        key, event = self._open.popitem(last=False)
        self._held -= len(event.records)
        self._size -= event.size
        if event is self._last:
            self._last_key = self._last = None
        merged = merge(key, event.records)
        self._parents.join(merged)
        self._events.append(merged)
        self._records.append(event.number)
        return key


def merge(key: _Key, records: list[Fields]) -> Fields:
    """Return one event of all its records; the key is its node, time and serial as written."""
    executed = arguments(records)
    merged: Fields = {}
    for fields in records:
        merged.update(fields)
    if len(records) > 1:
        # The last value of each field is there; the others are put before it, as far as they differ.
        for name in {name for fields in records for name, value in fields.items() if merged[name] != value}:
            merged[name] = list(dict.fromkeys([fields[name] for fields in records if name in fields]))
    if executed:
        merged["CommandLine"] = " ".join(executed.values())
    elif "proctitle" in merged:
        merged["CommandLine"] = merged["proctitle"]
    keys = merged.get("key", "")
    if isinstance(keys, list) or "\x01" in keys:
        # One record can carry several keys; 0x01 separates them.
        merged["key"] = [
            one for text in ([keys] if isinstance(keys, str) else keys) for one in text.split("\x01")
        ]
    node, time, serial = key
    stamp = _stamp(time)
    if stamp:
        merged["timestamp"] = stamp
    merged["serial"] = serial
    if node:
        merged["node"] = node
    return merged


def _stamp(time: str) -> str:
    """Return an event's time as RFC 3339, "" where it is none; many events share a second."""
    second, _, fraction = time.partition(".")
    if len(fraction) == 3 and second.isdecimal():
        start = _whole_second(second)
        return start and f"{start}.{fraction}Z"
    ns = parse_time(time)
    return "" if ns is None else format_time(ns)


@lru_cache(maxsize=256)
def _whole_second(digits: str) -> str:
    ns = parse_time(digits)
    return "" if ns is None else format_time(ns)[:19]


def _seconds(time: str) -> float:
    try:
        return float(time)
    except ValueError:
        return (parse_time(time) or 0) / 1e9


class AuditdReader:
    """Reads audit logs."""

    name = "auditd"
    title = "Linux audit log"
    splittable = False
    """The records of one event may lie on both sides of any cut."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return auditd, and what else there may be in a file of syslog."""
        return ORIGIN, *syslog.READER.origins

    def recognises(self, head: Head) -> int:
        """Return 95 where half of the first lines are audit records, 92 where syslog carries some."""
        lines = [line for line in head.lines[:HEAD_LINES] if not _SEPARATOR.match(line)]
        audit = sum(map(is_record, lines))
        if not audit:
            return 0
        if audit * 2 >= len(lines):
            return 95
        return 92 if audit + sum(map(syslog.resembles, lines)) >= len(lines) * 0.8 else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield events in the order of their first records."""
        merger = Merger(report, limits)
        years = Years(stream.mtime)
        for first, lines in stream.line_batches(report, limits):
            others: list[Fields] = []
            numbers: list[int] = []
            for number, line in enumerate(lines, first):
                text = decode(line, number, report)
                if not merger.add(number, text) and (other := _other(text, number, report)):
                    others.append(other)
                    numbers.append(number)
            years.place(others, numbers, report)
            yield from syslog.sorted_out(others, numbers, report)
            yield from batches(merger, report, limits)
        merger.close()
        yield from batches(merger, report, limits)


def batches(merger: Merger, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
    """Yield what a merger has finished since the last call."""
    events, records = merger.take()
    step = limits.batch_events
    for start in range(0, len(events), step):
        yield EventBatch(report, ORIGIN.name, events[start : start + step], records[start : start + step])


def _other(text: str, number: int, report: FileReport) -> Fields | None:
    """Return what a line that is no audit record says as syslog; note it where it says nothing."""
    if _SEPARATOR.match(text):
        return None
    if "audit(" not in text and (fields := syslog.parse_line(text.rstrip("\r"))):
        return fields
    broken(report, number, "no audit record")
    return None


def is_record(line: str) -> bool:
    """Return whether a line is an audit record, by itself or behind the header of a syslog line."""
    line = line.removeprefix(BOM)
    if _RECORD.match(line) is not None:
        return True
    if "audit(" not in line or (match := _WRAPPED.search(line)) is None:
        return False
    before = line[: match.start()]
    return not any(mark in before for mark in _AROUND)


READER = AuditdReader()
