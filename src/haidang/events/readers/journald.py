"""The systemd journal as ``journalctl`` writes it: ``-o json`` (also -sse, -seq), ``export``, ``verbose``.

Rules of this module:

- An entry is a line of syslog that has more to tell, so it has that origin, and rules on syslog find in it
  what they look for.
- A value that is no text is an array of bytes in JSON; it is decoded, for what is not UTF-8 with replacement
  characters. Nothing hides in there: a program that logs one odd byte still logs the rest.
- Records that the audit system wrote into the journal are put together as :mod:`auditd` does it, and events
  that Sysmon for Linux wrote are these events.
- JSON may also be an array of entries, as tools that gather evidence write it.
- A line that is no JSON object is noted and skipped; see :mod:`_journal_export` and
  :mod:`_journal_verbose` for the other formats.
- Input is untrusted.

Fields (origin ``syslog``): those of the journal by their names (``_EXE``, ``_CMDLINE``, ``_UID``, …; a field
that occurs several times is a list), and in place of some of them those of :mod:`syslog`:

    timestamp   __REALTIME_TIMESTAMP as RFC 3339, UTC
    hostname    _HOSTNAME
    program     SYSLOG_IDENTIFIER or _COMM, lower case, without its folder
    pid         SYSLOG_PID or _PID
    message raw MESSAGE
    facility severity
                SYSLOG_FACILITY and PRIORITY by their names
    outcome method user client_ip invalid_user
                what sshd says of a logon

Records are numbered by their (first) lines; in other forms of JSON and in exports they count from 1.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from haidang.events.json_splitting import JsonSplitter
from haidang.events.patterns import expression
from haidang.events.readers import auditd, syslog
from haidang.events.readers._journal_export import ExportedEntries
from haidang.events.readers._journal_verbose import VerboseEntries, is_verbose
from haidang.events.readers._lines import BOM
from haidang.events.readers._sshd import SSHD, add_sshd
from haidang.events.readers._sudo import add_sudo
from haidang.events.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.events.model import EventBatch, Fields, FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "JournaldReader"]

HEAD_LINES = 20
_SEVERITIES = {str(number): name for number, name in enumerate(syslog.SEVERITIES)}
_FACILITIES = {str(number): name for number, name in enumerate(syslog.FACILITIES)}
_TIME = "__REALTIME_TIMESTAMP"
_MARKS = (f'"{_TIME}"', '"__CURSOR"')
_ARRAY = expression(r"\[\s*\{")
_BEFORE = b"\x1e \t\r\n\x00"
_TEXT = frozenset({str})


def _to_syslog(event: Fields) -> Fields:
    """Turn the fields of an entry, whose values are text (or lists of it), into those of a line of syslog."""
    message = event.pop("MESSAGE", "")
    if message.__class__ is list:
        message = "\n".join(message)
    event["message"] = event["raw"] = message
    if (host := event.pop("_HOSTNAME", None)) is not None:
        event["hostname"] = host
    time = _first(event.get(_TIME))
    if time.isdecimal() and (second := _second(time[:-6])):
        event["timestamp"] = f"{second}.{time[-6:]}Z"
    program = _first(event.get("SYSLOG_IDENTIFIER")) or _first(event.get("_COMM"))
    if program:
        event["program"] = program = syslog.program_name(program)
        if program == "sudo":
            add_sudo(event)
        elif program in SSHD:
            add_sshd(event)
    if pid := event.get("SYSLOG_PID") or event.get("_PID"):
        event["pid"] = pid
    if severity := _SEVERITIES.get(_first(event.get("PRIORITY"))):
        event["severity"] = severity
    if facility := _FACILITIES.get(_first(event.get("SYSLOG_FACILITY"))):
        event["facility"] = facility
    return event


@lru_cache(maxsize=256)
def _second(digits: str) -> str:
    """Return a second since the epoch as RFC 3339 without its zone, "" where it is no time."""
    ns = parse_time(digits)
    return "" if ns is None else format_time(ns)[:19]


def _first(value: Any) -> str:
    """Return a text, or the first of several."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _readable(value: Any) -> Any:
    """Return a value of JSON as text: an array of numbers is bytes, an array of others several values.

    Raises TypeError (as the encoder does) for what is nested deeper than the encoder goes.
    """
    if value.__class__ is str:
        return value
    if isinstance(value, list):
        try:
            return bytes(value).decode("utf-8", "replace")
        except (TypeError, ValueError, OverflowError):
            return [_text(item) for item in value if item is not None]
    return _text(value)


def _text(value: Any) -> str:
    from orjson import dumps

    if isinstance(value, list):
        try:
            return bytes(value).decode("utf-8", "replace")
        except (TypeError, ValueError, OverflowError):
            pass
    return value if isinstance(value, str) else dumps(value).decode()


class _Sorter:
    """Sorts entries out into what syslog, the audit system and Sysmon wrote."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        self._report = report
        self._limits = limits
        self._merger = auditd.Merger(report, limits)

    def batches(self, entries: Iterable[tuple[int, Fields]]) -> Iterator[EventBatch]:
        """Yield the events in batches of at most ``limits.batch_events`` of a kind."""
        events: list[Fields] = []
        records: list[int] = []
        for number, entry in entries:
            if entry.get("_TRANSPORT") == "audit" and self._is_audit(number, entry):
                continue
            events.append(_to_syslog(entry))
            records.append(number)
            if len(events) >= self._limits.batch_events:
                yield from self._both(events, records)
                events, records = [], []
        yield from self._both(events, records)

    def close(self) -> Iterator[EventBatch]:
        """Yield the audit events of which no more will come."""
        self._merger.close()
        yield from auditd.batches(self._merger, self._report, self._limits)

    def _both(self, events: list[Fields], records: list[int]) -> Iterator[EventBatch]:
        yield from syslog.sorted_out(events, records, self._report)
        yield from auditd.batches(self._merger, self._report, self._limits)

    def _is_audit(self, number: int, entry: Fields) -> bool:
        """Take an entry as the audit record that it carries."""
        kind, serial = _first(entry.get("_AUDIT_TYPE_NAME")), _first(entry.get("_AUDIT_ID"))
        time = _first(entry.get("_SOURCE_REALTIME_TIMESTAMP")) or _first(entry.get(_TIME))
        if not kind or not serial.isdecimal() or not time.isdecimal():
            return False
        node = f"node={host} " if (host := _first(entry.get("_HOSTNAME"))) else ""
        body = _first(entry.get("MESSAGE")).removeprefix(kind).lstrip()
        stamp = f"{time[:-6] or 0}.{time[-6:-3]:0>3}"
        return self._merger.add(number, f"{node}type={kind} msg=audit({stamp}:{serial}): {body}")


class JournaldReader:
    """Reads exports of the systemd journal."""

    name = "journald"
    title = "systemd journal (JSON, export, verbose)"
    splittable = False
    """Entries of the audit system belong together, and the export format is no text."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return what the audit system's reader has: syslog, and what travels through it."""
        return auditd.READER.origins

    def recognises(self, head: Head) -> int:
        """Return 95 for export and verbose, 92 where the first objects have a cursor and a time."""
        if b"__CURSOR=" in head.data[:64] or head.data.startswith(f"{_TIME}=".encode()):
            return 95 if b"\n__REALTIME_TIMESTAMP=" in b"\n" + head.data else 0
        text = head.text.lstrip("\x1e \t\r\n\x00")
        if is_verbose(head.lines):
            return 95
        first = text.partition("}")[0]
        if _ARRAY.match(first):
            return 92 if all(mark in first for mark in _MARKS) else 0
        if not text.startswith(("{", "data: {")):
            return 0
        lines = [line for line in head.lines[:HEAD_LINES] if len(line) > 2]
        entries = sum(all(mark in line for mark in _MARKS) for line in lines)
        if entries * 2 > len(lines):
            return 92
        return 92 if _is_pretty(text) and all(mark in first for mark in _MARKS) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield the entries in batches."""
        head = stream.head().lstrip(_BEFORE)
        sorter = _Sorter(report, limits)
        start = head[:4096].decode("utf-8", "replace")
        if is_verbose(start.split("\n")):
            verbose = VerboseEntries(report, limits)
            for first, lines in stream.line_batches(report, limits):
                yield from sorter.batches(verbose.feed(first, lines))
            yield from sorter.batches(verbose.last())
        elif not head.startswith((b"{", b"[", b"data:", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            exported = ExportedEntries(stream.blocks(), report, limits)
            yield from sorter.batches(_decoded(exported))
        elif _is_pretty(start) or _ARRAY.match(start.removeprefix(BOM)):
            yield from sorter.batches(_objects(stream, report, limits))
        else:
            for first, lines in stream.line_batches(report, limits):
                yield from sorter.batches(_lines(first, lines, report))
        yield from sorter.close()


def _is_pretty(text: str) -> bool:
    return text.startswith("{") and text[1:].lstrip(" \t\r").startswith("\n")


def _lines(first: int, lines: list[bytes], report: FileReport) -> Iterator[tuple[int, Fields]]:
    """Yield the entries of consecutive lines of JSON, server-sent events and JSON sequences included."""
    for number, line in enumerate(lines, first):
        document = line.strip(_BEFORE).removeprefix(b"data: ")
        if document and (entry := _load(document, f"line {number}", report)) is not None:
            yield number, entry


def _objects(stream: Stream, report: FileReport, limits: Limits) -> Iterator[tuple[int, Fields]]:
    """Yield the entries of objects that span lines."""
    splitter = JsonSplitter(report, limits)
    fed = chain.from_iterable(splitter.feed(block) for block in stream.text_blocks())
    for number, document in chain(fed, splitter.finish()):
        if (entry := _load(document, f"record {number}", report)) is not None:
            yield number, entry


def _load(document: bytes, where: str, report: FileReport) -> Fields | None:
    """Return the fields of one JSON object with all values readable; note what is none."""
    from orjson import JSONDecodeError, loads

    try:
        entry = loads(document)
    except JSONDecodeError:
        entry = _second_try(document, where, report)
    if not isinstance(entry, dict):
        report.note("broken-line", where, "no JSON object", skipped=1)
        return None
    if _TEXT.issuperset(map(type, entry.values())):
        return entry
    try:
        return {name: _readable(value) for name, value in entry.items() if value is not None}
    except TypeError:
        report.note("too-deep", where, "JSON nested too deeply", skipped=1)
        return None


def _second_try(document: bytes, where: str, report: FileReport) -> Any:
    """Return JSON with what is not UTF-8 replaced, where only that was wrong with it."""
    from orjson import JSONDecodeError, loads

    if document.isascii():
        return None
    try:
        entry = loads(document.decode("utf-8", "replace"))
    except JSONDecodeError:
        return None
    report.note("invalid-utf8", where, "not UTF-8; read with replacement characters")
    return entry


def _decoded(exported: ExportedEntries) -> Iterator[tuple[int, Fields]]:
    """Yield exported entries with their values as text."""
    for number, entry in exported:
        fields: Fields = {}
        for name, value in entry.items():
            if isinstance(value, list):
                fields[name] = [one.decode("utf-8", "replace") for one in value]
            else:
                fields[name] = value.decode("utf-8", "replace")
        yield number, fields


READER = JournaldReader()
