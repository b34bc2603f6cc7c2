"""Events that are kept by column: a part of a Parquet file, of which only what is asked for is read.

A reader hands over ``ColumnBatch`` after ``ColumnBatch``, each some thousand rows of one row group. The
detector asks it for single columns, as codes into their distinct values, and for whole events only where a
rule holds.

Rules of this module:

- Null is absent: a field that is null in a row is not in that event.
- Columns are read one by one, each when it is first asked for. Batches of a row group are asked in order.
- Texts that repeat are read as distinct values; columns that are large are read as they are, for their
  distinct values would be held for as long as the row group is read.
- What cannot be decoded raises ``UnreadableColumnsError``; nothing else leaves this module.

All input is untrusted.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.errors import HaidangError
from haidang.events.column_values import Encoded, is_encoded, is_text, python_values, texts_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.events.column_values import Array
    from haidang.events.model import Fields, FileReport

__all__ = [
    "ColumnBatch",
    "Layout",
    "Path",
    "RowGroup",
    "UnreadableColumnsError",
    "decoding",
    "release_memory",
]

Path: TypeAlias = tuple[str, ...]
"""Where a column is: the names of the structures around it, then its own."""

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
        found = {".".join(path) for path, kind in self.leaves.items() if is_text(kind)}
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            for at in range(group.num_columns):
                column = group.column(at)
                if column.total_uncompressed_size > _MOST_REPEATING:
                    found.discard(column.path_in_schema)
        return sorted(found)


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
    import pyarrow as pa
    import pyarrow.compute as pc

    with decoding():
        at = batch.schema.get_field_index(path[0])
        if at < 0:
            message = f"there are several columns {path[0]}"
            raise ValueError(message)
        array = batch.column(at)
        array = pc.struct_field(array, list(path[1:])) if len(path) > 1 else array
        # Views have too few functions.
        if pa.types.is_string_view(array.type):
            return array.cast(pa.string())
        return array.cast(pa.binary()) if pa.types.is_binary_view(array.type) else array


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
        with decoding():
            return list(texts_in(self.array(path)))

    def is_bulky(self, path: Path) -> bool:
        """Return whether a column has long values: then encode no more rows of it than are looked at."""
        array = self.array(path)
        return not is_encoded(array) and array.nbytes > _BULKY * self.rows

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
                *around, name = leaf
                for event, value in zip(events, python_values(array), strict=True):
                    if value is not None:
                        _inside_of(event, around)[name] = value
            return events


def _inside_of(event: Fields, around: Sequence[str]) -> Fields:
    for name in around:
        event = event.setdefault(name, {})
    return event
