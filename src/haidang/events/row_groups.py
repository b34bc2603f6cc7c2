"""Row groups of a Parquet file: which columns there are, and their rows, read one column at a time.

Rules of this module:

- Columns are read one by one, each when it is first asked for, and on from where it was left: who goes back,
  or asks for more or fewer rows at once than before, has the row group read from its beginning.
- Texts that repeat are read as distinct values. Columns that are large are read as they are, for their
  distinct values would be held for as long as the row group is read.
- What cannot be decoded raises ``UnreadableColumnsError``; nothing else leaves this module.

All input is untrusted.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from haidang.errors import HaidangError
from haidang.events.column_values import is_encoded, is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from haidang.events.column_values import Array

__all__ = [
    "Layout",
    "Opened",
    "Path",
    "RowGroup",
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
