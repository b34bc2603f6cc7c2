"""Taking log lines out of the JSON objects and table rows that are around them.

Rules of this module:

- What is inside is tried as an object, an ``<Event>``, a record of the audit log, what Splunk renders of a
  Windows event, a line of syslog or of a product that travels through it; the first that it is counts.
- An object may be in another as text, and that in a third.
- A line of which nothing is known opens nothing: the object around it says more.
- Input is untrusted. Where the lines are kept is in :mod:`haidang.events.readers._collected`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import orjson

from haidang.events import shapes
from haidang.events.model import DocumentBatch, EventBatch
from haidang.events.patterns import expression
from haidang.events.readers import auditd, syslog
from haidang.events.readers._carried import Sorter, carriers
from haidang.events.readers._collected import Carried, carried_lines, host_of
from haidang.events.readers._event_xml import EventXmlError, parse_event
from haidang.events.readers._laurel_events import laurel_event
from haidang.events.readers._lines import COOKIE, apart, broken
from haidang.events.readers._years import Years
from haidang.events.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.events.model import Batch, Fields, FileReport, Origin
    from haidang.limits import Limits

__all__ = ["Opened", "Opener", "object_of"]

_DEEPEST = 3
"""Objects in one another, each kept as text in the outer one, that are looked into."""
_RENDERED = expression(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d[^\n]{0,20}\r?\n(?=LogName=)")
"""How Splunk's rendering of a Windows event begins."""


_JOINED = expression(r"\s+(?=type=[A-Z_]{2,40} msg=audit\()")
"""What is between the records of an event that were joined to one line; a value has no blank in it."""


class Opened(NamedTuple):
    """What was inside: JSON, a whole event, records of the audit log or a line of syslog; one of these."""

    document: bytes = b""
    event: Fields | None = None
    origin: Origin = shapes.WINDOWS
    """Of the event: Windows or the audit log."""
    audit: tuple[str, str] | None = None
    """A host, and the record or records of the audit log that it wrote."""
    line: Fields | None = None


class Opener:
    """Takes lines out of what is around them; ``close`` it, for records of the audit log wait for others."""

    def __init__(self, report: FileReport, mtime: float | None, limits: Limits) -> None:
        """Note in ``report``; ``mtime`` is when the file was written, in seconds since the epoch."""
        self._report = report
        self._years = Years(mtime)
        self._limits = limits
        self._merger = auditd.Merger(report, limits)

    def close(self) -> Iterator[EventBatch]:
        """Yield the events of the audit log of which no more will come."""
        self._merger.close()
        yield from auditd.batches(self._merger, self._report, self._limits)

    def batches(self, documents: Sequence[bytes], records: Sequence[int]) -> Iterator[Batch]:
        """Yield what is inside of consecutive objects: JSON first, then Windows events, then lines."""
        left: list[tuple[int, bytes]] = []
        found: list[tuple[int, Opened]] = []
        for document, record in zip(documents, records, strict=True):
            opened = self.opened(object_of(document), record)
            if opened:
                found += ((record, one) for one in opened)
                left += ((record, one.document) for one in opened if one.document)
            else:
                left.append((record, document))
        if left:
            yield DocumentBatch(self._report, *apart(left))
        yield from self.events(found)

    def rows(self, batch: EventBatch) -> Iterator[Batch]:
        """Yield what is inside of consecutive rows of a table."""
        left: list[tuple[int, Fields]] = []
        found: list[tuple[int, Opened]] = []
        for event, record in zip(batch.events, batch.records, strict=True):
            opened = self.opened(event, record)
            found += ((record, one) for one in opened)
            if not opened:
                left.append((record, event))
        if left:
            yield EventBatch(batch.report, batch.origin, *apart(left))
        documents = [(record, one.document) for record, one in found if one.document]
        if documents:
            yield DocumentBatch(batch.report, *apart(documents))
        yield from self.events(found)

    def events(self, found: Sequence[tuple[int, Opened]]) -> Iterator[EventBatch]:
        """Yield the events of Windows, of the audit log and of syslog among what was found."""
        for origin in (shapes.WINDOWS, auditd.ORIGIN):
            whole = [
                (record, one.event) for record, one in found if one.event is not None and one.origin is origin
            ]
            if whole:
                yield EventBatch(self._report, origin.name, *apart(whole))
        for record, one in found:
            if one.audit is not None:
                host, text = one.audit
                for part in _JOINED.split(text):
                    if not self._merger.add(record, part, host):
                        broken(self._report, record, "no audit record")
        yield from auditd.batches(self._merger, self._report, self._limits)
        lines = [(record, one.line) for record, one in found if one.line is not None]
        if lines:
            events, records = apart(lines)
            self._years.place([one for one in events if "time" not in one], records, self._report)
            yield from syslog.sorted_out(events, records, self._report)

    def opened(self, document: Fields | None, record: int, depth: int = 0) -> list[Opened]:
        """Return what is inside an object; nothing where it is to stay as it is.

        ``depth`` is in how many other objects it was.
        """
        if document is None:
            return []
        if rows := list(_rows(document)):
            try:
                return [Opened(document=orjson.dumps(row)) for row in rows]
            except orjson.JSONEncodeError:
                # Nested deeper than can be written again: it stays as it is, and is noted as too deep.
                return []
        inner = shapes.unwrap(document)[1]
        if (event := laurel_event(inner, host_of(inner))) is not None:
            return [Opened(event=event, origin=auditd.ORIGIN)]
        carried = list(carried_lines(document))
        inside = [self._inside(each, record, depth) for each in carried]
        if len(carried) > 1:
            # Lines of which nothing is known must not be lost beside those of which something is.
            pairs = zip(inside, carried, strict=True)
            inside = [some or [Opened(_document(each))] for some, each in pairs]
        return [one for some in inside for one in some]

    def _inside(self, carried: Carried, record: int, depth: int) -> list[Opened]:
        """Return what a line is, or holds; nothing where nothing is known of it."""
        text = carried.text.strip().removeprefix(COOKIE).lstrip()
        if text.startswith("{") and text.endswith("}"):
            if (found := object_of(text)) is None:
                return []
            if (event := laurel_event(found, carried.host)) is not None:
                return [Opened(event=event, origin=auditd.ORIGIN)]
            deeper = self.opened(found, record, depth + 1) if depth < _DEEPEST else []
            return deeper or [Opened(document=text.encode("utf-8", "replace"))]
        if "audit(" in text and auditd.is_record(text):
            return [Opened(audit=(carried.host, text))]
        if text.startswith("<Event"):
            try:
                return [Opened(event=parse_event(text.encode("utf-8", "replace")))]
            except EventXmlError:
                broken(self._report, record, "an event that is no whole XML; read as plain JSON", skipped=0)
                return []
        if (match := _RENDERED.match(text)) is not None:
            return [Opened(event=_rendered(text[match.end() :], match[0].strip(), carried))]
        line = self._line(text, carried)
        return [] if line is None else [Opened(line=line)]

    def _line(self, text: str, carried: Carried) -> Fields | None:
        fields = syslog.parse_line(text)
        if fields is not None and "timestamp" in fields and ("priority" in fields or "program" in fields):
            _add_year(fields, carried)
        elif carried.program:
            fields = {"message": text, "raw": text, "program": syslog.program_name(carried.program)}
            if carried.pid:
                fields["pid"] = carried.pid
        else:
            fields = fields or {"message": text, "raw": text}
            if self._sorter.taken(fields) is None:
                return None
            _add_year(fields, carried)
        if carried.host:
            fields.setdefault("hostname", carried.host)
        if carried.time and "timestamp" not in fields:
            fields["timestamp"] = fields["time"] = carried.time
        return fields

    @cached_property
    def _sorter(self) -> Sorter:
        return Sorter(carriers(), syslog.ORIGIN)


def _rows(document: Fields) -> Iterator[Fields]:
    """Yield the rows of an answer that names its columns once, or each cell by itself."""
    columns, rows = document.get("columns"), document.get("rows")
    if isinstance(columns, list) and isinstance(rows, list):
        said = [one.get("name", one.get("ColumnName")) if isinstance(one, dict) else one for one in columns]
        names = [name for name in said if isinstance(name, str)]
        if len(names) == len(said):
            yield from (dict(zip(names, row, strict=False)) for row in rows if isinstance(row, list))
        return
    answers = document.get("QueryResultRows")
    for row in answers if isinstance(answers, list) else ():
        if isinstance(row, list) and all(isinstance(cell, dict) for cell in row):
            yield {name: value for cell in row for name, value in cell.items()}


def object_of(document: bytes | str) -> Fields | None:
    """Return the object that a JSON text is, None for anything else."""
    try:
        found = orjson.loads(document)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _document(carried: Carried) -> bytes:
    return orjson.dumps({"timestamp": carried.time, "message": carried.text})


def _add_year(fields: Fields, carried: Carried) -> None:
    """Put a time without a year into a year by the time of the object around it."""
    timestamp = fields.get("timestamp")
    if carried.seconds is None or type(timestamp) is not str or timestamp[:1].isdigit():
        return
    if carried.exact:
        fields["time"] = carried.time
        return
    if (ns := parse_time(timestamp, now=carried.seconds)) is not None:
        fields["time"] = format_time(ns).removesuffix("Z").removesuffix(".000")


def _rendered(text: str, first: str, carried: Carried) -> Fields:
    """Return a Windows event of which Splunk wrote ``Name=value`` lines, with the message last."""
    document: Fields = {"@timestamp": carried.time or first}
    header, mark, message = text.partition("\nMessage=")
    for line in header.split("\n"):
        name, is_pair, value = line.rstrip("\r").partition("=")
        if is_pair:
            document[name] = value
    if mark:
        document["Message"] = message
    return shapes.flatten("splunk", document) if shapes.recognise(document) == "splunk" else document
