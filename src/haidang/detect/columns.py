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
    from collections.abc import Iterator, Sequence

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


class _Told:
    """How much of a batch was told, and the hits that wait until there are enough to make them together."""

    def __init__(self, batch: ColumnBatch) -> None:
        self.batch = batch
        self.done = 0
        """Rows of which all is told."""
        self.end = 0
        """Rows of which all is told once nothing waits."""
        self.rows: list[int] = []
        """Those that wait."""
        self._wanted: list[frozenset[Path] | None] = []
        self._answers: list[Answer] = []

    def add(
        self, end: int, rows: Sequence[int], wanted: Sequence[frozenset[Path] | None], answers: list[Answer]
    ) -> None:
        """Have the hits of a stretch wait that ends before row ``end``."""
        self.rows += rows
        self._wanted += wanted
        self._answers += answers
        self.end = end

    def some(self, most: int) -> tuple[list[int], list[frozenset[Path] | None], list[Answer]]:
        """Return the first ones that wait: rows, the columns that each needs, and what was decided."""
        return self.rows[:most], self._wanted[:most], self._answers[:most]

    def forget(self, count: int) -> None:
        """Let go of the first ones."""
        for waiting in (self.rows, self._wanted, self._answers):
            del waiting[:count]


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
        batch.report.records += batch.rows
        told = _Told(batch)
        problem = ""
        try:
            look = self._look(batch)
            for stretch in batch.stretches():
                yield from self._answers(told, stretch, *look.of_stretch(stretch))
        except UnreadableColumnsError as error:
            problem = error.message
        try:
            # What was found before a part that cannot be read is told all the same.
            yield from self._hits(told)
        except UnreadableColumnsError as error:
            problem = problem or error.message
        if problem:
            lost = batch.rows - told.done
            batch.report.records -= lost
            where = f"record {batch.first + told.done}"
            batch.report.note("corrupt", where, problem, skipped=lost, count=lost)

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

    def _answers(
        self, told: _Told, stretch: ColumnStretch, found: Found, plain: set[int]
    ) -> Iterator[ColumnHit]:
        """Yield the hits of a stretch; those that need no bulky column wait, for they are made together."""
        rows = sorted({*found, *plain})
        wanted = [None if row in plain else self._paths(stretch.layout, found[row]) for row in rows]
        end = stretch.start + stretch.rows
        if not plain and _without_bulky(stretch.layout, wanted):
            told.add(end, [stretch.start + row for row in rows], wanted, [found[row] for row in rows])
            if len(told.rows) >= self._limits.batch_events:
                yield from self._hits(told)
            return
        yield from self._hits(told)
        size = self._limits.batch_events
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            for row, event in zip(some, stretch.events(some, wanted[start : start + size]), strict=True):
                at = stretch.start + row
                if row in plain:
                    fields, shape = _flattened(event)
                    origin = "windows" if shape else self._matcher.recognise(fields) or "json"
                    rules = self._matcher.match(origin, fields)
                    if rules:
                        yield ColumnHit(at, origin, fields, rules)
                else:
                    yield _hit(at, event, found[row])
        told.done = end

    def _hits(self, told: _Told) -> Iterator[ColumnHit]:
        """Yield the hits that wait."""
        while told.rows:
            rows, wanted, answers = told.some(self._limits.batch_events)
            events = told.batch.events(rows, wanted)
            told.forget(len(rows))
            yield from map(_hit, rows, events, answers)
        told.done = max(told.done, told.end)

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


def _without_bulky(layout: Layout, wanted: Sequence[frozenset[Path] | None]) -> bool:
    """Return whether no event needs a bulky column, of which only a stretch should be held."""
    return not layout.bulky or all(
        paths is not None and layout.bulky.isdisjoint(paths) for paths in dict.fromkeys(wanted)
    )


def _flattened(event: Fields) -> tuple[Fields, str]:
    """Return the fields of an event, and its shape, "" for none of Windows."""
    inner = shapes.unwrap(event)[1]
    shape = shapes.recognise(inner)
    return shapes.flatten(shape, inner) if shape else inner, shape


def _hit(row: int, event: Fields, answer: Answer) -> ColumnHit:
    return ColumnHit(row, answer.origin, _flattened(event)[0], answer.rules)
