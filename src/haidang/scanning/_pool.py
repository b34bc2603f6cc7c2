"""Worker processes: inputs go in, results come out in order.

- Workers are forked where the system forks, so that the loaded rules are shared.
- No more than a few results wait; a result that is large travels by a temporary file.
- A worker that dies takes only its input with it: the input is scanned once more alone, and when it kills
  that worker too, it is reported as not read. Of a part of a file, the lines are counted without being
  looked at, so that records behind it keep their numbers.
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
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from haidang.detect.regexes import timeouts
from haidang.detect.values import cuts
from haidang.events.blocks import DamagedError
from haidang.events.files import line_count, line_part
from haidang.events.model import FileReport
from haidang.scanning._worker import FileEvidence, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.events.streams import Input
    from haidang.limits import Limits
    from haidang.scanning._options import ScanOptions
    from haidang.scanning._ruleset import Ruleset

__all__ = ["Pool", "Result"]

_WAITING = 2
_IN_MEMORY = 2000
_ENDING_SECONDS = 10.0
"""How long is waited for what manages the workers, once these have been told to end."""


class Result(NamedTuple):
    """What a worker sends back for one input."""

    evidence: list[FileEvidence]
    path: str
    """File of further evidence, "" when all is in memory."""
    size: int
    events: int
    timeouts: dict[str, int]
    """Expressions that hit their time limit, and on how many values."""
    cuts: dict[str, int]
    """How many values were too long to be looked at whole."""

    def files(self) -> Iterator[FileEvidence]:
        yield from self.evidence
        if self.path:
            with Path(self.path).open("rb") as stream, suppress(EOFError):
                while True:
                    yield pickle.load(stream)  # noqa: S301 - written by our own worker into our own folder
            Path(self.path).unlink()


class Pool:
    """Worker processes, replaced when one dies."""

    def __init__(self, options: ScanOptions, ruleset: Ruleset) -> None:
        """Start the workers."""
        self._options = options
        self._ruleset = ruleset
        self._scratch = tempfile.TemporaryDirectory(prefix="haidang-")
        self._folder = Path(self._scratch.name)
        self._executor = self._start(options.processes)

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers, also in the middle of their work."""
        self.close()
        self._scratch.cleanup()

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

    def results(self, parts: Sequence[Input]) -> Iterator[tuple[Input, Result]]:
        """Yield the result of each input, in order."""
        waiting: deque[tuple[Input, Future[Result]]] = deque()
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

    def _submit(self, item: Input) -> Future[Result]:
        try:
            return self._executor.submit(_scan, item)
        except BrokenProcessPool:
            self._restart()
            return self._executor.submit(_scan, item)

    def _restart(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._start(self._options.processes)

    def _retry(self, item: Input) -> Result:
        """Scan an input alone after a worker died; report it when it kills its worker again."""
        self._restart()
        try:
            return self._executor.submit(_scan, item).result()
        except BrokenProcessPool:
            self._restart()
            report = FileReport(item.display)
            report.lines = _lost_lines(item, self._options.limits)
            detail = "reading this file ended the process that read it"
            report.note("crashed", f"byte {item.start}", detail, skipped=report.lines)
            return Result([FileEvidence(report, [], last=True)], "", 0, 0, {}, {})

    def close(self) -> None:
        """End the workers, also in the middle of their work."""
        processes: dict[int, Any] = dict(getattr(self._executor, "_processes", None) or {})
        manager = getattr(self._executor, "_executor_manager_thread", None)
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes.values():
            process.terminate()
        if manager is not None:
            # Still at it when the program ends, it would be woken through a pipe that it is closing.
            manager.join(_ENDING_SECONDS)


def _lost_lines(item: Input, limits: Limits) -> int:
    """Return how many lines a part of a file has that nobody could read."""
    if item.end is None:
        return 0
    try:
        return line_count(line_part(item.path, item.start, item.end, limits))
    except DamagedError:
        return 0


_worker: Worker | None = None
_folder = ""


def _begin(ruleset: Ruleset, options: ScanOptions, folder: str) -> None:
    import signal

    global _folder, _worker  # noqa: PLW0603 - the state of a worker process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The command heeds this one; a worker that is told to end has nothing to put away.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _worker = Worker(ruleset, options)
    _folder = folder


def _scan(item: Input) -> Result:
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
    cut = dict(cuts)
    cuts.clear()
    return Result(files, spill.name if spill else "", counts[0], counts[1], slow, cut)
