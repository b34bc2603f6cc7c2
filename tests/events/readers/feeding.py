"""Bytes to a reader without a file: a stream and a head that honour what readers are promised."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from haidang.events.model import DocumentBatch, EventBatch, FileReport
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.readers import Head, Reader
    from haidang.events.streams import Stream

SAMPLES = Path(__file__).parent / "samples"


class Lines:
    """A stream of lines already in memory, cut into batches as the limits ask."""

    def __init__(self, data: bytes) -> None:
        self._lines = data.split(b"\n")
        if not self._lines[-1]:
            del self._lines[-1]

    def line_batches(self, report: FileReport, limits: Limits) -> Iterator[tuple[int, list[bytes]]]:
        report.size += sum(map(len, self._lines))
        for start in range(0, len(self._lines), limits.batch_events):
            yield start + 1, self._lines[start : start + limits.batch_events]


class Beginning(NamedTuple):
    """The head of a file."""

    name: str
    data: bytes
    text: str
    lines: list[str]


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


def feed(reader: Reader, data: bytes, *, path: str = "log", limits: Limits = DEFAULT_LIMITS) -> Seen:
    """Return everything that ``reader`` makes of ``data``; check what each batch promises."""
    seen = Seen([], [], [], FileReport(path))
    for batch in reader.read(cast("Stream", Lines(data)), seen.report, limits):
        assert not isinstance(batch, DocumentBatch)
        assert isinstance(batch, EventBatch)
        assert 0 < len(batch.events) == len(batch.records)
        assert len(batch.events) <= limits.batch_events
        assert batch.origin in {origin.name for origin in reader.origins}
        seen.events.extend(batch.events)
        seen.records.extend(batch.records)
        seen.origins.extend([batch.origin] * len(batch.events))
    return seen


def head(data: bytes, name: str = "x.log") -> Head:
    """Return the head of a file that holds ``data``."""
    start = data[:65_536]
    text = start.decode("utf-8", "replace")
    lines = text.split("\n")
    if len(data) > len(start):
        del lines[-1]
    return cast("Head", Beginning(name, start, text, [line for line in lines if line.strip()]))


def sample(folder: str, name: str) -> bytes:
    """Return one of our own samples."""
    return (SAMPLES / folder / name).read_bytes()
