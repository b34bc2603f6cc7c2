"""Sharing a scan between processes, without a change to what comes out.

- One process: inputs are scanned here, one after another.
- Several: large line-based files are split, parts go to the workers of a pool (``_pool``), and results are
  taken in the order of the inputs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.regexes import timeouts
from haidang.detect.values import cuts
from haidang.events.files import STANDARD_INPUT
from haidang.events.model import FileReport
from haidang.scanning._worker import Worker, matching_notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.events.streams import Input
    from haidang.findings.model import ScanSummary
    from haidang.scanning._options import ScanOptions
    from haidang.scanning._ruleset import Ruleset
    from haidang.scanning._worker import FileEvidence

__all__ = ["Part", "cpu_seconds", "work"]

_PART_BYTES = 24 << 20


class Part(NamedTuple):
    """Evidence of a file, and how many lines of the file came before the part it is of."""

    file: FileEvidence
    before: int


def cpu_seconds() -> float:
    """Return the processor time of this process and its finished children, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def work(
    options: ScanOptions,
    ruleset: Ruleset,
    on_progress: Callable[[int, int, int], None],
    summary: ScanSummary,
) -> Iterator[Part]:
    """Yield the evidence of all inputs in order, keeping the account in ``summary``."""
    from haidang.events.inputs import find_inputs

    found: list[FileReport] = []
    inputs = list(
        find_inputs(options.paths, limits=options.limits, on_problem=found.append, outputs=options.outputs)
    )
    summary.files += (report for report in found if not report.output)
    for report in found:
        if report.output:
            summary.notices.append(f"{report.path} was not read: it is an output of this run.")
    total = sum(item.size for item in inputs if item.end is None)
    tracker = _Tracker(summary, total, on_progress)
    if options.processes <= 1:
        parts = _alone(options, ruleset, inputs, tracker)
    else:
        parts = _together(options, ruleset, inputs, tracker)
    yield from _ordered(parts, summary)
    summary.notices += matching_notices()
    ruleset.keep()


class _Tracker:
    """Counts what was read and tells whoever shows progress."""

    def __init__(
        self, summary: ScanSummary, total: int, on_progress: Callable[[int, int, int], None]
    ) -> None:
        self._summary = summary
        self._total = total
        self._on_progress = on_progress
        self._done = 0
        self._inside = 0
        self._size = 0

    def begin(self, item: Input) -> None:
        """Say that ``item`` is being read now."""
        self._size = item.size if item.end is None else item.end - item.start
        self._inside = 0

    def read(self, size: int, events: int) -> None:
        """Count bytes (after decompression) and events of the current input."""
        self._summary.size += size
        self._summary.events += events
        self._inside += size
        # Compressed bytes are not known here: a compressed file shows as done when it is.
        self._on_progress(self._done + min(self._inside, self._size), self._total, self._summary.events)

    def finish(self) -> None:
        """Say that the current input is read to its end."""
        self._done += self._size
        self._size = 0
        self._on_progress(self._done, self._total, self._summary.events)


def _ordered(parts: Iterator[tuple[Input, FileEvidence]], summary: ScanSummary) -> Iterator[Part]:
    """Put split files together again: one report for each, records counted from its beginning."""
    reports: dict[str, FileReport] = {}
    before: dict[str, int] = {}
    for item, file in parts:
        if item.end is None:
            if file.last:
                summary.files.append(file.report)
            yield Part(file, 0)
            continue
        whole = reports.setdefault(item.display, FileReport(item.display))
        lines = before.get(item.display, 0)
        yield Part(file._replace(report=whole), lines)
        if file.last:
            if item.display not in before:
                summary.files.append(whole)
            _add(whole, file.report, lines)
            before[item.display] = lines + file.report.lines


def _add(whole: FileReport, part: FileReport, lines: int) -> None:
    whole.format = part.format or whole.format
    whole.size += part.size
    whole.records += part.records
    whole.lines += part.lines
    for problem in part.problems.values():
        whole.note(problem.kind, _moved(problem.where, lines), problem.detail, count=problem.count)
    whole.skipped += part.skipped


def _moved(where: str, lines: int) -> str:
    """Return a position in a part as a position in the file."""
    word, _, number = where.partition(" ")
    return f"{word} {int(number) + lines}" if word in {"line", "record"} and number.isdecimal() else where


def _alone(
    options: ScanOptions, ruleset: Ruleset, inputs: Sequence[Input], tracker: _Tracker
) -> Iterator[tuple[Input, FileEvidence]]:
    worker = Worker(ruleset, options)
    for item in inputs:
        tracker.begin(item)
        for file in worker.scan(item, tracker.read):
            yield item, file
        tracker.finish()


def _together(
    options: ScanOptions, ruleset: Ruleset, inputs: Sequence[Input], tracker: _Tracker
) -> Iterator[tuple[Input, FileEvidence]]:
    from haidang.events.inputs import split_input

    parts = [
        part
        for item in inputs
        for part in split_input(
            item,
            max(1, item.size // _PART_BYTES + 1),
            limits=options.limits,
            input_format=options.input_format,
        )
    ]
    if len(parts) <= 1 or any(item.path == STANDARD_INPUT for item in inputs):
        # One part needs no help, and only this process has the standard input.
        yield from _alone(options, ruleset, inputs, tracker)
        return
    from haidang.scanning._pool import Pool

    with Pool(options, ruleset) as pool:
        for item, result in pool.results(parts):
            tracker.begin(item)
            for file in result.files():
                yield item, file
            tracker.read(result.size, result.events)
            timeouts.update(result.timeouts)
            cuts.update(result.cuts)
            tracker.finish()
