"""Events that are kept by column: a part of a Parquet file, of which only what is asked for is read.

A reader hands over ``ColumnBatch`` after ``ColumnBatch``, each some ten thousand rows of one row group. The
detector asks it for single columns, as codes into their distinct values, and for whole events only where a
rule holds. A batch comes apart into stretches, for columns of which it is better not to hold all rows.

Rules of this module:

- Null is absent: a field that is null in a row is not in that event.
- Batches of a row group are asked in order, and so are the stretches of a batch; how columns are read is told
  in :mod:`haidang.events.row_groups`.
- Of bulky columns, large ones with long texts, a stretch is held at a time.
- What cannot be decoded raises ``UnreadableColumnsError``; nothing else leaves this module.

All input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from haidang.events.column_values import Encoded, is_encoded, is_text, python_values, texts_in
from haidang.events.row_groups import UnreadableColumnsError, decoding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from haidang.events.column_values import Array
    from haidang.events.model import Fields, FileReport
    from haidang.events.row_groups import Layout, Path, RowGroup

__all__ = ["ColumnBatch", "ColumnRows", "ColumnStretch", "Slices"]

_LONG = 64
"""Bytes of a value, taking the average, above which hashing all of them is too much."""


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
        # Fields come in the order of the file, whoever asks.
        leaves = [leaf for leaf in self.layout.leaves if leaf in places]
        with decoding():
            arrays = {leaf: array for leaf in leaves if (array := self.array(leaf)).null_count < len(array)}
            if not arrays:
                return events
            # One call for all columns: each takes longer than its work.
            batch = pa.RecordBatch.from_arrays(list(arrays.values()), list(map(str, range(len(arrays)))))
            taken = batch.take(pa.array(rows, type=pa.int64()))
            for leaf, found in zip(arrays, taken.columns, strict=True):
                if found.null_count == len(found):
                    continue
                *around, name = leaf
                here: Sequence[int] = places[leaf]
                if len(here) < len(events):
                    values = python_values(found.take(pa.array(here, type=pa.int64())))
                else:
                    here, values = range(len(events)), python_values(found)
                for at, value in zip(here, values, strict=True):
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
