"""Matching events that are kept by column: each distinct value once, each combination of classes once.

Rows are sorted into families (origin and routing values) by their codes. For each family, the route's tables
are asked for the class of each distinct value of each column that they look at; the classes of a row make its
signature, and each distinct signature is decided once. Rows are looked at only where a rule holds.

Whatever cannot be told from the columns exactly as from the decoded event (another shape, lists of objects,
user data, keywords that the gate does not rule out) is decoded and matched the plain way. A property test
holds both ways together.

All input is untrusted; a part of a file that cannot be decoded is noted and skipped.
"""

from __future__ import annotations

from functools import lru_cache
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from haidang.detect.column_shapes import ColumnShape, PlainWayError
from haidang.detect.column_signatures import ColumnSignature
from haidang.detect.semantics import holds
from haidang.detect.tables import Held
from haidang.events import shapes
from haidang.events.columns import UnreadableColumnsError, text_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.matcher import Matcher
    from haidang.detect.routes import Part, Route
    from haidang.detect.values import FieldMemo
    from haidang.events.columns import Array, ColumnBatch, Encoded, Layout, Path
    from haidang.events.model import Fields
    from haidang.limits import Limits
    from haidang.sigma.ir import Test

__all__ = ["ColumnHit", "ColumnMatcher"]

_MERGED: dict[str, tuple[Path, ...]] = {
    "event": (("Event", "UserData"), ("Event", "ProcessingErrorData"), ("Event", "RenderingInfo")),
    "winlogbeat": (("winlog", "user_data"),),
    "flat": (),
}
"""Parts that flattening merges in: an event that has one is flattened."""


_NUMERIC = frozenset("0123456789+-.einfatruls")
_BLOCK = 8
"""Values that are searched for keywords together before they are looked at one by one."""
_FEW = 16
_LONG = 512
"""Characters from which on a value is long."""
_STRETCH = 2048
"""Values whose bytes are copied at once for that."""


_Found: TypeAlias = "dict[int, tuple[str, Held]]"
"""Row to the origin of its event and the rules that hold."""


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
        self._searched: dict[Path, tuple[Array, list[int]]] = {}
        """Column to the distinct values that were searched last, and those that may hold a keyword."""
        self._long: dict[int, dict[tuple[int, int], tuple[int, ...]]] = {}
        """Memo, by its identity, to what its long values were decided to be."""

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
        found: _Found,
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

    def _look(self, batch: ColumnBatch) -> tuple[_Found, set[int], set[str]]:
        """Return the rows for which rules hold, those to go the plain way, and the fields looked at."""
        if batch.layout is not self._layout:
            self._layout = batch.layout
            self._searched.clear()
            try:
                self._shape = ColumnShape(batch.layout)
            except PlainWayError:
                self._shape = None
        if self._shape is None:
            return {}, set(range(batch.rows)), set()
        return _Look(
            self._matcher, self._shape, batch, self._searched, self._long, self._limits.memo_entries
        ).run()


class _Look:
    """One look at one batch."""

    def __init__(
        self,
        matcher: Matcher,
        shape: ColumnShape,
        batch: ColumnBatch,
        searched: dict[Path, tuple[Array, list[int]]],
        long: dict[int, dict[tuple[int, int], tuple[int, ...]]],
        most_long: int,
    ) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self._pa, self._pc = pa, pc
        self._matcher = matcher
        self._shape = shape
        self._batch = batch
        self._searched = searched
        self._long = long
        self._most_long = most_long
        self._found: _Found = {}
        self._names: set[str] = set()
        self._plain: set[int] = set()
        self._numbers_count = _may_be_in_number(matcher.wide_gate.covers)
        """Whether a keyword may be in a number."""

    def run(self) -> tuple[_Found, set[int], set[str]]:
        """Look at all rows."""
        try:
            for origin, rows in self._origins():
                if len(rows):
                    self._of_origin(origin, rows)
        except PlainWayError:
            return {}, set(range(self._batch.rows)), set()
        return self._found, self._plain, self._names

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
        left = self._pa.array([True] * self._batch.rows)
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
        mask = self._nothing()
        for leaf in self._batch.layout.leaves:
            if leaf[: len(path)] == path:
                mask = self._pc.or_(mask, self._present(leaf))
        return mask

    def _present(self, leaf: Path) -> Array:
        column = self._batch.encoded(leaf)
        return self._pc.not_equal(column.codes, column.absent)

    def _nothing(self) -> Array:
        return self._pa.array([False] * self._batch.rows)

    def _candidates(self, name: str) -> list[Path]:
        """Return the columns and structures that a field may be, for its being there."""
        path = tuple(name.split("."))
        if path in self._batch.layout.structures or (name,) in self._batch.layout.structures:
            return [path if path in self._batch.layout.structures else (name,)]
        return list(self._shape.paths(name))

    def _all_present(self, names: Sequence[str]) -> Array:
        mask = None
        for name in names:
            present = self._nothing()
            for path in self._candidates(name):
                present = self._pc.or_(present, self._valid(path))
            mask = present if mask is None else self._pc.and_(mask, present)
        return mask

    def _where(self, mask: Array) -> Array:
        return self._pc.indices_nonzero(mask).cast(self._pa.int64())

    # Which rows are of which route.

    def _of_origin(self, origin: str, rows: Array) -> None:
        names = self._matcher.routing_fields(origin)
        if names is None:
            raise PlainWayError
        work: list[tuple[Route, Array]] = []
        if not names:
            work.append((self._matcher.route(origin, {}), rows))
        else:
            codes, values = self._distinct([self._columns(name, rows) for name in names], rows)
            order = self._pc.array_sort_indices(codes)
            counts = [0] * len(values)
            for entry in codes.value_counts().to_pylist():
                counts[entry["values"]] = entry["counts"]
            start = 0
            for combination, count in zip(values, counts, strict=True):
                # Sorting does not keep order among equals; what is found is put in order at the end.
                some = rows.take(order.slice(start, count))
                start += count
                route = self._matcher.route(origin, dict(zip(names, combination, strict=True)))
                work.append((route, some))
        work = [(route, some) for route, some in work if not route.idle]
        held = self._keyword_rows(work)
        for route, some in work:
            self._of_route(origin, route, some, held)

    def _columns(self, name: str, rows: Array) -> list[tuple[Encoded, Array]]:
        """Return the columns that have values of a field, each with the codes of ``rows``."""
        found: list[tuple[Encoded, Array]] = []
        for path in self._shape.paths(name):
            if self._batch.is_bulky(path):
                column = self._batch.encoded_rows(path, rows)
                codes = column.codes
            else:
                column = self._batch.encoded(path)
                codes = column.codes if column.empty else column.codes.take(rows)
            if not column.empty:
                found.append((column, codes))
        return found

    def _distinct(
        self, fields: Sequence[list[tuple[Encoded, Array]]], rows: Array
    ) -> tuple[Array, list[tuple[Any, ...]]]:
        """Return the combinations of values that some fields have in ``rows``, and the number of each row's.

        A field is given by its columns, of which the first that is not null counts.
        """
        columns = [column for field in fields for column in field]
        if not columns:
            return self._pa.array([0] * len(rows), type=self._pa.int64()), [tuple(None for _ in fields)]
        combined: Array = None
        keys: list[tuple[int, ...]] = []
        for column, codes in columns:
            if combined is None:
                encoded = codes.dictionary_encode()
                keys = [(key,) for key in encoded.dictionary.to_pylist()]
            else:
                radix = column.absent + 1
                both = self._pc.add(self._pc.multiply(combined, radix), codes.cast(self._pa.int64()))
                encoded = both.dictionary_encode()
                keys = [(*keys[key // radix], key % radix) for key in encoded.dictionary.to_pylist()]
            combined = encoded.indices.cast(self._pa.int64())
        by_column = [column.values([key[at] for key in keys]) for at, (column, _) in enumerate(columns)]
        found: list[list[Any]] = []
        at = 0
        for field in fields:
            own = by_column[at : at + len(field)]
            at += len(field)
            if len(own) == 1:
                found.append(own[0])
            else:
                found.append(
                    [
                        next((value for value in values if value is not None), None)
                        for values in zip(*own, strict=True)
                    ]
                    if own
                    else [None] * len(keys)
                )
        return combined, list(zip(*found, strict=True))

    # What holds in the rows of one route.

    def _of_route(self, origin: str, route: Route, rows: Array, held: Any) -> None:
        if held is not None and any(part.table.keywords for part in route.parts):
            mask = self._pc.is_in(rows, value_set=held)
            self._plain.update(rows.filter(mask).to_pylist())
            rows = rows.filter(self._pc.invert(mask))
        if not len(rows):
            return
        memo: dict[tuple[str, ...], tuple[Array, list[Any]]] = {}
        answers: dict[int, Held] = {}
        try:
            for part in route.parts:
                for row, rules in self._of_part(part, rows, memo):
                    known = answers.get(row)
                    answers[row] = Held.merged([known, rules]) if known else rules
        except PlainWayError:
            self._plain.update(rows.to_pylist())
            return
        self._found.update((row, (origin, rules)) for row, rules in answers.items())

    def _of_part(
        self, part: Part, rows: Array, known: dict[tuple[str, ...], tuple[Array, list[Any]]]
    ) -> Iterator[tuple[int, Held]]:
        table = part.table
        if not self._matcher.wide_gate.covers.issuperset(test for _, test in table.keywords):
            raise PlainWayError
        signature = ColumnSignature(self._pa, self._pc)
        for accessor, memo in zip(part.accessors, table.memos, strict=True):
            numbers, values = self._values(accessor, rows, known)
            signature.add(
                numbers,
                [memo.classify(value) if isinstance(value, list | dict) else memo[value] for value in values]
                if len(values) < _FEW or not _are_long(values)
                else self._recalled(memo, values),
            )
        if table.keywords:
            signature.add(None, [0])
        for (_, test), (first, second) in zip(table.pairs, part.pairs, strict=True):
            numbers, pairs = self._pair(first, second, rows, known)
            signature.add(numbers, [int(holds(test, *pair)) for pair in pairs])
        numbers, signatures = signature.result()
        for at, one in enumerate(signatures):
            rules = table.signatures[one]
            if not rules:
                continue
            chosen = rows if numbers is None else rows.filter(self._pc.equal(numbers, at))
            for row in chosen.to_pylist():
                yield row, rules

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

    def _values(
        self, accessor: Accessor, rows: Array, known: dict[tuple[str, ...], tuple[Array, list[Any]]]
    ) -> tuple[Array, list[Any]]:
        """Return the distinct values that an accessor has in ``rows``, and the number of each row's."""
        names = accessor.needs()
        self._names.update(names)
        key = (*names, "", *accessor.sources, "", repr(accessor.values) if accessor.values else "")
        found = known.get(key)
        if found is None:
            columns = [self._columns(name, rows) for name in names]
            if not any(columns):
                found = (None, [None])
            else:
                numbers, combinations = self._distinct(columns, rows)
                if len(names) == 1 and accessor.plain_name:
                    found = (numbers, [values[0] for values in combinations])
                else:
                    found = (
                        numbers,
                        [accessor.get(dict(zip(names, values, strict=True))) for values in combinations],
                    )
            known[key] = found
        return found

    def _pair(
        self,
        first: Accessor,
        second: Accessor,
        rows: Array,
        known: dict[tuple[str, ...], tuple[Array, list[Any]]],
    ) -> tuple[Array, list[tuple[Any, Any]]]:
        left, lefts = self._values(first, rows, known)
        right, rights = self._values(second, rows, known)
        both = ColumnSignature(self._pa, self._pc)
        both.add(left, list(range(len(lefts))))
        both.add(right, list(range(len(rights))))
        numbers, keys = both.result()
        return numbers, [(lefts[one], rights[other]) for one, other in keys]

    # Keywords.

    def _keyword_rows(self, work: Sequence[tuple[Route, Array]]) -> Array | None:
        """Return the rows that may hold a keyword; None where no route looks for any."""
        if not any(part.table.keywords for route, _ in work for part in route.parts):
            return None
        found: set[int] = set()
        for path, kind in self._batch.layout.leaves.items():
            if self._pa.types.is_string(kind):
                found.update(self._rows_held(path))
            elif self._numbers_count or not _is_number(kind):
                texts = self._batch.texts(path)
                if self._numbers_count or any(self._held(text) for text in texts):
                    values = enumerate(self._batch.array(path).to_pylist())
                    found.update(row for row, value in values if value is not None)
        return self._pa.array(sorted(found), type=self._pa.int64())

    def _rows_held(self, path: Path) -> list[int]:
        """Return the rows of a column of texts that may hold a keyword."""
        array = self._batch.array(path)
        if array.null_count == len(array):
            return []
        if not self._pa.types.is_dictionary(array.type):
            return self._held(array)
        # The distinct values of a row group are mostly those of the batch before.
        before, held = self._searched.get(path, (None, []))
        if before is None or not before.equals(array.dictionary):
            held = self._held(array.dictionary)
            self._searched[path] = (array.dictionary, held)
        if not held:
            return []
        mask = self._pc.is_in(array.indices, value_set=self._pa.array(held, type=array.indices.type))
        rows: list[int] = self._where(mask).to_pylist()
        return rows

    def _held(self, texts: Array) -> list[int]:
        """Return the positions of the texts that may hold a keyword."""
        candidates = self._matcher.wide_gate.candidates
        held: list[int] = []
        for start in range(0, len(texts), _STRETCH):
            stretch = texts.slice(start, _STRETCH)
            for at in candidates(text_blocks(stretch, _BLOCK) or ()):
                some = stretch.slice(at * _BLOCK, _BLOCK).cast(self._pa.binary()).to_pylist()
                first = start + at * _BLOCK
                held.extend(first + one for one in candidates([value or b"" for value in some]))
        return held


@lru_cache(maxsize=16)
def _may_be_in_number(keywords: frozenset[Test]) -> bool:
    """Return whether a keyword has no letter but those that numbers and truth values are written with."""
    return any(
        not set("".join(part for part in test.value if isinstance(part, str)).lower()) - _NUMERIC
        for test in keywords
    )


def _are_long(values: Sequence[Any]) -> bool:
    """Return whether values are long, going by a few of them."""
    some = values[:: max(1, len(values) // _FEW)]
    return any(value.__class__ is str and len(value) >= _LONG for value in some)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    kinds = pa.types
    return bool(
        kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind) or kinds.is_null(kind)
    )
