"""One look at a batch of columns: for which rows rules hold, and which rows columns cannot decide.

Rows are sorted into families (origin and routing values) by their codes. For each family, the route's tables
are asked for the class of each distinct value of each column that they look at; the classes of a row make its
signature, and each distinct signature is decided once. Rows are looked at only where a rule holds.

Families that look at bulky columns are looked at stretch by stretch, as are these columns for keywords.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from haidang.detect.column_fields import ColumnFields
from haidang.detect.column_keywords import ColumnKeywords
from haidang.detect.column_shapes import PlainWayError
from haidang.detect.column_signatures import ColumnSignature
from haidang.detect.semantics import holds
from haidang.detect.tables import Held
from haidang.detect.words import EventWords
from haidang.events.rendered import is_sysmon

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.column_fields import Rows
    from haidang.detect.column_keywords import HeldValues
    from haidang.detect.column_shapes import ColumnShape
    from haidang.detect.matcher import Matcher
    from haidang.detect.routes import Part, Route
    from haidang.detect.tables import Table
    from haidang.detect.values import FieldMemo
    from haidang.events.column_values import Array
    from haidang.events.columns import ColumnBatch, ColumnRows, ColumnStretch, Layout, Path
    from haidang.sigma.ir import Test

__all__ = ["Answer", "ColumnLook", "Found", "Looker"]


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

_FEW = 16
_LONG = 512
"""Characters from which on a value is long."""


class Looker:
    """Looks at batches; remembers what the values of a file were decided to be."""

    def __init__(self, matcher: Matcher, most_long: int) -> None:
        """Remember at most ``most_long`` long values of a field."""
        self._matcher = matcher
        self._most_long = most_long
        self._long: dict[int, dict[tuple[int, int], tuple[int, ...]]] = {}
        """Memo, by its identity, to what its long values were decided to be."""
        self._keywords: dict[bool, ColumnKeywords] = {}
        self._bulky: dict[Route, bool] = {}

    def forget(self) -> None:
        """Forget what was found in the columns of the last file."""
        self._bulky.clear()
        for keywords in self._keywords.values():
            keywords.forget()

    def look(self, batch: ColumnBatch, shape: ColumnShape | None) -> ColumnLook:
        """Look at a batch, at all columns but the bulky ones."""
        if shape is not None:
            try:
                return ColumnLook(self, self._matcher, shape, batch)
            except PlainWayError:
                pass
        return ColumnLook(self, self._matcher, None, batch)

    def is_bulky(self, route: Route, shape: ColumnShape, layout: Layout) -> bool:
        """Return whether a route looks at a bulky column."""
        if route not in self._bulky:
            accessors = [accessor for part in route.parts for accessor in part.looked_at]
            names = {name for accessor in accessors for name in accessor.needs()} if layout.bulky else ()
            try:
                paths = {path for name in names for path in shape.paths(name)}
            except PlainWayError:
                paths = set()
            self._bulky[route] = not paths.isdisjoint(layout.bulky)
        return self._bulky[route]

    def keywords(self, *, broad: bool) -> ColumnKeywords:
        """Return what searches for the keywords of all rules, or of those that meet every Windows event."""
        if broad not in self._keywords:
            gate = self._matcher.text_gate if broad else self._matcher.wide_text_gate
            self._keywords[broad] = ColumnKeywords(gate)
        return self._keywords[broad]

    def classes(self, memo: FieldMemo, values: Sequence[Any]) -> list[int]:
        """Return the class of each value."""
        if len(values) < _FEW or not _are_long(values):
            return [memo.classify(one) if isinstance(one, list | dict) else memo[one] for one in values]
        return self._recalled(memo, values)

    def _recalled(self, memo: FieldMemo, values: Sequence[Any]) -> list[int]:
        """Return the classes of long values, which memos do not keep: they are known again by their hash."""
        known = self._long.setdefault(id(memo), {})
        classes: list[int] = []
        for value in values:
            if value.__class__ is not str or len(value) < _LONG:
                classes.append(memo.classify(value) if isinstance(value, list | dict) else memo[value])
                continue
            # Python's hash of a text is keyed with a secret of the process, so that nobody can aim at it.
            key = (hash(value), len(value))
            ids = known.get(key)
            if ids is None:
                if len(known) >= self._most_long:
                    known.clear()
                number = memo[value]
                known[key] = memo.classes[number]
                classes.append(number)
            else:
                classes.append(memo.number(ids))
        return classes


class _Work(NamedTuple):
    """The rows of one route, sorted."""

    origin: str
    route: Route
    rows: Array
    sysmon: bool


class _Search(NamedTuple):
    """Rows that are searched for keywords."""

    keywords: ColumnKeywords
    rows: Array
    work: list[_Work]


class ColumnLook:
    """What was seen in a batch; its stretches complete it."""

    def __init__(
        self, looker: Looker, matcher: Matcher, shape: ColumnShape | None, batch: ColumnBatch
    ) -> None:
        """Look at a batch; without a shape, nothing can be told from its columns."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._pa, self._pc = pa, pc
        self._looker = looker
        self._matcher = matcher
        self._batch = batch
        self._found: Found = {}
        self._plain: set[int] = set() if shape else set(range(batch.rows))
        self._later: list[_Work] = []
        """Work that looks at bulky columns."""
        self._searches: list[_Search] = []
        self._held: HeldValues = {}
        if shape is not None:
            self._shape = shape
            for origin, rows in self._origins():
                if len(rows):
                    self._of_origin(origin, rows)

    def of_stretch(self, stretch: ColumnStretch) -> tuple[Found, set[int]]:
        """Return the rows of a stretch for which rules hold, and those that are to be matched the plain way.

        Rows count from the start of the stretch. The stretches of a batch come in order.
        """
        rows = range(stretch.start, stretch.start + stretch.rows)
        plain = {row - rows.start for row in self._plain if row in rows}
        found = {row - rows.start: one for row, one in self._found.items() if row in rows}
        held = {row - rows.start: values for row, values in self._held.items() if row in rows}
        work = [one._replace(rows=self._within(one.rows, stretch)) for one in self._later]
        for search in self._searches if self._batch.layout.bulky else ():
            among = self._within(search.rows, stretch)
            if len(among):
                more = search.keywords.held(stretch, self._batch.layout.bulky, self._few(among, stretch.rows))
                for row, values in more.items():
                    held[row] = [*held.get(row, ()), *values]
                    found.pop(row, None)
                if more:
                    work.extend(self._again(search.work, self._rows_of(more), stretch))
        self._decide(stretch, [one for one in work if len(one.rows)], held, found, plain)
        return {row: one for row, one in found.items() if row not in plain}, plain

    def _again(self, work: Iterable[_Work], held: Array, stretch: ColumnStretch) -> Iterator[_Work]:
        """Yield the work on rows of which a bulky column holds a keyword, unless it comes later anyway."""
        for one in work:
            if not any(one.route is other.route for other in self._later):
                rows = self._within(one.rows, stretch)
                yield one._replace(rows=rows.filter(self._pc.is_in(rows, value_set=held)))

    def _within(self, rows: Array, stretch: ColumnStretch) -> Array:
        """Return the rows that are in a stretch, counted from its start."""
        some = self._pc.subtract(rows, stretch.start)
        inside = self._pc.and_(self._pc.greater_equal(some, 0), self._pc.less(some, stretch.rows))
        return some.filter(inside)

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
            bulky = [self._looker.is_bulky(one.route, self._shape, self._batch.layout) for one in now]
            self._later.extend(one for one, later in zip(now, bulky, strict=True) if later)
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
        messages = [path for name in ("Message", "message") for path in self._shape.paths(name)]
        untold = self._pc.invert(self._present("UtcTime")).take(rows)
        if not messages or not untold.true_count:
            return rows
        if not self._batch.layout.bulky.isdisjoint(messages):
            return self._set_apart(rows, untold)
        rendered = self._every(value=False)
        for path in messages:
            rendered = self._pc.or_(rendered, self._valid(path))
        return self._set_apart(rows, self._pc.and_(untold, rendered.take(rows)))

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
            elif self._looker.keywords(broad=True).covers >= wanted:
                broad.append(one)
            elif self._looker.keywords(broad=False).covers >= wanted:
                narrow.append(one)
            else:
                self._plain.update(one.rows.to_pylist())
        columns = [path for path in self._batch.layout.leaves if path not in self._batch.layout.bulky]
        for some, is_broad in ((broad, True), (narrow, False)):
            if not some:
                continue
            keywords = self._looker.keywords(broad=is_broad)
            rows = self._pa.concat_arrays([one.rows for one in some])
            held = keywords.held(self._batch, columns, self._few(rows, self._batch.rows))
            if self._shape.name in _WHOLE:
                self._held.update(held)
                self._searches.append(_Search(keywords, rows, some))
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
        fields = ColumnFields(whole, self._shape, order)
        start = 0
        for one in work:
            rows = fields.rows(start, len(one.rows))
            start += len(one.rows)
            answers: dict[int, Held] = {}
            try:
                for part in one.route.parts:
                    for row, rules in self._of_part(part, one.rows, rows, held):
                        known = answers.get(row)
                        answers[row] = Held.merged([known, rules]) if known else rules
            except PlainWayError:
                plain.update(one.rows.to_pylist())
                continue
            for row, rules in answers.items():
                places = frozenset(path for path, _ in held.get(row, ()))
                found[row] = Answer(one.origin, one.route, rules, places)

    def _of_part(self, part: Part, places: Array, rows: Rows, held: HeldValues) -> Iterator[tuple[int, Held]]:
        table = part.table
        signature = ColumnSignature(self._pa, self._pc)
        for accessor, memo in zip(part.accessors, table.memos, strict=True):
            numbers, values = rows.values(accessor)
            signature.add(numbers, self._looker.classes(memo, values))
        if table.keywords:
            signature.add(*self._keyword_classes(table, places, held))
        for (_, test), (first, second) in zip(table.pairs, part.pairs, strict=True):
            numbers, pairs = self._pair(first, second, rows)
            signature.add(numbers, [int(holds(test, *pair)) for pair in pairs])
        numbers, signatures = signature.result()
        for at, one in enumerate(signatures):
            rules = table.signatures[one]
            if not rules:
                continue
            chosen = places if numbers is None else places.filter(self._pc.equal(numbers, at))
            for row in chosen.to_pylist():
                yield row, rules

    def _keyword_classes(
        self, table: Table, places: Array, held: HeldValues
    ) -> tuple[Array | None, list[int]]:
        """Return the number of each row's class among those that come after."""
        if not held:
            return None, [0]
        rows = self._rows_of(held)
        # Counted from 1, for most rows hold nothing.
        numbers = self._pc.add(self._pc.index_in(places, value_set=rows), 1).fill_null(0)
        if not self._pc.max(numbers).as_py():
            return None, [0]
        words = (EventWords({"": [value for _, value in held[row]]}) for row in rows.to_pylist())
        return numbers, [0, *map(table.keyword_class, words)]

    def _pair(
        self, first: Accessor, second: Accessor, rows: Rows
    ) -> tuple[Array | None, list[tuple[Any, Any]]]:
        left, lefts = rows.values(first)
        right, rights = rows.values(second)
        both = ColumnSignature(self._pa, self._pc)
        both.add(left, list(range(len(lefts))))
        both.add(right, list(range(len(rights))))
        numbers, keys = both.result()
        return numbers, [(lefts[one], rights[other]) for one, other in keys]


def _keywords(route: Route) -> frozenset[Test]:
    return frozenset(test for part in route.parts for _, test in part.table.keywords)


def _are_long(values: Sequence[Any]) -> bool:
    """Return whether values are long, going by a few of them."""
    some = values[:: max(1, len(values) // _FEW)]
    return any(value.__class__ is str and len(value) >= _LONG for value in some)
