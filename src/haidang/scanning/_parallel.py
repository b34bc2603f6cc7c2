"""Sharing a scan between processes, without a change to what comes out.

- One process: inputs are scanned here, one after another.
- Several: large line-based files are split, parts go to workers (forked where the system forks, so that the
  loaded rules are shared), and results are taken in the order of the inputs. No more than a few results
  wait; a result that is large travels by a temporary file.
- A worker that dies takes only its input with it: the input is scanned once more alone, and when it kills
  that worker too, it is reported as not read.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.detect.regexes import timeouts
from haidang.events.files import STANDARD_INPUT
from haidang.events.model import FileReport
from haidang.scanning._worker import FileEvidence, Worker, regex_notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.events.streams import Input
    from haidang.findings.model import ScanSummary
    from haidang.scanning._options import ScanOptions
    from haidang.scanning._ruleset import Ruleset

__all__ = ["Part", "cpu_seconds", "work"]

_PART_BYTES = 24 << 20
_WAITING = 2
_IN_MEMORY = 2000


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

    inputs = list(find_inputs(options.paths, limits=options.limits, on_problem=summary.files.append))
    total = sum(item.size for item in inputs if item.end is None)
    tracker = _Tracker(summary, total, on_progress)
    if options.processes <= 1:
        parts = _alone(options, ruleset, inputs, tracker)
    else:
        parts = _together(options, ruleset, inputs, tracker)
    yield from _ordered(parts, summary)
    summary.notices += regex_notices()


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
        yield Part(FileEvidence(whole, file.evidence, last=file.last), lines)
        if file.last:
            if not whole.format:
                summary.files.append(whole)
            _add(whole, file.report, lines)
            before[item.display] = lines + file.report.lines


def _add(whole: FileReport, part: FileReport, lines: int) -> None:
    whole.format = part.format
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
        for part in split_input(item, max(1, item.size // _PART_BYTES + 1), limits=options.limits)
    ]
    if len(parts) <= 1 or any(item.path == STANDARD_INPUT for item in inputs):
        # One part needs no help, and only this process has the standard input.
        yield from _alone(options, ruleset, inputs, tracker)
        return
    with tempfile.TemporaryDirectory(prefix="haidang-") as folder:
        pool = _Pool(options, ruleset, Path(folder))
        try:
            for item, result in pool.results(parts):
                tracker.begin(item)
                for file in result.files():
                    yield item, file
                tracker.read(result.size, result.events)
                timeouts.update(result.timeouts)
                tracker.finish()
        finally:
            pool.close()


class _Result(NamedTuple):
    """What a worker sends back for one input."""

    evidence: list[FileEvidence]
    path: str
    """File of further evidence, "" when all is in memory."""
    size: int
    events: int
    timeouts: dict[str, int]
    """Expressions that hit their time limit, and on how many values."""

    def files(self) -> Iterator[FileEvidence]:
        yield from self.evidence
        if self.path:
            with Path(self.path).open("rb") as stream, suppress(EOFError):
                while True:
                    yield pickle.load(stream)  # noqa: S301 - written by our own worker into our own folder
            Path(self.path).unlink()


class _Pool:
    """Worker processes, replaced when one dies."""

    def __init__(self, options: ScanOptions, ruleset: Ruleset, folder: Path) -> None:
        self._options = options
        self._ruleset = ruleset
        self._folder = folder
        self._executor = self._start(options.processes)

    def _start(self, processes: int) -> ProcessPoolExecutor:
        import multiprocessing

        forks = (
            "fork" in multiprocessing.get_all_start_methods()
            and os.name == "posix"
            and os.uname().sysname == "Linux"
        )
        context = multiprocessing.get_context("fork" if forks else "spawn")
        self._ruleset.matcher  # noqa: B018 - made once before the fork, shared afterwards
        return ProcessPoolExecutor(
            processes, context, initializer=_begin, initargs=(self._ruleset, self._options, str(self._folder))
        )

    def results(self, parts: Sequence[Input]) -> Iterator[tuple[Input, _Result]]:
        """Yield the result of each input, in order."""
        waiting: deque[tuple[Input, Future[_Result]]] = deque()
        pending = iter(parts)
        more = True
        while more or waiting:
            while more and len(waiting) < self._options.processes * _WAITING:
                item = next(pending, None)
                more = item is not None
                if item is not None:
                    waiting.append((item, self._submit(item)))
            if waiting:
                item, future = waiting.popleft()
                try:
                    yield item, future.result()
                except BrokenProcessPool:
                    yield item, self._retry(item)
                    waiting = deque((other, self._submit(other)) for other, _ in waiting)

    def _submit(self, item: Input) -> Future[_Result]:
        try:
            return self._executor.submit(_scan, item)
        except BrokenProcessPool:
            self._restart()
            return self._executor.submit(_scan, item)

    def _restart(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._start(self._options.processes)

    def _retry(self, item: Input) -> _Result:
        """Scan an input alone after a worker died; report it when it kills its worker again."""
        self._restart()
        try:
            return self._executor.submit(_scan, item).result()
        except BrokenProcessPool:
            self._restart()
            report = FileReport(item.display)
            report.note("crashed", f"byte {item.start}", "reading this file ended the process that read it")
            return _Result([FileEvidence(report, [], last=True)], "", 0, 0, {})

    def close(self) -> None:
        """End the workers, also in the middle of their work."""
        processes: dict[int, Any] = dict(getattr(self._executor, "_processes", None) or {})
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes.values():
            process.terminate()


_worker: Worker | None = None
_folder = ""


def _begin(ruleset: Ruleset, options: ScanOptions, folder: str) -> None:
    import signal

    global _folder, _worker  # noqa: PLW0603 - the state of a worker process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = Worker(ruleset, options)
    _folder = folder


def _scan(item: Input) -> _Result:
    """Scan one input in a worker process."""
    if _worker is None:
        message = "the worker was not begun"
        raise RuntimeError(message)
    counts = [0, 0]

    def on_batch(size: int, events: int) -> None:
        counts[0] += size
        counts[1] += events

    files: list[FileEvidence] = []
    held = 0
    spill = None
    for file in _worker.scan(item, on_batch):
        if spill is None and held + len(file.evidence) > _IN_MEMORY:
            spill = tempfile.NamedTemporaryFile(dir=_folder, delete=False)  # noqa: SIM115 - read and removed by the parent
        if spill is None:
            files.append(file)
            held += len(file.evidence)
        else:
            pickle.dump(file, spill)
    if spill is not None:
        spill.close()
    slow = dict(timeouts)
    timeouts.clear()
    return _Result(files, spill.name if spill else "", counts[0], counts[1], slow)
