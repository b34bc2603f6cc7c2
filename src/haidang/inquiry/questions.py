"""What is asked, of which logs, and how their events are gone through: the part that all questions share.

Rules:

- Every event gets its origin as a scan would give it: from its reader, from the shapes in which Windows
  events are shipped, or from the fields that logsource maps recognise.
- What cannot be decoded is noted in its file's report; nothing here raises for the content of a log.
- Undecoded documents may be ruled out by their bytes (``Sieve``); they count as read all the same.

Logs are untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.batches import decode_document
from haidang.detect.semantics import lookup, text
from haidang.errors import HaidangError
from haidang.events import shapes
from haidang.events.model import DocumentBatch, EventBatch, Fields, FileReport, Origin
from haidang.events.streams import find_inputs, open_input
from haidang.events.times import parse_time
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.events.columns import ColumnBatch
    from haidang.events.model import Batch
    from haidang.events.streams import Input
    from haidang.sigma.ir import LogsourceMap

__all__ = ["LogEvent", "Question", "Sieve"]

_UNKNOWN = Origin(
    "",
    time_fields=("@timestamp", "timestamp", "time", "eventTime", "ts", "_time", "date"),
    host_fields=("host", "hostname", "computer", "Computer", "Hostname", "host.name"),
)
_ANY_SHAPE = frozenset({"", "json", "csv"})


class Sieve(NamedTuple):
    """Says of JSON that was not decoded yet whether it may matter; what it lets through is looked at."""

    document: Callable[[bytes], bool]
    """Of one document."""
    several: Callable[[bytes], bool] | None = None
    """Of many documents at once, with line ends between them."""


class LogEvent(NamedTuple):
    """One event, where it is and what family of logs it is of."""

    report: FileReport
    record: int
    origin: str
    fields: Fields


@dataclass
class Question:
    """Which logs are asked, and the times (nanoseconds since 1970) and hosts that matter."""

    paths: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    """Names of hosts, in full or without their domain; none means all."""
    since: int | None = None
    until: int | None = None
    input_format: str | None = None
    password: bytes | None = None
    limits: Limits = DEFAULT_LIMITS
    on_progress: Callable[[int, int], None] = lambda _size, _events: None
    """Gets the bytes and events gone through so far, batch after batch."""
    reports: list[FileReport] = field(default_factory=list)
    """Filled in while events are gone through: the account of each file."""
    _inputs: list[Input] | None = field(default=None, repr=False)
    _troubles: list[FileReport] = field(default_factory=list, repr=False)

    def find(self) -> list[Input]:
        """List what is to be read, and begin the account anew.

        Whoever writes into the folder that is read calls this first: what is written later is then no log.

        Raises:
            InputError: A path does not exist.
        """
        if self._inputs is None:
            self._troubles.clear()
            found = find_inputs(self.paths, limits=self.limits, on_problem=self._troubles.append)
            self._inputs = list(found)
        self.reports[:] = self._troubles
        return self._inputs

    def events(self, sieve: Sieve | None = None) -> Iterator[LogEvent]:
        """Yield every event in order; documents that do not pass ``sieve`` are not decoded.

        Raises:
            InputError: A path does not exist.
            ConfigurationError: There is no such input format.
        """
        size = events = 0
        for item in self.find():
            opened = open_input(
                item, limits=self.limits, password=self.password, input_format=self.input_format
            )
            for report, batches in opened:
                self.reports.append(report)
                try:
                    for batch in batches:
                        yield from self._of_batch(batch, sieve)
                        self.on_progress(size + report.size, events + report.records)
                except HaidangError as error:
                    report.note("unreadable", f"record {report.records + 1}", error.message)
                size += report.size
                events += report.records

    def time(self, event: LogEvent) -> int | None:
        """Return when an event happened, in nanoseconds since 1970; None where it does not say."""
        for name in self._origin(event.origin).time_fields or _UNKNOWN.time_fields:
            value = lookup(event.fields, name)
            if value is not None and (time := parse_time(value)) is not None:
                return time
        return None

    def host(self, event: LogEvent) -> str:
        """Return the host that an event speaks of, "" where unknown."""
        for name in self._origin(event.origin).host_fields:
            value = lookup(event.fields, name)
            if value is not None:
                return text(value)
        return ""

    def wants_host(self, host: str) -> bool:
        """Return whether ``host`` is asked about."""
        if not self._hosts:
            return True
        host = host.lower()
        return host in self._hosts or host.partition(".")[0] in self._hosts

    def wants_time(self, time: int | None) -> bool:
        """Return whether ``time`` is asked about; an unknown one is only where no bound is given."""
        if time is None:
            return self.since is None and self.until is None
        return (self.since is None or time >= self.since) and (self.until is None or time <= self.until)

    @cached_property
    def maps(self) -> tuple[LogsourceMap, ...]:
        """The logsource maps, which say by what fields the events of a product are told apart."""
        from haidang.sigma.logsource import load_maps

        return load_maps()

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(host.lower() for host in self.hosts)

    @cached_property
    def _origins(self) -> dict[str, Origin]:
        from haidang.events.readers import readers
        from haidang.sigma.logsource import map_origin

        told = {one.origin: map_origin(one) for one in self.maps}
        found = {origin.name: origin for reader in readers().values() for origin in reader.origins}
        return {**told, **found, "windows": shapes.WINDOWS}

    @cached_property
    def _recognise(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(each.origin, names) for each in self.maps for names in each.recognise]

    def _origin(self, name: str) -> Origin:
        return self._origins.get(name, _UNKNOWN)

    def _of_batch(self, batch: Batch, sieve: Sieve | None) -> Iterator[LogEvent]:
        if isinstance(batch, EventBatch):
            yield from self._of_events(batch)
        elif not isinstance(batch, DocumentBatch):
            yield from self._of_columns(batch)
        elif sieve and sieve.several and not sieve.several(b"\n".join(batch.documents)):
            batch.report.records += sum(1 for each in batch.documents if each and not each.isspace())
        else:
            yield from self._of_documents(batch, sieve.document if sieve else None)

    def _of_documents(
        self, batch: DocumentBatch, accepts: Callable[[bytes], bool] | None
    ) -> Iterator[LogEvent]:
        report = batch.report
        for document, record in zip(batch.documents, batch.records, strict=True):
            if not document or document.isspace():
                continue
            if accepts is not None and not accepts(document):
                report.records += 1
                continue
            decoded = decode_document(document, record, report, self.limits)
            if decoded is not None:
                report.records += 1
                _, inner = shapes.unwrap(decoded)
                yield LogEvent(report, record, *self._recognised(inner, "json"))

    def _of_columns(self, batch: ColumnBatch) -> Iterator[LogEvent]:
        from haidang.events.columns import UnreadableColumnsError

        report = batch.report
        record = batch.first
        try:
            for event in batch.all_events(self.limits.batch_events):
                report.records += 1
                yield LogEvent(report, record, *self._recognised(shapes.unwrap(event)[1], "json"))
                record += 1
        except UnreadableColumnsError as error:
            lost = batch.first + batch.rows - record
            report.note("corrupt", f"record {record}", error.message, skipped=lost, count=lost)

    def _of_events(self, batch: EventBatch) -> Iterator[LogEvent]:
        report = batch.report
        for fields, record in zip(batch.events, batch.records, strict=True):
            report.records += 1
            if batch.origin in _ANY_SHAPE:
                yield LogEvent(report, record, *self._recognised(fields, batch.origin))
            else:
                yield LogEvent(report, record, batch.origin, fields)

    def _recognised(self, fields: Fields, otherwise: str) -> tuple[str, Fields]:
        shape = shapes.recognise(fields)
        if shape:
            return "windows", shapes.flatten(shape, fields)
        for origin, names in self._recognise:
            if all(lookup(fields, name) is not None for name in names):
                return origin, fields
        return otherwise, fields
