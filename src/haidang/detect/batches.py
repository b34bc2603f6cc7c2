"""Batches of events in, hits out: the loop that every log line goes through.

Undecoded documents are tried in the lane of the shape that the last plain document had; whatever a lane
refuses, and whatever a keyword may be in, is decoded whole. What cannot be decoded is noted in the file's
report by kind, with its record, and skipped. Nothing here raises for the content of a log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.detect.gate import Joined
from haidang.detect.lanes import LaneSet
from haidang.events import shapes
from haidang.events.model import DocumentBatch, EventBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.detect.columns import ColumnMatcher
    from haidang.detect.matcher import Matcher
    from haidang.detect.plans import PlanSet
    from haidang.detect.tables import Held
    from haidang.events.columns import ColumnBatch
    from haidang.events.model import Batch, Fields, FileReport
    from haidang.limits import Limits

__all__ = ["BatchMatcher", "Hit", "Wanted", "decode_document"]

_OPENING = (b"{", b"[")
_TRIM_EVERY = 32_768
"""Events after which what the tables remember is looked over."""


class Hit(NamedTuple):
    """An event that at least one rule holds for."""

    record: int
    origin: str
    event: Fields
    rules: Held
    raw: bytes = b""
    """The document as it was read, where there is one."""


class Wanted(NamedTuple):
    """What a hit must have of its event, where reading less is possible."""

    always: frozenset[str]
    """Fields that every hit must have, by the names of rules and of events together."""
    of_rule: Callable[[int], Sequence[str] | None]
    """Gives the fields that a rule looks at, None for all that are looked at together with them."""


class BatchMatcher:
    """Applies a matcher to batches; remembers which JSON shape the documents have."""

    def __init__(
        self,
        matcher: Matcher,
        limits: Limits,
        wanted: Wanted | None = None,
        patience: int | None = None,
    ) -> None:
        """Use ``matcher``; lanes are kept over files, for a folder of logs repeats its shapes.

        ``wanted`` is what hits must have, None for whole events.
        ``patience``: see :meth:`~haidang.detect.matcher.Matcher.lanes`.
        """
        self._wanted = wanted
        self._matcher = matcher
        self._patience = patience
        self._limits = limits
        self._sets: dict[tuple[str, str], LaneSet | PlanSet | None] = {}
        self._lanes: LaneSet | PlanSet | None = None
        self._untrimmed = 0
        self._by_column: ColumnMatcher | None = None

    @property
    def lanes(self) -> list[LaneSet | PlanSet]:
        """The lanes that were made, for each shape of documents that came."""
        return [lanes for lanes in self._sets.values() if lanes is not None]

    def match(self, batch: Batch) -> Iterator[Hit]:
        """Yield the hits of a batch in order, counting its events in the report."""
        self._untrimmed += len(batch.records)
        if self._untrimmed >= _TRIM_EVERY:
            self._untrimmed = 0
            if self._matcher.trim():
                for lanes in self.lanes:
                    lanes.forget()
        if isinstance(batch, DocumentBatch):
            return self._documents(batch)
        return self._events(batch) if isinstance(batch, EventBatch) else self._columns(batch)

    def _columns(self, batch: ColumnBatch) -> Iterator[Hit]:
        # Columns need a library that not everybody has.
        from haidang.detect.columns import ColumnMatcher

        if self._by_column is None:
            self._by_column = ColumnMatcher(self._matcher, self._limits, self._wanted)
        for row, origin, event, rules in self._by_column.match(batch):
            # What is read of a row depends on the rules; its identity must not.
            record = batch.first + row
            yield Hit(record, origin, event, rules, b"%d" % record)

    def _events(self, batch: EventBatch) -> Iterator[Hit]:
        batch.report.records += len(batch.events)
        match, recognise = self._matcher.match, self._matcher.recognise
        for event, record in zip(batch.events, batch.records, strict=True):
            origin = batch.origin
            fields = event
            if origin in {"", "json", "csv"}:
                _, inner = shapes.unwrap(event)
                origin, fields = _as_windows(inner) or (recognise(inner) or origin, inner)
            rules = match(origin, fields)
            if rules:
                yield Hit(record, origin, fields, rules)

    def _documents(self, batch: DocumentBatch) -> Iterator[Hit]:
        documents, records, report = batch.documents, batch.records, batch.report
        # Indices of documents that may hold a keyword, the next one last; found when there is a lane.
        held: list[int] | None = None
        at, end = 0, len(documents)
        while at < end:
            lanes = self._lanes
            if lanes is not None and not isinstance(lanes, LaneSet):
                yield from self._by_plans(lanes, batch, at)
                return
            if lanes is not None:
                if held is None:
                    held = self._matcher.gate.candidates(Joined(documents))[::-1]
                while held and held[-1] < at:
                    held.pop()
                stop, rules = lanes.run(documents, at, held[-1] if held else end)
                report.records += stop - at
                at = stop
                if rules:
                    # The lane decoded what it needed; evidence wants the whole event.
                    report.records += 1
                    yield self._whole(documents[at], records[at], report, rules)
                    at += 1
                    continue
                if at == end:
                    return
            yield from self._plainly(documents[at], records[at], report)
            at += 1

    def _by_plans(self, lanes: PlanSet, batch: DocumentBatch, first: int) -> Iterator[Hit]:
        """Match the documents from ``first`` on."""
        documents, records, report = batch.documents, batch.records, batch.report
        joined = Joined(documents)
        found = lanes.look(joined, first)
        found.update((at, None) for at in self._matcher.gate.candidates(joined) if at >= first)
        done = first
        for at in sorted(found):
            report.records += at - done
            done = at + 1
            rules = found[at]
            if rules is None:
                yield from self._plainly(documents[at], records[at], report)
            else:
                # The values that rules look at are all that was looked at; evidence wants the whole event.
                report.records += 1
                document = documents[at]
                yield Hit(records[at], "windows", lanes.flatten(document), rules, document)
        report.records += len(documents) - done

    def _plainly(self, document: bytes, record: int, report: FileReport) -> Iterator[Hit]:
        """Match a document by decoding all of it."""
        if document and not document.isspace():
            before = report.skipped
            hit = self._plain(document, record, report)
            report.records += report.skipped == before
            if hit is not None and hit.rules:
                yield hit

    def _plain(self, document: bytes, record: int, report: FileReport) -> Hit | None:
        """Decode a document wholly, flatten it and match it; None for one that cannot be decoded."""
        event = decode_document(document, record, report, self._limits)
        if event is None:
            return None
        wrapper, inner = shapes.unwrap(event)
        shape = shapes.recognise(inner)
        if not shape:
            origin = self._matcher.recognise(inner) or "json"
            return Hit(record, origin, inner, self._matcher.match(origin, inner), document)
        fields = shapes.flatten(shape, inner)
        self._lanes = self._lane_set(shape, wrapper)
        return Hit(record, "windows", fields, self._matcher.match("windows", fields), document)

    def _whole(self, document: bytes, record: int, report: FileReport, rules: Held) -> Hit:
        """Return the hit of a document that a lane has matched."""
        _, inner = shapes.unwrap(decode_document(document, record, report, self._limits) or {})
        shape = shapes.recognise(inner)
        return Hit(record, "windows", shapes.flatten(shape, inner) if shape else inner, rules, document)

    def _lane_set(self, shape: str, wrapper: str) -> LaneSet | PlanSet | None:
        key = (shape, wrapper)
        if key not in self._sets:
            self._sets[key] = self._matcher.lanes(shape, wrapper, self._limits, self._patience)
        return self._sets[key]


def _as_windows(event: Fields) -> tuple[str, Fields] | None:
    """Return a decoded event as a Windows event when it has one of their shapes."""
    shape = shapes.recognise(event)
    return ("windows", shapes.flatten(shape, event)) if shape else None


def decode_document(document: bytes, record: int, report: FileReport, limits: Limits) -> Fields | None:
    """Return the object of one JSON document, or None after noting what is wrong with it.

    Bytes that are not UTF-8 are replaced and noted, for the rest of the event still counts.
    """
    where = f"record {record}"
    if _depth_exceeds(document, limits.json_depth):
        report.note("too-deep", where, f"JSON nested deeper than {limits.json_depth} levels", skipped=1)
        return None
    try:
        event = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        event = _repaired(document)
        if event is None:
            report.note("broken-line", where, f"not valid JSON: {error.msg} at byte {error.pos}", skipped=1)
            return None
        report.note("invalid-utf8", where, "bytes or escapes that are no Unicode text were replaced")
    if not isinstance(event, dict):
        report.note("broken-line", where, "valid JSON, but not an object", skipped=1)
        return None
    return event


def _repaired(document: bytes) -> Any:
    """Return what a document holds besides bytes that are not UTF-8 and halves of surrogate pairs.

    One such byte must not hide an event; None where the rest is no JSON either.
    """
    import json

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(document.decode("utf-8", "replace"), parse_constant=refuse)
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _depth_exceeds(document: bytes, most: int) -> bool:
    """Return whether a document is nested deeper than ``most``; brackets inside strings do not count."""
    if sum(map(document.count, _OPENING)) <= most:
        return False
    depth = 0
    inside = escaped = False
    for byte in document:
        if inside:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside = False
        elif byte == 0x22:
            inside = True
        elif byte in b"{[":
            depth += 1
            if depth > most:
                return True
        elif byte in b"}]":
            depth -= 1
    return False
