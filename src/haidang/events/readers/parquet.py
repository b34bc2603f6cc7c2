"""Parquet: events by column, as data lakes and exports keep them; by the library ``pyarrow``.

Rules of this module:

- The library is an extra (``[parquet]``); without it, the file is noted and not read.
- Rows are handed over by column (:mod:`haidang.events.columns`), so that only the columns are read that rules
  look at, and whole rows only where a rule holds.
- At most ``limits.column_rows`` rows and about ``limits.column_bytes`` bytes are held at once. Once it shows
  that few columns are asked for, more rows are read at once.
- Where a column keeps log lines (``_raw``, as Splunk and Cribl write them), rows are read whole, and each
  line as what it is (:mod:`haidang.events.readers.collected`); a row of whose line nothing is known stays.
- A row group that cannot be read is noted and skipped; the others are read.
- A file without its end has no description of its columns and cannot be read at all.
- Input is untrusted.

Fields: the names of the columns; structures are objects, null is absent. Windows events are recognised by
their shape, others by the logsource maps, as those of JSON. The number of a record is that of its row.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.events.columns import ColumnBatch, Slices
from haidang.events.model import EventBatch
from haidang.events.parquet_footer import columns_in_codes
from haidang.events.readers import collected
from haidang.events.readers._opener import Opener
from haidang.events.readers.ndjson import ORIGIN
from haidang.events.row_groups import (
    Layout,
    Opened,
    RowGroup,
    UnreadableColumnsError,
    decoding,
    held_memory,
    release_memory,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from haidang.events.model import Batch, FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.row_groups import Path
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "ParquetReader"]

_SIGNATURE = b"PAR1"
_LINES = ("_raw",)
"""The column that keeps log lines."""
_CODE = 4
_BUFFER = 1 << 16
_REUSED = 2
"""How many times what may be held a batch may leave behind for the next one."""
_IN_MEMORY = 2
"""How many times what the file declares a column may take in memory."""
_MOST_TIMES = 3
"""How many times what may be held is held at most, where a later batch is asked for all columns."""
_STRETCHES = 24
"""Of what may be held, the part that a stretch of bulky columns may take."""


class ParquetReader:
    """Reads Parquet files."""

    name = "parquet"
    title = "Parquet"
    signature = _SIGNATURE
    splittable = False
    """Only lines can be split."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return the families of logs that rows, and lines in them, may be of."""
        return collected.READER.origins

    def recognises(self, head: Head) -> int:
        """Return 100 for the signature."""
        return 100 if head.data.startswith(_SIGNATURE) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[Batch]:
        """Yield the rows in batches."""
        with stream.seekable_file(limits) as path:
            try:
                import pyarrow.parquet  # noqa: F401 - whether it is there
            except ImportError:
                detail = "Reading Parquet needs the library pyarrow, which the extra [parquet] brings."
                report.note("missing-library", "byte 0", detail)
                return
            try:
                file, layout = _open(path)
            except UnreadableColumnsError as error:
                report.note("corrupt", "byte 0", f"The description of the columns is broken: {error.message}")
                return
            with file.batches, file.stretches, file.beginnings:
                batches = _batches(file, layout, report, limits)
                if _LINES in layout.leaves:
                    opener = Opener(report, stream.mtime, limits)
                    for batch in batches:
                        yield from _opened(opener, batch, limits)
                    yield from opener.close()
                else:
                    yield from batches


def _opened(opener: Opener, batch: ColumnBatch, limits: Limits) -> Iterator[Batch]:
    """Yield what the lines in the rows of a batch are."""
    step = limits.batch_events
    done = 0
    try:
        for stretch in batch.stretches():
            for start in range(0, stretch.rows, step):
                events = stretch.events(range(start, min(start + step, stretch.rows)))
                records = range(batch.first + done, batch.first + done + len(events))
                yield from opener.rows(EventBatch(batch.report, ORIGIN.name, events, records))
                done += len(events)
    except UnreadableColumnsError as error:
        lost = batch.rows - done
        batch.report.note("corrupt", f"record {batch.first + done}", error.message, skipped=lost, count=lost)


def _open(path: str) -> tuple[Opened, Layout]:
    import pyarrow.parquet as pq

    with decoding():
        plain = pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER)
        layout = Layout(plain.schema_arrow)
        metadata = plain.metadata
        texts = layout.measure(metadata)
        batches, beginnings = (
            pq.ParquetFile(
                path, metadata=metadata, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER
            )
            for _ in range(2)
        )
        # Only keywords ask; the footer of a file with many columns is long.
        return Opened(batches, plain, beginnings, cache(partial(columns_in_codes, path))), layout


def _batches(file: Opened, layout: Layout, report: FileReport, limits: Limits) -> Iterator[ColumnBatch]:
    first = 1
    columns = len(layout.leaves)
    if columns > limits.columns or any("." in name for path in layout.structures for name in path):
        detail = f"More than {limits.columns} columns, or structures with a dot in their name."
        report.note("unreadable", "byte 0", detail)
        return
    metadata = file.batches.metadata
    pace = _Pace(limits)
    for number in range(metadata.num_row_groups):
        described = metadata.row_group(number)
        total = described.num_rows
        if not columns or total <= 0:
            continue
        group = RowGroup(file, number)
        sizes = _Sizes.of(described, layout)
        size, stretch = _parted(sizes, limits)
        start = 0
        while start < total:
            chunk = size * pace.times
            step, skip = divmod(start, chunk)
            slices = Slices(min(chunk - skip, total - start), chunk, stretch, skip)
            batch = ColumnBatch(report, layout, group, step=step, first=first + start, rows=slices)
            start += slices.here
            yield batch
            pace.keep(sizes.asked(batch.asked) * size // total, size)
            held = held_memory()
            batch.release()
            # The next batch takes the same memory; getting it anew from the system costs a fifth of the time.
            if held > _REUSED * limits.column_bytes:
                release_memory()
        first += total
    release_memory()


class _Pace:
    """How many times the rows are read at once of which all columns may be held: few are asked for, mostly.

    The first batch of a file tells. Where a later one is asked for more, no batch is larger from then on than
    what that one would have allowed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known = _MOST_TIMES
        self.times = 1

    def keep(self, asked: int, rows: int) -> None:
        """Take into account that ``asked`` bytes were asked for of each so many ``rows``."""
        fits = min(self._limits.column_bytes // max(1, _IN_MEMORY * asked), self._limits.column_rows // rows)
        self._known = self.times = max(1, min(self._known, fits))


class _Sizes(NamedTuple):
    """What the file declares of a row group, in bytes."""

    rows: int
    columns: dict[Path, int]
    """Of the columns that are read whole."""
    others: int
    """Of what has no name of its own among the columns: what is inside lists and maps."""
    bulky: int

    @classmethod
    def of(cls, described: Any, layout: Layout) -> _Sizes:
        """Read the description of a row group."""
        paths = {".".join(path): path for path in layout.leaves}
        columns: dict[Path, int] = {}
        bulky = 0
        for at in range(described.num_columns):
            column = described.column(at)
            path = paths.get(column.path_in_schema)
            if path in layout.bulky:
                bulky += column.total_uncompressed_size
            elif path is not None:
                columns[path] = column.total_uncompressed_size
        others = max(0, described.total_byte_size - bulky - sum(columns.values()))
        return cls(described.num_rows, columns, others, bulky)

    def asked(self, paths: Collection[Path]) -> int:
        """Return how much some columns are; a row of each is four bytes at least, however it is written."""
        return self.others + sum(
            max(size, _CODE * self.rows) for path, size in self.columns.items() if path in paths
        )


def _parted(sizes: _Sizes, limits: Limits) -> tuple[int, int]:
    """Return how many rows may be read at once if all columns are asked for, and how many make a stretch."""
    total = sizes.rows
    rest = sizes.asked(sizes.columns) // total
    most = max(1, min(limits.column_rows, limits.column_bytes // max(1, rest), total))
    stretch = max(1, min(limits.column_bytes // _STRETCHES // max(1, sizes.bulky // total), most))
    return most // stretch * stretch, stretch


READER = ParquetReader()
