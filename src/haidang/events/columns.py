"""Events that are kept by column: a part of a Parquet file, of which only what is asked for is read.

A reader hands over ``ColumnBatch`` after ``ColumnBatch``, each some thousand rows of one row group. The detector
asks it for single columns, as codes into their distinct values, and for whole events only where a rule holds.

Rules of this module:

- Null is absent: a field that is null in a row is not in that event.
- What JSON has no type for is text: times in ISO 8601, decimals as written, bytes as UTF-8 with replacements.
- Columns are read one by one, and kept as codes at most: a column that is only searched through is gone
  when the next one is read. Batches of a row group are looked at in order.
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

    def blocks(self, size: int) -> list[bytes] | None:
        """Return the bytes of the distinct texts, ``size`` of them joined together; None for no texts."""
        import pyarrow as pa

        distinct = self._distinct
        if isinstance(distinct, list) or not pa.types.is_string(distinct.type) or not len(distinct):
            return None
        _, _, data = distinct.buffers()
        offsets = pa.Array.from_buffers(pa.int32(), len(distinct) + 1 + distinct.offset, [None, distinct.buffers()[1]])
        cuts = [*offsets.slice(distinct.offset)[::size].to_pylist(), offsets[-1].as_py()]
        view = memoryview(data) if data is not None else memoryview(b"")
        return [bytes(view[start:end]) for start, end in pairwise(cuts)]

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
        self._newest: tuple[Path, Array] | None = None

    def array(self, path: Path) -> Array:
        """Return a column as it is; only the last one that was asked for is kept."""
        if self._newest is None or self._newest[0] != path:
            array = self._group.array(path, self._step)
            if len(array) != self.rows:
                message = f"column {'.'.join(path)} has {len(array)} rows in place of {self.rows}"
                raise UnreadableColumnsError(message)
            self._newest = (path, array)
        return self._newest[1]

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
