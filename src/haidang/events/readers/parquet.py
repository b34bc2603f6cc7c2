"""Parquet: events by column, as data lakes and exports keep them; by the library ``pyarrow``.

Rules of this module:

- The library is an extra (``[parquet]``); without it, the file is noted and not read.
- Rows are handed over by column (:mod:`haidang.events.columns`), so that only the columns are read that rules
  look at, and whole rows only where a rule holds.
- At most ``limits.column_rows`` rows and about ``limits.column_bytes`` bytes are held at once.
- A row group that cannot be read is noted and skipped; the others are read.
- A file without its end has no description of its columns and cannot be read at all.
- Input is untrusted.

Fields: the names of the columns; structures are objects, null is absent. Windows events are recognised by
their shape, others by the logsource maps, as those of JSON. The number of a record is that of its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.events.columns import (
    ColumnBatch,
    Layout,
    Opened,
    RowGroup,
    Slices,
    UnreadableColumnsError,
    decoding,
    held_memory,
    release_memory,
)
from haidang.events.parquet_footer import columns_in_codes
from haidang.events.readers.ndjson import ORIGIN
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "ParquetReader"]

_SIGNATURE = b"PAR1"
_CODE = 4
_BUFFER = 1 << 16
_REUSED = 2
"""How many times what may be held a batch may leave behind for the next one."""
_STRETCHES = 24
"""Of what may be held, the part that a stretch of bulky columns may take."""


class ParquetReader:
    """Reads Parquet files."""

    name = "parquet"
    title = "Parquet"
    origins: tuple[Origin, ...] = (ORIGIN, WINDOWS)
    signature = _SIGNATURE
    splittable = False
    """Only lines can be split."""

    def recognises(self, head: Head) -> int:
        """Return 100 for the signature."""
        return 100 if head.data.startswith(_SIGNATURE) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[ColumnBatch]:
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
                yield from _batches(file, layout, report, limits)


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
        return Opened(batches, plain, beginnings, columns_in_codes(path)), layout


def _batches(file: Opened, layout: Layout, report: FileReport, limits: Limits) -> Iterator[ColumnBatch]:
    first = 1
    columns = len(layout.leaves)
    if columns > limits.columns or any("." in name for path in layout.structures for name in path):
        detail = f"More than {limits.columns} columns, or structures with a dot in their name."
        report.note("unreadable", "byte 0", detail)
        return
    metadata = file.batches.metadata
    for number in range(metadata.num_row_groups):
        described = metadata.row_group(number)
        total = described.num_rows
        if not columns or total <= 0:
            continue
        group = RowGroup(file, number)
        size, stretch = _parted(described, layout, limits)
        for step, start in enumerate(range(0, total, size)):
            slices = Slices(min(size, total - start), size, stretch)
            batch = ColumnBatch(report, layout, group, step=step, first=first + start, rows=slices)
            yield batch
            held = held_memory()
            batch.release()
            # The next batch takes the same memory; getting it anew from the system costs a fifth of the time.
            if held > _REUSED * limits.column_bytes:
                release_memory()
        release_memory()
        first += total


def _parted(described: Any, layout: Layout, limits: Limits) -> tuple[int, int]:
    """Return how many rows of a row group make a batch, and how many of these a stretch."""
    total = described.num_rows
    bulky = {".".join(path) for path in layout.bulky}
    held = 0
    for at in range(described.num_columns):
        column = described.column(at)
        if column.path_in_schema in bulky:
            held += column.total_uncompressed_size
    # A row of a column that is not bulky takes four bytes at least, however it is written in the file.
    rest = max(described.total_byte_size - held, _CODE * len(layout.leaves) * total) // total
    most = max(1, min(limits.column_rows, limits.column_bytes // max(1, rest), total))
    stretch = max(1, min(limits.column_bytes // _STRETCHES // max(1, held // total), most))
    return most // stretch * stretch, stretch


READER = ParquetReader()
