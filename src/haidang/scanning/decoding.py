"""Whole events out of what readers hand over, with the origin that a scan would give them.

Rules:

- Every event gets its origin as in a scan: from its reader, from the shapes in which Windows events are
  shipped, or from the fields that logsource maps recognise.
- What cannot be decoded is noted in its file's report; nothing here raises for the content of a log.
- Undecoded documents may be ruled out by their bytes (``Sieve``); they count as read all the same.

Logs are untrusted.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.batches import decode_document
from haidang.detect.origins import Recogniser
from haidang.events import shapes
from haidang.events.blocks import BlockSource
from haidang.events.model import DocumentBatch, EventBatch, Fields, FileReport, Origin
from haidang.events.readers import readers
from haidang.events.recognition import describe, make_head, recognise
from haidang.events.stream import Stream
from haidang.limits import DEFAULT_LIMITS, Limits
from haidang.scanning._evidence import UNKNOWN, first_host, first_time, known_origins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.events.columns import ColumnBatch
    from haidang.events.model import Batch
    from haidang.sigma.ir import LogsourceMap

__all__ = ["EventDecoder", "LogEvent", "Sieve", "read_records"]

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


class EventDecoder:
    """Decodes the events of any batches."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Keep the bounds; the logsource maps are loaded when they are first wanted."""
        self._limits = limits

    def events(self, batch: Batch, sieve: Sieve | None = None) -> Iterator[LogEvent]:
        """Yield the events of a batch; documents that do not pass ``sieve`` are not decoded."""
        if isinstance(batch, EventBatch):
            yield from self._of_events(batch)
        elif not isinstance(batch, DocumentBatch):
            yield from self._of_columns(batch)
        elif sieve and sieve.several and not sieve.several(b"\n".join(batch.documents)):
            batch.report.records += sum(1 for each in batch.documents if each and not each.isspace())
        else:
            yield from self._of_documents(batch, sieve.document if sieve else None)

    def time(self, event: LogEvent) -> int | None:
        """Return when an event happened, in nanoseconds since 1970; None where it does not say."""
        return first_time(event.fields, self._origins.get(event.origin, UNKNOWN))

    def host(self, event: LogEvent) -> str:
        """Return the host that an event speaks of, "" where unknown."""
        return first_host(event.fields, self._origins.get(event.origin, UNKNOWN))

    @cached_property
    def maps(self) -> tuple[LogsourceMap, ...]:
        """The logsource maps, which say by what fields the events of a product are told apart."""
        from haidang.sigma.logsource import load_maps

        return load_maps()

    @cached_property
    def _origins(self) -> dict[str, Origin]:
        return known_origins(self.maps)

    @cached_property
    def _recognise(self) -> Callable[[Fields], str]:
        return Recogniser((each.origin, names) for each in self.maps for names in each.recognise).origin

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
            decoded = decode_document(document, record, report, self._limits)
            if decoded is not None:
                report.records += 1
                _, inner = shapes.unwrap(decoded)
                yield LogEvent(report, record, *self._recognised(inner, "json"))

    def _of_columns(self, batch: ColumnBatch) -> Iterator[LogEvent]:
        from haidang.events.row_groups import UnreadableColumnsError

        report = batch.report
        record = batch.first
        try:
            for event in batch.all_events(self._limits.batch_events):
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
                yield LogEvent(report, record, *self._recognised(shapes.unwrap(fields)[1], batch.origin))
            else:
                yield LogEvent(report, record, batch.origin, fields)

    def _recognised(self, fields: Fields, otherwise: str) -> tuple[str, Fields]:
        shape = shapes.recognise(fields)
        if shape:
            return "windows", shapes.flatten(shape, fields)
        return self._recognise(fields) or otherwise, fields


def read_records(data: bytes, input_format: str, report: FileReport, limits: Limits) -> Iterator[Batch]:
    """Yield what a reader makes of whole records of one format.

    Args:
        data: The records as they came, one behind another.
        input_format: The reader's name; "" has them recognised.
        report: Their account.
        limits: Bounds.
    """
    blocks = (data[start : start + limits.read_bytes] for start in range(0, len(data), limits.read_bytes))
    stream = Stream(BlockSource(blocks), report)
    head = stream.head()
    if not head:
        return
    known = readers()
    reader = known[input_format] if input_format else recognise(make_head(report.path, head), known)
    if reader is None:
        report.note("unknown-format", "byte 0", describe(head))
        return
    report.format = reader.name
    yield from reader.read(stream, report, limits)
