"""Matching events that are kept by column: each distinct value once, each combination of classes once.

Batches are looked at as columns (:mod:`haidang.detect.column_look`); events are made of rows only where a rule
holds.

Whatever cannot be told from the columns exactly as from the decoded event (another shape, lists of objects,
user data, keywords that the gate does not rule out) is decoded and matched the plain way. A property test
holds both ways together.

All input is untrusted; a part of a file that cannot be decoded is noted and skipped.
"""

from __future__ import annotations

from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.column_look import ColumnLook, Looker
from haidang.detect.column_shapes import ColumnShape, PlainWayError
from haidang.events import shapes
from haidang.events.columns import UnreadableColumnsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.detect.column_look import Found
    from haidang.detect.matcher import Matcher
    from haidang.detect.tables import Held
    from haidang.events.columns import ColumnBatch, Layout, Path
    from haidang.events.model import Fields
    from haidang.limits import Limits

__all__ = ["ColumnHit", "ColumnMatcher"]

class ColumnHit(NamedTuple):
    """An event, by its position in the batch, for which rules hold."""

    row: int
    origin: str
    event: Fields
    rules: Held


class ColumnMatcher:
    """Applies a matcher to batches of columns."""

    def __init__(self, matcher: Matcher, limits: Limits, wanted: frozenset[str] | None = None) -> None:
        """Use ``matcher``; what is known of a layout is kept for its file.

        ``wanted`` are fields that hits must have besides those that rules look at; None for whole events.
        """
        self._wanted = wanted
        self._matcher = matcher
        self._limits = limits
        self._layout: Layout | None = None
        self._shape: ColumnShape | None = None
        self._always_known: dict[str, frozenset[str]] = {}
        self._looker = Looker(matcher, limits.memo_entries)

    def match(self, batch: ColumnBatch) -> Iterator[ColumnHit]:
        """Yield the hits of a batch in order, counting its events in the report."""
        batch.report.records += batch.rows
        try:
            found, plain, looked_at = self._look(batch)
            paths = self._paths(batch, looked_at, {origin for origin, _ in found.values()})
            yield from merge(
                self._answers(batch, found, set(), paths),
                self._answers(batch, {}, plain, None),
                key=attrgetter("row"),
            )
        except UnreadableColumnsError as error:
            batch.report.records -= batch.rows
            batch.report.note(
                "corrupt", f"record {batch.first}", error.message, skipped=batch.rows, count=batch.rows
            )

    def _paths(self, batch: ColumnBatch, looked_at: set[str], origins: set[str]) -> set[Path] | None:
        """Return the columns that hits need; None for all."""
        shape = self._shape
        if self._wanted is None or shape is None:
            return None
        names = {"Channel", "EventID", "Provider_Name", "SourceName", *looked_at}
        for origin in origins:
            names |= self._always(origin, self._wanted)
        tops = {name.partition(".")[0] for name in names} | names
        found: set[Path] = set()
        for path in batch.layout.leaves:
            # Close enough and never too few: a column by its own name, or inside something of a wanted name.
            if not tops.isdisjoint(path) or ".".join(path) in names:
                found.add(path)
        for name in names:
            try:
                found.update(shape.paths(name))
            except PlainWayError:
                return None
        return found

    def _always(self, origin: str, wanted: frozenset[str]) -> frozenset[str]:
        """Return the fields that every hit of an origin has, be they in the file."""
        known = self._always_known.get(origin)
        if known is None:
            names = self._matcher.needs(origin, wanted)
            names.update(self._matcher.routing_fields(origin) or ())
            names.update(name for one, some in self._matcher.recognised if one == origin for name in some)
            known = self._always_known[origin] = frozenset(names)
        return known

    def _answers(
        self,
        batch: ColumnBatch,
        found: Found,
        plain: set[int],
        paths: set[Path] | None,
    ) -> Iterator[ColumnHit]:
        rows = sorted({*found, *plain})
        size = self._limits.batch_events
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            for row, event in zip(some, batch.events(some, paths), strict=True):
                inner = shapes.unwrap(event)[1]
                shape = shapes.recognise(inner)
                fields = shapes.flatten(shape, inner) if shape else inner
                if row in plain:
                    origin = "windows" if shape else self._matcher.recognise(inner) or "json"
                    rules = self._matcher.match(origin, fields)
                    if rules:
                        yield ColumnHit(row, origin, fields, rules)
                else:
                    yield ColumnHit(row, found[row][0], fields, found[row][1])

    def _look(self, batch: ColumnBatch) -> ColumnLook:
        if batch.layout is not self._layout:
            self._layout = batch.layout
            self._looker.forget()
            try:
                self._shape = ColumnShape(batch.layout)
            except PlainWayError:
                self._shape = None
        if self._shape is None:
            return ColumnLook({}, set(range(batch.rows)), set())
        return self._looker.look(batch, self._shape)
