"""Running a command and asking the operating system what it cost.

Linux counts what a process was before it became another program: the peak of a command is at least that of the
process that started it. Whatever is large is therefore made ``elsewhere``, and a peak that is no larger than this
process's own is called a bound.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Cost", "Failed", "alternate", "elsewhere", "run"]

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


class Failed(Exception):  # noqa: N818 - read by people only
    """A command ended as it should not."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a finished process and its children used."""

    cpu: float
    """Seconds of processor time, user and system."""
    wall: float
    """Seconds from start to end."""
    peak: int
    """Largest resident set of one process, bytes."""
    output: str = ""
    """Its standard output, cut at 1 MB."""
    bound: int = 0
    """What ``peak`` would be of a command that needs nothing, bytes."""

    @property
    def memory(self) -> str:
        """The peak in megabytes, or that it is at most as much."""
        return f"{'at most ' if self.peak <= self.bound else ''}{self.peak / 1e6:.0f} MB"


def elsewhere(make: Callable[_Given, _Made], *args: _Given.args, **kwargs: _Given.kwargs) -> _Made:
    """Return what ``make`` returns in a process of its own, so that this one stays small."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(make, *args, **kwargs).result()


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    accept: Sequence[int] = (0, 3),
    stdin: Path | None = None,
) -> Cost:
    """Run ``command`` to its end; raise Failed when its exit code is none of ``accept``."""
    bound = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begin = time.perf_counter()
    source = stdin.open("rb") if stdin else None
    process = subprocess.Popen(
        command,
        stdin=source or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
    if source:
        source.close()
    output, errors = process.stdout, process.stderr
    assert output is not None  # noqa: S101 - PIPE was asked for
    assert errors is not None  # noqa: S101
    text = output.read(1 << 20)
    while output.read(1 << 20):
        pass
    said = errors.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode not in accept:
        message = (
            f"{' '.join(command)}: exit code {process.returncode}\n{said.decode(errors='replace')[-2000:]}"
        )
        raise Failed(message)
    peak = usage.ru_maxrss * 1024
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak, text.decode(errors="replace"), bound)


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several runs of one command."""
    return Cost(
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.wall for cost in costs),
        max(cost.peak for cost in costs),
        costs[-1].output,
        max(cost.bound for cost in costs),
    )


def alternate(
    commands: Mapping[str, Sequence[str]], runs: int, *, env: Mapping[str, str] | None = None
) -> dict[str, Cost]:
    """Run the commands in turn, ``runs`` times after one run that does not count; return medians."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            cost = run(command, env=env)
            if turn:
                costs[name].append(cost)
    return {name: median(found) for name, found in costs.items()}
