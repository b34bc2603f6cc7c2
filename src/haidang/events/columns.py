"""Events that are kept by column: a part of a Parquet file, of which only what is asked for is read.

A reader hands over ``ColumnBatch`` after ``ColumnBatch``, each some thousand rows of one row group. The detector
asks it for single columns, as codes into their distinct values, and for whole events only where a rule holds.

Rules of this module:

- Null is absent: a field that is null in a row is not in that event.
- What JSON has no type for is text: times in ISO 8601, decimals as written, bytes as UTF-8 with replacements.
- A column that was asked for in one batch is read along with the next ones. A column that is asked for late
  is read from the beginning of the row group on; batches of a row group are asked in order.
- What cannot be decoded raises ``UnreadableColumnsError``; nothing else leaves this module.

All input is untrusted.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.errors import HaidangError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.events.model import Fields, FileReport

__all__ = ["ColumnBatch", "Encoded", "Layout", "Path", "RowGroup", "UnreadableColumnsError"]

Path: TypeAlias = tuple[str, ...]
"""Where a column is: the names of the structures around it, then its own."""

# The classes of pyarrow come without types.
Array: TypeAlias = Any

_MOST_LEAVES = 4096


class UnreadableColumnsError(HaidangError):
    """A part of the file cannot be decoded."""


@contextmanager
def decoding() -> Iterator[None]:
    """Turn what pyarrow raises for a broken file into our own error."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        first = str(error).splitlines()[:1]
        raise UnreadableColumnsError(first[0][:300] if first else type(error).__name__) from None


class Layout:
    """Which columns a file has."""

    def __init__(self, schema: Any) -> None:
        """Take a schema of pyarrow apart."""
        self.leaves: dict[Path, Any] = {}
        """Columns with values, and their types; lists and maps are among them."""
        self.structures: set[Path] = set()
        """Columns that only hold others."""
        self._add((), schema)

    def _add(self, path: Path, fields: Iterable[Any]) -> None:
        import pyarrow as pa

        for field in fields:
            at = (*path, field.name)
            if pa.types.is_struct(field.type) and field.type.num_fields:
                self.structures.add(at)
                self._add(at, [field.type.field(i) for i in range(field.type.num_fields)])
            else:
                self.leaves[at] = field.type

    def under(self, path: Path) -> list[Path]:
        """Return the columns and structures right inside a structure."""
        return [at for at in (*self.leaves, *self.structures) if at[:-1] == path]

    def texts(self) -> list[str]:
        """Return the names, joined with dots, of the columns of text: they are read as distinct values."""
        import pyarrow as pa

        kinds = pa.types
        return [
            ".".join(path)
            for path, kind in self.leaves.items()
            if kinds.is_string(kind) or kinds.is_large_string(kind)
        ]


class Encoded:
    """A column as codes into its distinct values; the last code, ``absent``, is that of null."""

    __slots__ = ("_distinct", "absent", "codes")

    def __init__(self, array: Array) -> None:
        """Encode an array of plain values."""
        import pyarrow as pa

        if pa.types.is_dictionary(array.type):
            distinct, codes = array.dictionary, array.indices
        elif _is_scalar(array.type):
            array = _as_text(array) if not _is_plain(array.type) else array
            encoded = array.dictionary_encode()
            distinct, codes = encoded.dictionary, encoded.indices
        else:
            # Lists and maps have no codes: each is a value of its own.
            distinct = [plain(value) for value in array.to_pylist()]
            codes = pa.array(
                [None if value is None else at for at, value in enumerate(distinct)], type=pa.int64()
            )
        self._distinct = distinct
        self.absent: int = len(distinct)
        self.codes: Array = codes.cast(pa.int64()).fill_null(self.absent)
        """One for each row, 64 bits."""

    def values(self, codes: Sequence[int]) -> list[Any]:
        """Return the values of some codes."""
        import pyarrow as pa

        if isinstance(self._distinct, list):
            return [None if code == self.absent else self._distinct[code] for code in codes]
        wanted = pa.array([None if code == self.absent else code for code in codes], type=pa.int64())
        found: list[Any] = _to_list(self._distinct.take(wanted))
        return found


def _is_plain(kind: Any) -> bool:
    import pyarrow as pa

    kinds = pa.types
    return bool(
        kinds.is_string(kind)
        or kinds.is_large_string(kind)
        or kinds.is_integer(kind)
        or kinds.is_floating(kind)
        or kinds.is_boolean(kind)
        or kinds.is_null(kind)
    )


def _is_scalar(kind: Any) -> bool:
    import pyarrow as pa

    return not (pa.types.is_nested(kind) or pa.types.is_dictionary(kind))


def _as_text(array: Array) -> Array:
    """Return an array of times, decimals or bytes as texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = pa.types
    if kinds.is_timestamp(array.type):
        return pc.replace_substring(array.cast(pa.string()), pattern=" ", replacement="T", max_replacements=1)
    if kinds.is_temporal(array.type) or kinds.is_decimal(array.type):
        return array.cast(pa.string())
    return pa.array([plain(value) for value in array.to_pylist()], type=pa.string())


def _to_list(array: Array) -> list[Any]:
    """Return the values of an array; bytes in texts that are no UTF-8 are replaced."""
    import pyarrow as pa

    try:
        found: list[Any] = array.to_pylist()
    except UnicodeDecodeError:
        found = [plain(value) for value in array.cast(pa.binary()).to_pylist()]
    return found


def plain(value: Any) -> Any:
    """Return a value as JSON would have it; nulls inside of objects are left out."""
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        # A map is a list of pairs.
        if value and all(isinstance(item, tuple) for item in value):
            return {str(name): plain(item) for name, item in value if item is not None}
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal):
        return str(value)
    return str(value)


class RowGroup:
    """One row group of a file, whose columns are read in lockstep and on demand."""

    def __init__(self, file: Any, number: int, rows: int, known: dict[Path, None]) -> None:
        """Read ``rows`` rows of each column at a time; ``known`` are the columns that others were asked for."""
        self._file = file
        self._number = number
        self._rows = rows
        self._known = known
        self._streams: list[tuple[frozenset[Path], Iterator[Any]]] = []
        self._step = -1
        self._now: dict[Path, Any] = {}

    def advance(self) -> None:
        """Go on to the next rows."""
        self._step += 1
        self._now.clear()
        if self._step == 0 and self._known:
            self._open(list(self._known))
            return
        for paths, stream in self._streams:
            self._take(paths, stream)

    def array(self, path: Path) -> Array:
        """Return a column of the rows that are looked at; whatever is new is read from now on."""
        self.need([path])
        return _inside(self._now[path], path)

    def need(self, paths: Iterable[Path]) -> None:
        """Read columns that will be asked for together."""
        missing = [path for path in paths if path not in self._now]
        if missing:
            self._known.update(dict.fromkeys(missing))
            self._open(missing)

    def _open(self, paths: list[Path]) -> None:
        with decoding():
            stream = self._file.iter_batches(
                batch_size=self._rows,
                row_groups=[self._number],
                columns=[".".join(path) for path in paths],
                use_threads=False,
            )
            for _ in range(self._step):
                next(stream, None)
            whole = frozenset(paths)
            self._streams.append((whole, stream))
            self._take(whole, stream)

    def _take(self, paths: frozenset[Path], stream: Iterator[Any]) -> None:
        with decoding():
            batch = next(stream, None)
            if batch is None:
                message = "a column has fewer rows than its row group"
                raise ValueError(message)
            for path in paths:
                self._now[path] = batch


def _inside(batch: Any, path: Path) -> Array:
    import pyarrow.compute as pc

    with decoding():
        at = batch.schema.get_field_index(path[0])
        if at < 0:
            message = f"there are several columns {path[0]}"
            raise ValueError(message)
        array = batch.column(at)
        return pc.struct_field(array, list(path[1:])) if len(path) > 1 else array


class ColumnBatch:
    """Some rows of a file; ``first`` is the number of the first of them in the file, from 1."""

    def __init__(self, report: FileReport, layout: Layout, group: RowGroup, first: int, rows: int) -> None:
        """Look at the rows that ``group`` is at."""
        self.report = report
        self.layout = layout
        self.first = first
        self.rows = rows
        self._group = group
        self._encoded: dict[Path, Encoded] = {}

    def need(self, paths: Iterable[Path]) -> None:
        """Say which columns will be asked for, so that they are read together."""
        self._group.need(paths)

    def array(self, path: Path) -> Array:
        """Return a column as it is."""
        array = self._group.array(path)
        if len(array) != self.rows:
            message = f"column {'.'.join(path)} has {len(array)} rows in place of {self.rows}"
            raise UnreadableColumnsError(message)
        return array

    def encoded(self, path: Path) -> Encoded:
        """Return a column as codes."""
        known = self._encoded.get(path)
        if known is None:
            array = self.array(path)
            with decoding():
                known = self._encoded[path] = Encoded(array)
        return known

    def events(self, rows: Sequence[int]) -> list[Fields]:
        """Return whole events, by their positions in the batch."""
        import pyarrow as pa

        self.need(self.layout.leaves)
        with decoding():
            wanted = pa.array(rows, type=pa.int64())
            events: list[Fields] = [{} for _ in rows]
            for leaf in self.layout.leaves:
                array = self.array(leaf).take(wanted)
                if array.null_count == len(array):
                    continue
                if pa.types.is_dictionary(array.type):
                    array = array.dictionary_decode()
                elif _is_scalar(array.type) and not _is_plain(array.type):
                    array = _as_text(array)
                for event, value in zip(events, _to_list(array), strict=True):
                    if value is not None:
                        _put(event, leaf, plain(value))
            return events


def _put(event: Fields, path: Path, value: Any) -> None:
    for name in path[:-1]:
        event = event.setdefault(name, {})
    event[path[-1]] = value
