"""Opening an input: through compression and archives to the reader of each file in it.

All input is untrusted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.model import FileReport
from haidang.events.readers import readers
from haidang.events.recognition import describe, make_head, recognise
from haidang.events.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.inputs import Input
    from haidang.events.model import Batch
    from haidang.limits import Limits

__all__ = ["open_input"]


def open_input(
    item: Input, *, limits: Limits, password: bytes | None = None, input_format: str | None = None
) -> Iterator[tuple[FileReport, Iterator[Batch]]]:
    """Yield the report and the batches of each file in an input; read all batches before the next file."""
    report = FileReport(item.display)
    path = Path(item.path)
    stream = Stream(BlockSource(_file_blocks(path, limits)), report, mtime=path.stat().st_mtime, path=item.path)
    head = stream.head()
    reader = readers()[input_format] if input_format else recognise(make_head(item.display, head), readers())
    if reader is None:
        if head:
            report.note("unknown-format", "byte 0", describe(head))
        else:
            report.note("empty", "byte 0", "The file is empty.")
        yield report, iter(())
        return
    report.format = reader.name
    yield report, reader.read(stream, report, limits)


def _file_blocks(path: Path, limits: Limits) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(limits.read_bytes):
                yield block
    except OSError as error:
        raise DamagedError("unreadable", error.strerror or str(error)) from error
