"""Matching events that are kept by column: each distinct value once, each combination of classes once.

Batches are looked at as columns (:mod:`haidang.detect.column_look`); events are made of rows only where a
rule holds.

Whatever cannot be told from the columns exactly as from the decoded event (another shape, lists of objects,
user data, keywords that the gate does not rule out) is decoded and matched the plain way. A property test
holds both ways together.

All input is untrusted; a part of a file that cannot be decoded is noted and skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.detect.column_look import ColumnLook
from haidang.detect.column_memory import ColumnMemory
from haidang.detect.column_shapes import ColumnShape, PlainWayError
from haidang.events import shapes
from haidang.events.row_groups import UnreadableColumnsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.detect.batches import Wanted
    from haidang.detect.column_look import Answer, Found
    from haidang.detect.matcher import Matcher
    from haidang.detect.tables import Held
    from haidang.events.columns import ColumnBatch, ColumnStretch
    from haidang.events.model import Fields
    from haidang.events.row_groups import Layout, Path
    from haidang.limits import Limits

__all__ = ["ColumnHit", "ColumnMatcher"]

_MOST_KNOWN = 10_000
"""Combinations of rules of which it is remembered what their hits need."""


class ColumnHit(NamedTuple):
    """An event, by its position in the batch, for which rules hold."""

    row: int
    origin: str
    event: Fields
    rules: Held


class ColumnMatcher:
    """Applies a matcher to batches of columns."""

    def __init__(self, matcher: Matcher, limits: Limits, wanted: Wanted | None = None) -> None:
        """Use ``matcher``; what is known of a layout is kept for its file.

        ``wanted`` is what hits must have, None for whole events.
        """
        self._wanted = wanted
        self._matcher = matcher
        self._limits = limits
        self._layout: Layout | None = None
        self._shape: ColumnShape | None = None
        self._always_known: dict[str, frozenset[str]] = {}
        self._paths_known: dict[tuple[Any, ...], frozenset[Path] | None] = {}
        self._memory = ColumnMemory(matcher, limits.memo_entries)

    def match(self, batch: ColumnBatch) -> Iterator[ColumnHit]:
        """Yield the hits of a batch in order, counting its events in the report."""
        done = 0
        batch.report.records += batch.rows
        try:
            look = self._look(batch)
            for stretch in batch.stretches():
                yield from self._answers(stretch, *look.of_stretch(stretch))
                done += stretch.rows
        except UnreadableColumnsError as error:
            lost = batch.rows - done
            batch.report.records -= lost
            where = f"record {batch.first + done}"
            batch.report.note("corrupt", where, error.message, skipped=lost, count=lost)

    def _look(self, batch: ColumnBatch) -> ColumnLook:
        if batch.layout is not self._layout:
            self._layout = batch.layout
            self._memory.forget()
            self._paths_known.clear()
            try:
                self._shape = ColumnShape(batch.layout)
            except PlainWayError:
                self._shape = None
        if self._shape is not None:
            try:
                return ColumnLook(self._memory, self._matcher, self._shape, batch)
            except PlainWayError:
                pass
        return ColumnLook(self._memory, self._matcher, None, batch)

    def _answers(self, stretch: ColumnStretch, found: Found, plain: set[int]) -> Iterator[ColumnHit]:
        rows = sorted({*found, *plain})
        size = self._limits.batch_events
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            wanted = [None if row in plain else self._paths(stretch.layout, found[row]) for row in some]
            for row, event in zip(some, stretch.events(some, wanted), strict=True):
                at = stretch.start + row
                inner = shapes.unwrap(event)[1]
                shape = shapes.recognise(inner)
                fields = shapes.flatten(shape, inner) if shape else inner
                if row in plain:
                    origin = "windows" if shape else self._matcher.recognise(inner) or "json"
                    rules = self._matcher.match(origin, fields)
                    if rules:
                        yield ColumnHit(at, origin, fields, rules)
                else:
                    yield ColumnHit(at, found[row].origin, fields, found[row].rules)

    def _paths(self, layout: Layout, answer: Answer) -> frozenset[Path] | None:
        """Return the columns that a hit needs; None for all."""
        if self._wanted is None:
            return None
        tables = tuple(id(table) for table, _ in answer.rules.why)
        key = (answer.origin, answer.route, answer.rules, tables, answer.held)
        if key not in self._paths_known:
            if len(self._paths_known) >= _MOST_KNOWN:
                self._paths_known.clear()
            self._paths_known[key] = self._columns(layout, answer, self._wanted)
        return self._paths_known[key]

    def _columns(self, layout: Layout, answer: Answer, wanted: Wanted) -> frozenset[Path] | None:
        names = self._names(answer, wanted)
        tops = {name.partition(".")[0] for name in names} | names
        # Close enough and never too few: a column by its own name, or inside something of a wanted name.
        found = {path for path in layout.leaves if not tops.isdisjoint(path) or ".".join(path) in names}
        for name in names if self._shape else ():
            try:
                found.update(self._shape.paths(name) if self._shape else ())
            except PlainWayError:
                return None
        # Where a keyword may be, evidence looks for it.
        return answer.held | found

    def _names(self, answer: Answer, wanted: Wanted) -> set[str]:
        """Return the fields of events that evidence of a hit may ask for."""
        names = {"Channel", "EventID", "Provider_Name", "SourceName", *self._always(answer.origin, wanted)}
        tables = {id(table) for table, _ in answer.rules.why}
        for part in answer.route.parts:
            if id(part.table) in tables:
                for index in answer.rules:
                    fields = wanted.of_rule(index)
                    # What is matched otherwise than by rules may ask for anything that was looked at.
                    accessors = part.looked_at if fields is None else map(part.binding.accessor, fields)
                    names.update(need for accessor in accessors for need in accessor.needs())
        return names

    def _always(self, origin: str, wanted: Wanted) -> frozenset[str]:
        """Return the fields that every hit of an origin has, be they in the file."""
        known = self._always_known.get(origin)
        if known is None:
            names = self._matcher.needs(origin, wanted.always)
            names.update(self._matcher.routing_fields(origin) or ())
            names.update(name for one, some in self._matcher.recognised if one == origin for name in some)
            known = self._always_known[origin] = frozenset(names)
        return known
