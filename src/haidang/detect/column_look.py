"""One look at a batch of columns: for which rows rules hold, and which rows columns cannot decide.

Rows are sorted into families (origin and routing values) by their codes. For each family, the route's tables
are asked for the class of each distinct value of each column that they look at; the classes of a row make its
signature, and each distinct signature is decided once. Rows are looked at only where a rule holds.

Of families that look at bulky columns, what other columns say is looked up at once, and what the bulky ones
say stretch by stretch, as these are searched for keywords.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from haidang.detect.column_cells import CodeColumns
from haidang.detect.column_fields import ColumnFields
from haidang.detect.column_parts import PartLook
from haidang.detect.column_shapes import PlainWayError
from haidang.detect.tables import Held
from haidang.events.column_values import Cut
from haidang.events.rendered import is_sysmon

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.detect.column_fields import Rows
    from haidang.detect.column_keywords import ColumnKeywords, HeldValues
    from haidang.detect.column_memory import ColumnMemory
    from haidang.detect.column_shapes import ColumnShape
    from haidang.detect.column_signatures import ColumnSignature
    from haidang.detect.matcher import Matcher
    from haidang.detect.routes import Route
    from haidang.events.column_values import Array
    from haidang.events.columns import ColumnBatch, ColumnRows, ColumnStretch
    from haidang.events.row_groups import Path
    from haidang.sigma.ir import Test

__all__ = ["Answer", "ColumnLook", "Found"]


class Answer(NamedTuple):
    """What was decided of a row."""

    origin: str
    route: Route
    rules: Held
    held: frozenset[Path]
    """Columns of the row in which a keyword may be."""


Found: TypeAlias = "dict[int, Answer]"
"""Rows for which rules hold."""

_MERGED: dict[str, tuple[Path, ...]] = {
    "event": (("Event", "UserData"), ("Event", "ProcessingErrorData"), ("Event", "RenderingInfo")),
    "winlogbeat": (("winlog", "user_data"),),
    "flat": (),
}
"""Parts that flattening merges in: an event that has one is flattened."""

_WHOLE = frozenset({"", "flat"})
"""Shapes of which flattening drops nothing: what holds a keyword in the columns does in the event."""


class _Work(NamedTuple):
    """The rows of one route, sorted."""

    origin: str
    route: Route
    rows: Array
    sysmon: bool


class _Begun(NamedTuple):
    """Work of which bulky columns have a say: what the others say of it."""

    work: _Work
    cut: Cut
    parts: Sequence[tuple[PartLook, ColumnSignature, Sequence[int]]]
    """Tables with what is known of all rows, and the positions that are not."""
    answers: dict[int, Held]
    """What the tables decide that look at no bulky column."""


class _Search(NamedTuple):
    """Rows that are searched for keywords, sorted."""

    keywords: ColumnKeywords
    rows: Array
    cut: Cut
    work: list[_Work]


class ColumnLook:
    """What was seen in a batch; its stretches complete it."""

    def __init__(
        self, memory: ColumnMemory, matcher: Matcher, shape: ColumnShape | None, batch: ColumnBatch
    ) -> None:
        """Look at a batch; without a shape, nothing can be told from its columns."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._pa, self._pc = pa, pc
        self._memory = memory
        self._matcher = matcher
        self._batch = batch
        self._found: Found = {}
        self._plain: set[int] = set() if shape else set(range(batch.rows))
        self._begun: list[_Begun] = []
        self._searches: list[_Search] = []
        self._held: HeldValues = {}
        if shape is not None:
            self._shape = shape
            for origin, rows in self._origins():
                if len(rows):
                    self._of_origin(origin, rows)
        self._known = {
            "plain": sorted(self._plain),
            "found": sorted(self._found),
            "held": sorted(self._held),
        }

    def of_stretch(self, stretch: ColumnStretch) -> tuple[Found, set[int]]:
        """Return the rows of a stretch for which rules hold, and those that are to be matched the plain way.

        Rows count from the start of the stretch. The stretches of a batch come in order.
        """
        start, end = stretch.start, stretch.start + stretch.rows
        here = {
            name: known[bisect_left(known, start) : bisect_left(known, end)]
            for name, known in self._known.items()
        }
        plain = {row - start for row in here["plain"]}
        found = {row - start: self._found[row] for row in here["found"]}
        held = {row - start: self._held[row] for row in here["held"]}
        again: list[_Work] = []
        for search in self._searches if self._batch.layout.bulky else ():
            among = self._within(search.rows, search.cut, start, end)
            if len(among):
                more = search.keywords.held(stretch, self._batch.layout.bulky, self._few(among, stretch.rows))
                for row, values in more.items():
                    held[row] = [*held.get(row, ()), *values]
                    found.pop(row, None)
                if more:
                    again.extend(self._again(search.work, self._rows_of(more), start, end))
        self._decide(stretch, [one for one in again if len(one.rows)], held, found, plain)
        self._finish(stretch, held, found, plain)
        return {row: one for row, one in found.items() if row not in plain}, plain

    def _again(self, work: Iterable[_Work], held: Array, start: int, end: int) -> Iterator[_Work]:
        """Yield the work on rows of which a bulky column holds a keyword, unless it comes later anyway."""
        for one in work:
            if not any(one.route is begun.work.route for begun in self._begun):
                rows = self._within(one.rows, Cut(one.rows), start, end)
                yield one._replace(rows=rows.filter(self._pc.is_in(rows, value_set=held)))

    def _within(self, rows: Array, cut: Cut, start: int, end: int) -> Array:
        """Return the rows that are in a stretch, counted from its start."""
        return self._pc.subtract(rows.slice(*cut.between(start, end)), start)

    def _few(self, rows: Array, whole: int) -> Array | None:
        """Return rows if they are so few that it is better to pick them out first."""
        return rows if len(rows) * 2 < whole else None

    def _rows_of(self, held: HeldValues) -> Array:
        return self._pa.array(sorted(held), type=self._pa.int64())

    # Which rows are of which origin.

    def _origins(self) -> Iterator[tuple[str, Array]]:
        if self._shape.name:
            known = self._all_present(("Channel", "EventID"))
            for path in _MERGED[self._shape.name]:
                if self._has(path):
                    known = self._pc.and_not(known, self._valid(path))
            provider = ("Event", "System", "Provider")
            if self._shape.name == "event" and self._has(provider):
                bare = self._pc.and_not(self._valid(provider), self._valid((*provider, "#attributes")))
                known = self._pc.and_not(known, bare)
            self._plain.update(self._where(self._pc.invert(known)).to_pylist())
            yield "windows", self._where(known)
            return
        left = self._every(value=True)
        for origin, names in self._matcher.recognised:
            if any(not self._candidates(name) for name in names):
                continue
            mask = self._pc.and_(left, self._all_present(names))
            yield origin, self._where(mask)
            left = self._pc.and_not(left, mask)
        yield "json", self._where(left)

    def _has(self, path: Path) -> bool:
        return path in self._batch.layout.structures or path in self._batch.layout.leaves

    def _valid(self, path: Path) -> Array:
        """Return for each row whether a column, or any column inside a structure, has a value."""
        mask = None
        for leaf in self._batch.layout.leaves:
            if leaf[: len(path)] == path:
                mask = self._either(mask, self._batch.array(leaf).is_valid())
        return self._every(value=False) if mask is None else mask

    def _either(self, mask: Array | None, other: Array) -> Array:
        return other if mask is None else self._pc.or_(mask, other)

    def _every(self, *, value: bool) -> Array:
        return self._pa.repeat(value, self._batch.rows)

    def _candidates(self, name: str) -> list[Path]:
        """Return the columns and structures that a field may be, for its being there."""
        path = tuple(name.split("."))
        if path in self._batch.layout.structures or (name,) in self._batch.layout.structures:
            return [path if path in self._batch.layout.structures else (name,)]
        return list(self._shape.paths(name))

    def _all_present(self, names: Iterable[str]) -> Array:
        mask = self._every(value=True)
        for name in names:
            mask = self._pc.and_(mask, self._present(name))
        return mask

    def _present(self, name: str) -> Array:
        mask = None
        for path in self._candidates(name):
            mask = self._either(mask, self._valid(path))
        return self._every(value=False) if mask is None else mask

    def _where(self, mask: Array) -> Array:
        return self._pc.indices_nonzero(mask).cast(self._pa.int64())

    # Which rows are of which route.

    def _of_origin(self, origin: str, rows: Array) -> None:
        names = self._matcher.routing_fields(origin)
        if names is None:
            raise PlainWayError
        work = [one for one in self._routed(origin, names, rows) if not one.route.idle]
        work = [one for one in work if not self._needs_events(one)]
        work = [one._replace(rows=self._told(one.rows)) if one.sysmon else one for one in work]
        work = list(self._without_keywords(work))
        now = [one for one in work if len(one.rows)]
        if self._batch.layout.bulky:
            bulky = [self._memory.is_bulky(one.route, self._shape, self._batch.layout) for one in now]
            self._begin([one for one, later in zip(now, bulky, strict=True) if later])
            now = [one for one, later in zip(now, bulky, strict=True) if not later]
        self._decide(self._batch, now, self._held, self._found, self._plain)

    def _needs_events(self, work: _Work) -> bool:
        """Return whether a table of a route looks at whole events; if so, have its rows matched so."""
        if any(part.table.looks_at_events for part in work.route.parts):
            self._plain.update(work.rows.to_pylist())
            return True
        return False

    def _routed(self, origin: str, names: Sequence[str], rows: Array) -> Iterator[_Work]:
        if not names:
            yield _Work(origin, self._matcher.route(origin, {}), rows, sysmon=False)
            return
        fields = ColumnFields(self._batch, self._shape, rows).rows(0, len(rows))
        numbers, combinations = fields.combinations(names)
        if numbers is None:
            order, counts = rows, {0: len(rows)}
        else:
            # Sorting keeps the order among equals.
            order = rows.take(self._pc.array_sort_indices(numbers))
            counts = {entry["values"]: entry["counts"] for entry in numbers.value_counts().to_pylist()}
        start = 0
        for at, combination in enumerate(combinations):
            values = dict(zip(names, combination, strict=True))
            some = order.slice(start, counts[at])
            start += counts[at]
            sysmon = origin == "windows" and is_sysmon(values.get("Channel"))
            yield _Work(origin, self._matcher.route(origin, values), some, sysmon)

    def _told(self, rows: Array) -> Array:
        """Return the rows of events of Sysmon that do not have to be read from their message."""
        untold = self._untold
        return rows if untold is None else self._set_apart(rows, untold.take(rows))

    @cached_property
    def _untold(self) -> Array | None:
        """Where events, were they of Sysmon, would have to be read from their message; None for nowhere."""
        messages = [path for name in ("Message", "message") for path in self._shape.paths(name)]
        untold = self._pc.invert(self._present("UtcTime"))
        if not messages or not untold.true_count:
            return None
        if self._batch.layout.bulky.isdisjoint(messages):
            rendered = self._every(value=False)
            for path in messages:
                rendered = self._pc.or_(rendered, self._valid(path))
            untold = self._pc.and_(untold, rendered)
        return untold if untold.true_count else None

    def _set_apart(self, rows: Array, mask: Array) -> Array:
        """Have the rows where ``mask`` holds matched the plain way; return the others."""
        if not mask.true_count:
            return rows
        self._plain.update(rows.filter(mask).to_pylist())
        return rows.filter(self._pc.invert(mask))

    # Keywords.

    def _without_keywords(self, work: Sequence[_Work]) -> Iterator[_Work]:
        """Yield the work without the rows that may hold a keyword of their route."""
        broad: list[_Work] = []
        narrow: list[_Work] = []
        for one in work:
            wanted = _keywords(one.route)
            if not wanted:
                yield one
            elif self._memory.keywords(broad=True).covers >= wanted:
                broad.append(one)
            elif self._memory.keywords(broad=False).covers >= wanted:
                narrow.append(one)
            else:
                self._plain.update(one.rows.to_pylist())
        columns = [path for path in self._batch.layout.leaves if path not in self._batch.layout.bulky]
        for some, is_broad in ((broad, True), (narrow, False)):
            if not some:
                continue
            keywords = self._memory.keywords(broad=is_broad)
            rows = self._pa.concat_arrays([one.rows for one in some])
            held = keywords.held(self._batch, columns, self._few(rows, self._batch.rows))
            if self._shape.name in _WHOLE:
                self._held.update(held)
                rows = rows.take(self._pc.array_sort_indices(rows))
                self._searches.append(_Search(keywords, rows, Cut(rows), some))
                yield from some
                continue
            apart = self._rows_of({**held, **keywords.held(self._batch, self._batch.layout.bulky)})
            for one in some:
                mask = self._pc.is_in(one.rows, value_set=apart)
                yield one._replace(rows=self._set_apart(one.rows, mask))

    # What holds in the rows of one route.

    def _decide(
        self, whole: ColumnRows, work: Sequence[_Work], held: HeldValues, found: Found, plain: set[int]
    ) -> None:
        """Decide the rows of some routes: for which rules hold, and which columns cannot decide."""
        if not work:
            return
        order = self._pa.concat_arrays([one.rows for one in work])
        fields, codes = ColumnFields(whole, self._shape, order), CodeColumns(whole)
        cells = self._memory.cells
        start = 0
        for one in work:
            rows = fields.rows(start, len(one.rows))
            start += len(one.rows)
            answers: dict[int, Held] = {}
            try:
                for part in one.route.parts:
                    if cells is not None and not (held and part.table.keywords):
                        told = cells.holding(part, self._shape, codes, one.rows)
                        if told is not None:
                            _merge(answers, told)
                            continue
                    look = PartLook(part, self._memory.classes)
                    signature = look.ask(look.nothing(), look.positions, rows, one.rows, held)
                    _merge(answers, look.holding(signature, one.rows))
            except PlainWayError:
                plain.update(one.rows.to_pylist())
                continue
            self._answer(one, answers, held, found)

    def _begin(self, work: Sequence[_Work]) -> None:
        """Ask everything but bulky columns of the rows of some routes."""
        if not work:
            return
        fields = ColumnFields(self._batch, self._shape, self._pa.concat_arrays([one.rows for one in work]))
        start = 0
        for one in work:
            rows = fields.rows(start, len(one.rows))
            start += len(one.rows)
            try:
                looks = [PartLook(part, self._memory.classes) for part in one.route.parts]
                begun = _Begun(one, Cut(one.rows), list(self._parts(looks, rows)), {})
            except PlainWayError:
                self._plain.update(one.rows.to_pylist())
                continue
            for look, signature, later in begun.parts:
                if not later:
                    _merge(begun.answers, look.holding(signature, one.rows))
            self._begun.append(begun._replace(parts=[part for part in begun.parts if part[2]]))

    def _parts(
        self, looks: Iterable[PartLook], rows: Rows
    ) -> Iterator[tuple[PartLook, ColumnSignature, Sequence[int]]]:
        for look in looks:
            later = [at for at in look.positions if look.asks_keywords(at) or self._is_bulky(look, at)]
            at_once = [at for at in look.positions if at not in later]
            yield look, look.ask(look.nothing(), at_once, rows, None, {}), later

    def _is_bulky(self, look: PartLook, position: int) -> bool:
        return self._memory.looks_at_bulky(look.accessors(position), self._shape, self._batch.layout)

    def _finish(self, stretch: ColumnStretch, held: HeldValues, found: Found, plain: set[int]) -> None:
        """Ask bulky columns, in the rows of a stretch, what is left to ask."""
        first, end = stretch.start, stretch.start + stretch.rows
        cuts = [(one, one.cut.between(first, end)) for one in self._begun]
        cuts = [(one, cut) for one, cut in cuts if cut[1]]
        if not cuts:
            return
        order = [self._pc.subtract(one.work.rows.slice(*cut), first) for one, cut in cuts]
        fields = ColumnFields(stretch, self._shape, self._pa.concat_arrays(order))
        start = 0
        for (one, cut), places in zip(cuts, order, strict=True):
            rows = fields.rows(start, len(places))
            start += len(places)
            answers = {row - first: rules for row, rules in one.answers.items() if first <= row < end}
            try:
                for look, known, later in one.parts:
                    signature = look.ask(known.slice(*cut), later, rows, places, held)
                    _merge(answers, look.holding(signature, places))
            except PlainWayError:
                plain.update(places.to_pylist())
                continue
            self._answer(one.work, answers, held, found)

    def _answer(self, work: _Work, answers: dict[int, Held], held: HeldValues, found: Found) -> None:
        for row, rules in answers.items():
            places = frozenset(path for path, _ in held.get(row, ()))
            found[row] = Answer(work.origin, work.route, rules, places)


def _merge(answers: dict[int, Held], more: Iterable[tuple[int, Held]]) -> None:
    for row, rules in more:
        known = answers.get(row)
        answers[row] = Held.merged([known, rules]) if known else rules


def _keywords(route: Route) -> frozenset[Test]:
    return frozenset(test for part in route.parts for _, test in part.table.keywords)
