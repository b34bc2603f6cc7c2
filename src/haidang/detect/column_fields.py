"""The values that fields have in rows of columns: each distinct one once, and the number of each row's.

Rows are put in the order of their routes once, so that what a route looks at is a slice of each column: that
a field is in none of its events, as most are not, then costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.column_shapes import ColumnShape
    from haidang.events.column_values import Array, Encoded
    from haidang.events.columns import ColumnRows
    from haidang.events.row_groups import Path

__all__ = ["ColumnFields", "Rows", "Values", "first_present"]

Values: TypeAlias = "tuple[Array | None, list[Any]]"
"""Distinct values, and for each row the number of its own; None where all rows have the first."""


class _Column(NamedTuple):
    encoded: Encoded
    codes: Array
    """One for each row; ``absent`` for null."""


class ColumnFields:
    """The columns of some rows, these in an order of one's own."""

    def __init__(self, rows: ColumnRows, shape: ColumnShape, order: Array) -> None:
        """Look at the rows in ``order``, by their positions."""
        self._rows = rows
        self._shape = shape
        self._order = order
        self._codes: dict[Path, Array] = {}
        self._bulky: dict[Path, Array] = {}

    def rows(self, start: int, count: int) -> Rows:
        """Return some rows that are neighbours in the order."""
        return Rows(self, start, count)

    def columns(self, name: str, start: int, count: int) -> list[_Column]:
        """Return the columns that have a value of a field in some rows."""
        found = (self._column(path, start, count) for path in self._shape.paths(name))
        return [column for column in found if column is not None]

    def _column(self, path: Path, start: int, count: int) -> _Column | None:
        if self._rows.is_bulky(path):
            if path not in self._bulky:
                self._bulky[path] = self._rows.array(path).is_valid().take(self._order)
            if not self._bulky[path].slice(start, count).true_count:
                return None
            encoded = self._rows.encoded_rows(path, self._order.slice(start, count))
            codes = encoded.codes
        else:
            encoded = self._rows.encoded(path)
            if path not in self._codes:
                self._codes[path] = encoded.codes.take(self._order)
            codes = self._codes[path].slice(start, count)
        nulls = codes.null_count
        if nulls == count:
            return None
        return _Column(encoded, codes.fill_null(encoded.absent) if nulls else codes)


class Rows:
    """Rows that are neighbours in an order; what was asked of them is kept."""

    def __init__(self, fields: ColumnFields, start: int, count: int) -> None:
        """Look at ``count`` rows from ``start`` on."""
        self._fields = fields
        self._start = start
        self._count = count
        self._known: dict[tuple[Any, ...], Values] = {}

    def values(self, accessor: Accessor) -> Values:
        """Return the distinct values that an accessor has here."""
        key = accessor.identity
        found = self._known.get(key)
        if found is None:
            names = accessor.needs()
            numbers, combinations = self.combinations(names)
            if len(names) == 1 and accessor.plain_name:
                values = [values[0] for values in combinations]
            else:
                values = [accessor.get(dict(zip(names, one, strict=True))) for one in combinations]
            found = self._known[key] = (numbers, values)
        return found

    def combinations(self, names: Sequence[str]) -> tuple[Array | None, list[tuple[Any, ...]]]:
        """Return the distinct combinations of values of some fields.

        A field may be in several columns, of which the first that is not null counts.
        """
        import pyarrow as pa

        fields = [self._fields.columns(name, self._start, self._count) for name in names]
        columns = [column for field in fields for column in field]
        if not columns:
            return None, [tuple(None for _ in names)]
        if len(columns) == len(names) == 1 and columns[0].encoded.apart:
            own = columns[0].codes
            return pa.array(range(len(own)), type=pa.int32()), [
                (one,) for one in columns[0].encoded.all_values()
            ]
        numbers, keys = _joined(columns)
        by_column = iter(
            [column.encoded.values([key[at] for key in keys]) for at, column in enumerate(columns)]
        )
        by_field = [first_present([next(by_column) for _ in field], len(keys)) for field in fields]
        return numbers, list(zip(*by_field, strict=True))


def _joined(columns: Sequence[_Column]) -> tuple[Array, list[tuple[int, ...]]]:
    """Return the distinct combinations of codes, and the number of each row's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first, *others = columns
    encoded = first.codes.dictionary_encode()
    keys: list[tuple[int, ...]] = [(key,) for key in encoded.dictionary.to_pylist()]
    for column in others:
        radix = column.encoded.absent + 1
        both = pc.add(pc.multiply(encoded.indices.cast(pa.int64()), radix), column.codes.cast(pa.int64()))
        encoded = both.dictionary_encode()
        keys = [(*keys[key // radix], key % radix) for key in encoded.dictionary.to_pylist()]
    return encoded.indices, keys


def first_present(columns: list[list[Any]], count: int) -> list[Any]:
    """Return for each of ``count`` combinations the first value that is not null."""
    if len(columns) == 1:
        return columns[0]
    if not columns:
        return [None] * count
    return [
        next((value for value in values if value is not None), None) for values in zip(*columns, strict=True)
    ]
