"""Events that are kept by column: a part of a Parquet file, of which only what is asked for is read.

A reader hands over ``ColumnBatch`` after ``ColumnBatch``, each some ten thousand rows of one row group. The
detector asks it for single columns, as codes into their distinct values, and for whole events only where a
rule holds. A batch comes apart into stretches, for columns of which it is better not to hold all rows.

Rules of this module:

- Null is absent: a field that is null in a row is not in that event.
- Columns are read one by one, each when it is first asked for. Batches of a row group are asked in order, and
  so are the stretches of a batch: who goes back, or asks for more or fewer rows at once than before, has the
  row group read from its beginning.
- Texts that repeat are read as distinct values. Columns that are large are read as they are, for their
  distinct values would be held for as long as the row group is read.
- Of bulky columns, large ones with long texts, a stretch is held at a time.
- What cannot be decoded raises ``UnreadableColumnsError``; nothing else leaves this module.

All input is untrusted.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from haidang.errors import HaidangError
from haidang.events.column_values import Encoded, is_encoded, is_text, python_values, texts_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from haidang.events.column_values import Array
    from haidang.events.model import Fields, FileReport

__all__ = [
    "ColumnBatch",
    "ColumnRows",
    "ColumnStretch",
    "Layout",
    "Opened",
    "Path",
    "RowGroup",
    "Slices",
    "UnreadableColumnsError",
    "decoding",
    "held_memory",
    "release_memory",
]

Path: TypeAlias = tuple[str, ...]
"""Where a column is: the names of the structures around it, then its own."""

_MOST_REPEATING = 4 << 20
"""Bytes of a column in a row group above which its distinct values are not held."""
_MOST_DISTINCT = 64 << 20
"""Bytes of all columns together of which distinct values are held."""
_BULKY = 32
"""Bytes of a value in a large column, taking the average over all rows, above which it is bulky."""
_LONG = 64
"""Bytes of a value, taking the average, above which hashing all of them is too much."""


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


def held_memory() -> int:
    """Return how many bytes arrays hold."""
    import pyarrow as pa

    held: int = pa.total_allocated_bytes()
    return held


def release_memory() -> None:
    """Give what was freed back to the system: pyarrow's allocator would keep it for long."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


class Slices(NamedTuple):
    """How rows are parted."""

    here: int
    """Rows of a batch."""
    chunk: int
    """Rows that are read of a column at once; so many stretches. A batch ends where a chunk does."""
    stretch: int
    """Rows of each stretch of a batch but the last."""
    skip: int = 0
    """Rows of the first chunk that an earlier batch had; so many stretches."""


class Layout:
    """Which columns a file has."""

    def __init__(self, schema: Any) -> None:
        """Take a schema of pyarrow apart."""
        self.leaves: dict[Path, Any] = {}
        """Columns with values, and their types; lists and maps are among them."""
        self.structures: set[Path] = set()
        """Columns that only hold others."""
        self.bulky: set[Path] = set()
        """Columns of which a stretch is read at a time."""
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

    def measure(self, metadata: Any) -> list[str]:
        """Find the bulky columns; return the texts to be read as distinct values, joined with dots."""
        texts = {".".join(path): path for path, kind in self.leaves.items() if is_text(kind)}
        sizes = dict.fromkeys(texts, 0)
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            for at in range(group.num_columns):
                column = group.column(at)
                name, size = column.path_in_schema, column.total_uncompressed_size
                if name in texts:
                    sizes[name] = max(sizes[name], size)
                    if size > _MOST_REPEATING and size > _BULKY * group.num_rows:
                        self.bulky.add(texts[name])
        found: list[str] = []
        left = _MOST_DISTINCT
        for name in sorted(sizes, key=sizes.__getitem__):
            left -= sizes[name]
            if left < 0 or sizes[name] > _MOST_REPEATING:
                break
            found.append(name)
        return found


class Opened(NamedTuple):
    """A file, opened several times: each reads all columns by as many rows as one was last asked for."""

    batches: Any
    stretches: Any
    """Reads texts as they are."""
    beginnings: Any
    in_codes: Callable[[], Sequence[Collection[str]]]
    """Finds for each row group the columns of which one dictionary holds all values, joined with dots."""


class RowGroup:
    """One row group of a file, whose columns are read one by one, on demand."""

    def __init__(self, file: Opened, number: int) -> None:
        """Read row group ``number``."""
        self._file = file
        self._number = number
        self._distinct: dict[Path, Array] = {}
        self._streams: dict[Path, tuple[int, int, Iterator[Any]]] = {}
        """Rows at once, how many times so many were read, and what reads on."""

    def distinct(self, path: Path) -> Array | None:
        """Return all values of a column, each once, if they can be had without reading its rows."""
        with decoding():
            in_codes = self._file.in_codes()
        if self._number >= len(in_codes) or ".".join(path) not in in_codes[self._number]:
            return None
        if path not in self._distinct:
            with decoding():
                array = _inside(next(self._batches(self._file.beginnings, path, 1)), path)
            self._distinct[path] = array.dictionary if is_encoded(array) else None
        return self._distinct[path]

    def _batches(self, file: Any, path: Path, rows: int) -> Iterator[Any]:
        batches: Iterator[Any] = file.iter_batches(
            batch_size=rows, row_groups=[self._number], columns=[".".join(path)], use_threads=False
        )
        return batches

    def array(self, path: Path, step: int, rows: int, *, stretch: bool = False) -> Array:
        """Return ``rows`` rows of a column, ``step`` times as many rows after the first.

        The last ones may be fewer. Whoever asks for another number of rows than before reads from the start.
        """
        with decoding():
            size, done, stream = self._streams.pop(path, (rows, 0, None))
            if stream is None or done > step or size != rows:
                done = 0
                file = self._file.stretches if stretch else self._file.batches
                stream = self._batches(file, path, rows)
            for _ in range(step - done):
                next(stream)
            batch = next(stream, None)
            if batch is None:
                message = "a column has fewer rows than its row group"
                raise ValueError(message)
            if batch.num_rows == rows:
                self._streams[path] = (rows, step + 1, stream)
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


class ColumnRows:
    """Some rows, column by column."""

    def __init__(self, layout: Layout, rows: int) -> None:
        """Look at ``rows`` rows of a file with these columns."""
        self.layout = layout
        self.rows = rows
        """How many there are."""
        self._encoded: dict[Path, Encoded] = {}

    def array(self, path: Path) -> Array:
        """Return a column as it is."""
        raise NotImplementedError

    def distinct(self, path: Path) -> Array | None:
        """Return all values of a column, and maybe others, if they can be had without reading its rows."""
        raise NotImplementedError

    def texts(self, path: Path) -> list[Array]:
        """Return arrays that together hold each text of a column at least once; numbers are left out."""
        with decoding():
            return list(texts_in(self.array(path)))

    def is_bulky(self, path: Path) -> bool:
        """Return whether a column has long values: then encode no more rows of it than are looked at."""
        if path in self.layout.bulky:
            return True
        array = self.array(path)
        return not is_encoded(array) and array.nbytes > _LONG * self.rows

    def encoded_rows(self, path: Path, rows: Array) -> Encoded:
        """Return some rows of a column as codes; a text in each row has one of its own."""
        with decoding():
            array = self.array(path).take(rows)
            return Encoded(array, apart=is_text(array.type))

    def encoded(self, path: Path) -> Encoded:
        """Return a column as codes."""
        known = self._encoded.get(path)
        if known is None:
            array = self.array(path)
            with decoding():
                known = self._encoded[path] = Encoded(array)
        return known

    def events(
        self, rows: Sequence[int], wanted: Sequence[Collection[Path] | None] | None = None
    ) -> list[Fields]:
        """Return events by their positions: whole, or of each only what is in some columns.

        ``wanted`` are the columns for each of ``rows``, None for all of them.
        """
        import pyarrow as pa

        events: list[Fields] = [{} for _ in rows]
        places = _places(wanted or [None] * len(events), self.layout)
        with decoding():
            # Fields come in the order of the file, whoever asks.
            for leaf in filter(places.__contains__, self.layout.leaves):
                array = self.array(leaf)
                if array.null_count == len(array):
                    continue
                array = array.take(pa.array([rows[at] for at in places[leaf]], type=pa.int64()))
                if array.null_count == len(array):
                    continue
                *around, name = leaf
                for at, value in zip(places[leaf], python_values(array), strict=True):
                    if value is not None:
                        _inside_of(events[at], around)[name] = value
        return events


def _places(wanted: Sequence[Collection[Path] | None], layout: Layout) -> dict[Path, list[int]]:
    """Return for each column the positions of the events that it is wanted for."""
    alike: dict[int, list[int]] = {}
    for at, paths in enumerate(wanted):
        alike.setdefault(id(paths), []).append(at)
    found: dict[Path, list[int]] = {}
    for places in alike.values():
        paths = wanted[places[0]]
        for path in layout.leaves if paths is None else paths:
            found.setdefault(path, []).extend(places)
    return found


class ColumnBatch(ColumnRows):
    """Some rows of a file; ``first`` is the number of the first of them in the file, from 1."""

    def __init__(
        self, report: FileReport, layout: Layout, group: RowGroup, *, step: int, first: int, rows: Slices
    ) -> None:
        """Look at the rows of ``group``, from the chunk ``step`` on."""
        super().__init__(layout, rows.here)
        self.report = report
        self.first = first
        self._group = group
        self._step = step
        self._slices = rows
        self._arrays: dict[Path, Array] = {}

    @property
    def asked(self) -> Collection[Path]:
        """Columns that somebody asked for, of which all rows are held."""
        return self._arrays.keys()

    @property
    def records(self) -> range:
        """Numbers of the rows in the file."""
        return range(self.first, self.first + self.rows)

    def array(self, path: Path) -> Array:
        """Return a column as it is; of a bulky one, too, all rows are held from now on."""
        import pyarrow as pa

        array = self._arrays.get(path)
        if array is None:
            if path in self.layout.bulky:
                array = pa.concat_arrays([stretch.array(path) for stretch in self.stretches()])
            else:
                array = self._group.array(path, self._step, self._slices.chunk)
                self._check(path, array, self._slices.skip + self.rows)
                array = array.slice(self._slices.skip) if self._slices.skip else array
            self._arrays[path] = array
        return array

    def distinct(self, path: Path) -> Array | None:
        """Return all values of a column, and maybe others, if they can be had without reading its rows."""
        return self._group.distinct(path)

    def stretches(self) -> Iterator[ColumnStretch]:
        """Yield all rows in order, some at a time."""
        size = self._slices.stretch
        for start in range(0, self.rows, size):
            yield ColumnStretch(self, start, min(size, self.rows - start))

    def all_events(self, size: int) -> Iterator[Fields]:
        """Yield all events in order, whole; ``size`` of them are made at once."""
        for stretch in self.stretches():
            for start in range(0, stretch.rows, size):
                yield from stretch.events(range(start, min(start + size, stretch.rows)))

    def slice(self, path: Path, start: int, rows: int) -> Array:
        """Return some rows of a column, from the start of a stretch on."""
        if path not in self.layout.bulky or path in self._arrays:
            return self.array(path).slice(start, rows)
        size = self._slices.stretch
        before = self._step * self._slices.chunk + self._slices.skip + start
        array = self._group.array(path, before // size, size, stretch=True)
        self._check(path, array, rows)
        return array

    def _check(self, path: Path, array: Array, rows: int) -> None:
        if len(array) != rows:
            message = f"column {'.'.join(path)} has {len(array)} rows in place of {rows}"
            raise UnreadableColumnsError(message)

    def release(self) -> None:
        """Let go of what was read."""
        self._arrays.clear()
        self._encoded.clear()


class ColumnStretch(ColumnRows):
    """Some rows of a batch, from row ``start`` on."""

    def __init__(self, batch: ColumnBatch, start: int, rows: int) -> None:
        """Look at ``rows`` rows of ``batch``."""
        super().__init__(batch.layout, rows)
        self.start = start
        self._batch = batch
        self._arrays: dict[Path, Array] = {}

    def distinct(self, path: Path) -> Array | None:
        """Return all values of a column, and maybe others, if they can be had without reading its rows."""
        return self._batch.distinct(path)

    def array(self, path: Path) -> Array:
        """Return a column as it is."""
        array = self._arrays.get(path)
        if array is None:
            array = self._arrays[path] = self._batch.slice(path, self.start, self.rows)
        return array

    def encoded(self, path: Path) -> Encoded:
        """Return a column as codes: those of the batch, but for bulky columns."""
        if path in self.layout.bulky:
            return super().encoded(path)
        known = self._encoded.get(path)
        if known is None:
            known = self._encoded[path] = self._batch.encoded(path).slice(self.start, self.rows)
        return known


def _inside_of(event: Fields, around: Sequence[str]) -> Fields:
    for name in around:
        event = event.setdefault(name, {})
    return event
