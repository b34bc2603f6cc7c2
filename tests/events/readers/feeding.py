"""Bytes to a reader without a file: a stream and a head that honour what readers are promised."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from haidang.events.lines import line_batches
from haidang.events.model import DocumentBatch, EventBatch, FileReport
from haidang.events.recognition import HEAD_BYTES, make_head
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.readers import Head, Reader
    from haidang.events.streams import Stream

SAMPLES = Path(__file__).parent / "samples"


class Lines:
    """A stream whose bytes are in memory."""

    def __init__(self, data: bytes, mtime: float | None = None) -> None:
        self._data = data
        self.mtime = mtime

    def line_batches(self, report: FileReport, limits: Limits) -> Iterator[tuple[int, list[bytes]]]:
        report.size += len(self._data)
        return line_batches(iter([self._data]), report, limits)


class Seen(NamedTuple):
    """All that a reader handed over and noted."""

    events: list[dict[str, Any]]
    records: list[int]
    origins: list[str]
    report: FileReport

    @property
    def problems(self) -> dict[str, tuple[str, int]]:
        """Kind of each problem to its first position and its count."""
        return {kind: (problem.where, problem.count) for kind, problem in self.report.problems.items()}


def feed(
    reader: Reader,
    data: bytes,
    *,
    path: str = "log",
    limits: Limits = DEFAULT_LIMITS,
    mtime: float | None = None,
) -> Seen:
    """Return everything that ``reader`` makes of ``data``; check what each batch promises."""
    seen = Seen([], [], [], FileReport(path))
    for batch in reader.read(cast("Stream", Lines(data, mtime)), seen.report, limits):
        assert not isinstance(batch, DocumentBatch)
        assert isinstance(batch, EventBatch)
        assert 0 < len(batch.events) == len(batch.records)
        assert len(batch.events) <= limits.batch_events
        assert batch.origin in {origin.name for origin in reader.origins}
        seen.events.extend(batch.events)
        seen.records.extend(batch.records)
        seen.origins.extend([batch.origin] * len(batch.events))
    return seen


def feed_in_time(reader: Reader, data: bytes, seconds: float = 3) -> Seen:
    """Feed what is hostile; it must be looked at and read within some seconds of this process."""
    began = time.process_time()
    seen = feed(reader, data)
    reader.recognises(head(data))
    assert time.process_time() - began < seconds
    return seen


def head(data: bytes, name: str = "x.log") -> Head:
    """Return the head of a file that holds ``data``."""
    return make_head(name, data[:HEAD_BYTES])


def sample(folder: str, name: str) -> bytes:
    """Return one of our own samples."""
    return (SAMPLES / folder / name).read_bytes()
