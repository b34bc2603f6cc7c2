"""Events that are kept by column: a part of a Parquet file, of which only what is asked for is read.

A reader hands over ``ColumnBatch`` after ``ColumnBatch``, each some thousand rows of one row group. The
detector asks it for single columns, as codes into their distinct values, and for whole events only where a
rule holds.

Rules of this module:

- Null is absent: a field that is null in a row is not in that event.
- What JSON has no type for is text: times in ISO 8601, decimals as written, bytes as UTF-8 with replacements.
- Columns are read one by one, each when it is first asked for. Batches of a row group are asked in order.
- Texts that repeat are read as distinct values; columns that are large are read as they are, for their
  distinct values would be held for as long as the row group is read.
- What cannot be decoded raises ``UnreadableColumnsError``; nothing else leaves this module.

All input is untrusted.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.errors import HaidangError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.events.model import Fields, FileReport

__all__ = [
    "ColumnBatch",
    "Encoded",
    "Layout",
    "Path",
    "RowGroup",
    "UnreadableColumnsError",
    "decoding",
    "release_memory",
    "text_blocks",
]

Path: TypeAlias = tuple[str, ...]
"""Where a column is: the names of the structures around it, then its own."""

# The classes of pyarrow come without types.
Array: TypeAlias = Any

_MOST_REPEATING = 4 << 20
"""Bytes of a column in a row group above which its distinct values are not held."""


_BULKY = 64
"""Bytes of a value, taking the average over all rows, above which hashing all of them is too much."""


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


def release_memory() -> None:
    """Give what was freed back to the system: pyarrow's allocator would keep it for long."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


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

    def repeating(self, metadata: Any) -> list[str]:
        """Return the columns of text, joined with dots, that take few bytes in each row group."""
        import pyarrow as pa

        kinds = pa.types
        found = {
            ".".join(path)
            for path, kind in self.leaves.items()
            if kinds.is_string(kind) or kinds.is_large_string(kind)
        }
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            for at in range(group.num_columns):
                column = group.column(at)
                if column.total_uncompressed_size > _MOST_REPEATING:
                    found.discard(column.path_in_schema)
        return sorted(found)


class Encoded:
    """A column as codes into its distinct values; the last code, ``absent``, is that of null."""

    __slots__ = ("_distinct", "absent", "codes", "empty")

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
                [None if value is None else at for at, value in enumerate(distinct)], type=pa.int32()
            )
        self._distinct = distinct
        self.absent: int = len(distinct)
        self.empty: bool = codes.null_count == len(codes)
        """Whether all rows are null."""
        self.codes: Array = codes.cast(pa.int32()).fill_null(self.absent)
        """One for each row."""

    def values(self, codes: Sequence[int]) -> list[Any]:
        """Return the values of some codes."""
        import pyarrow as pa

        if isinstance(self._distinct, list):
            return [None if code == self.absent else self._distinct[code] for code in codes]
        wanted = pa.array([None if code == self.absent else code for code in codes], type=pa.int64())
        found: list[Any] = _to_list(self._distinct.take(wanted))
        return found


def text_blocks(array: Array, size: int) -> list[bytes] | None:
    """Return the bytes of an array of texts, ``size`` texts joined in each; None for anything else."""
    import pyarrow as pa

    if not pa.types.is_string(array.type):
        return None
    _, starts, data = array.buffers()
    if not len(array) or data is None:
        return []
    offsets = pa.Array.from_buffers(pa.int32(), array.offset + len(array) + 1, [None, starts])
    cuts = offsets.slice(array.offset)[::size].to_pylist()
    if len(array) % size:
        cuts.append(offsets[-1].as_py())
    view = memoryview(data)
    return [bytes(view[start:end]) for start, end in pairwise(cuts)]


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


def _is_encoded(array: Array) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_dictionary(array.type))


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
    """One row group of a file, whose columns are read one by one, on demand."""

    def __init__(self, file: Any, number: int, rows: int) -> None:
        """Read ``rows`` rows of a column at a time."""
        self._file = file
        self._number = number
        self._rows = rows
        self._streams: dict[Path, tuple[int, Iterator[Any]]] = {}

    def array(self, path: Path, step: int) -> Array:
        """Return the rows of a column that are ``step`` times as many rows after the first."""
        with decoding():
            done, stream = self._streams.pop(path, (0, None))
            if stream is None:
                stream = self._file.iter_batches(
                    batch_size=self._rows,
                    row_groups=[self._number],
                    columns=[".".join(path)],
                    use_threads=False,
                )
            for _ in range(step - done):
                next(stream)
            batch = next(stream, None)
            if batch is None:
                message = "a column has fewer rows than its row group"
                raise ValueError(message)
            if batch.num_rows == self._rows:
                self._streams[path] = (step + 1, stream)
            return _inside(batch, path)


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

    def __init__(
        self, report: FileReport, layout: Layout, group: RowGroup, step: int, first: int, rows: int
    ) -> None:
        """Look at the rows of ``group`` at ``step``."""
        self.report = report
        self.layout = layout
        self.first = first
        self.rows = rows
        self._group = group
        self._step = step
        self._encoded: dict[Path, Encoded] = {}
        self._arrays: dict[Path, Array] = {}

    @property
    def records(self) -> range:
        """Numbers of the rows in the file."""
        return range(self.first, self.first + self.rows)

    def array(self, path: Path) -> Array:
        """Return a column as it is."""
        array = self._arrays.get(path)
        if array is None:
            array = self._arrays[path] = self._group.array(path, self._step)
            if len(array) != self.rows:
                message = f"column {'.'.join(path)} has {len(array)} rows in place of {self.rows}"
                raise UnreadableColumnsError(message)
        return array

    def texts(self, path: Path) -> list[Array]:
        """Return arrays that together hold each text of a column at least once; numbers are left out."""
        return list(_texts_in(self.array(path)))

    def is_bulky(self, path: Path) -> bool:
        """Return whether a column has long values: then encode no more rows of it than are looked at."""
        array = self.array(path)
        return not _is_encoded(array) and array.nbytes > _BULKY * self.rows

    def encoded_rows(self, path: Path, rows: Array) -> Encoded:
        """Return some rows of a column as codes."""
        with decoding():
            return Encoded(self.array(path).take(rows))

    def encoded(self, path: Path) -> Encoded:
        """Return a column as codes."""
        known = self._encoded.get(path)
        if known is None:
            array = self.array(path)
            with decoding():
                known = self._encoded[path] = Encoded(array)
        return known

    def events(self, rows: Sequence[int], paths: Iterable[Path] | None = None) -> list[Fields]:
        """Return events by their positions in the batch: whole, or only what is in some columns."""
        import pyarrow as pa

        with decoding():
            wanted = pa.array(rows, type=pa.int64())
            events: list[Fields] = [{} for _ in rows]
            # Fields come in the order of the file, whoever asks.
            chosen = self.layout.leaves if paths is None else set(paths)
            for leaf in filter(chosen.__contains__, self.layout.leaves):
                array = self.array(leaf)
                if array.null_count == len(array):
                    continue
                array = array.take(wanted)
                if array.null_count == len(array):
                    continue
                if _is_encoded(array):
                    array = array.dictionary_decode()
                elif _is_scalar(array.type) and not _is_plain(array.type):
                    array = _as_text(array)
                values = _to_list(array)
                if not _is_plain(array.type):
                    values = [None if value is None else plain(value) for value in values]
                *around, name = leaf
                for event, value in zip(events, values, strict=True):
                    if value is not None:
                        _inside_of(event, around)[name] = value
            return events


def _texts_in(array: Array) -> Iterator[Array]:
    """Yield the texts in an array, whatever it is."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        yield from _texts_in(array.dictionary)
    elif pa.types.is_struct(kind) or pa.types.is_map(kind):
        for part in (array.keys, array.items) if pa.types.is_map(kind) else array.flatten():
            yield from _texts_in(part)
    elif pa.types.is_nested(kind):
        yield from _texts_in(array.flatten())
    elif pa.types.is_string(kind):
        yield array
    elif not _is_plain(kind):
        yield _as_text(array)
    elif pa.types.is_large_string(kind):
        yield array.cast(pa.string())


def _inside_of(event: Fields, around: Sequence[str]) -> Fields:
    for name in around:
        event = event.setdefault(name, {})
    return event
