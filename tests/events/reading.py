"""Files to what is made of them: everything that opening and reading promise, in plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.events.blocks import BlockSource
from haidang.events.columns import ColumnBatch
from haidang.events.model import DocumentBatch, FileReport
from haidang.events.streams import Input, Stream, find_inputs, open_input
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from haidang.events.model import Batch
    from haidang.events.readers import Reader


class File(NamedTuple):
    """One file as it was read; documents that are JSON are decoded."""

    report: FileReport
    events: list[Any]
    records: list[int]

    @property
    def problems(self) -> dict[str, tuple[str, int]]:
        """Kind of each problem to its first position and its count."""
        return {kind: (problem.where, problem.count) for kind, problem in self.report.problems.items()}

    @property
    def messages(self) -> list[str]:
        """The lines of a file that was read as plain text."""
        return [event["message"] for event in self.events]


def read(
    *paths: Path | str,
    limits: Limits = DEFAULT_LIMITS,
    password: bytes | None = None,
    input_format: str | None = None,
) -> dict[str, File]:
    """Return each file under ``paths`` by its display name, those included that could not be read."""
    files: dict[str, File] = {}

    def lost(report: FileReport) -> None:
        files[report.path] = File(report, [], [])

    for item in find_inputs([str(path) for path in paths], limits=limits, on_problem=lost):
        for file in read_input(item, limits=limits, password=password, input_format=input_format):
            assert file.report.path not in files
            files[file.report.path] = file
    return files


def read_input(
    item: Input,
    *,
    limits: Limits = DEFAULT_LIMITS,
    password: bytes | None = None,
    input_format: str | None = None,
) -> Iterator[File]:
    """Yield each file in one input."""
    opened = open_input(item, limits=limits, password=password, input_format=input_format)
    for report, batches in opened:
        file = File(report, [], [])
        for batch in batches:
            take(file, batch, limits)
        yield file


def read_one(path: Path, **options: Any) -> File:
    """Return the only file at ``path``."""
    (file,) = read(path, **options).values()
    return file


def read_bytes(
    reader: Reader, data: bytes, *, limits: Limits = DEFAULT_LIMITS, block: int = 1 << 16, name: str = "log"
) -> File:
    """Return what one reader makes of bytes that no file holds, with nothing between it and the test."""
    report = FileReport(name)
    blocks = (data[start : start + block] for start in range(0, len(data), block))
    file = File(report, [], [])
    for batch in reader.read(Stream(BlockSource(blocks), report), report, limits):
        take(file, batch, limits)
    return file


def take(file: File, batch: Batch, limits: Limits) -> None:
    """Add a batch to what was read of a file, and check what each batch promises."""
    assert batch.report is file.report
    if isinstance(batch, ColumnBatch):
        file.events.extend(batch.events(range(batch.rows)))
        file.records.extend(range(batch.first, batch.first + batch.rows))
        return
    items = batch.documents if isinstance(batch, DocumentBatch) else batch.events
    assert 0 < len(items) == len(batch.records)
    assert len(items) <= limits.batch_events
    for item, record in zip(items, batch.records, strict=True):
        event = decoded(item) if isinstance(item, bytes) else item
        if event is not None:
            file.events.append(event)
            file.records.append(record)


def decoded(document: bytes) -> Any:
    """Return what a document holds: None for a blank one, the bytes where they are no JSON."""
    if not document.strip():
        return None
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return document
