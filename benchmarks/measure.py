"""Running a command and asking the operating system what it cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Cost", "Failed", "alternate", "run"]


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


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    accept: Sequence[int] = (0, 3),
    stdin: Path | None = None,
) -> Cost:
    """Run ``command`` to its end; raise Failed when its exit code is none of ``accept``."""
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
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, text.decode(errors="replace"))


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several runs of one command."""
    return Cost(
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.wall for cost in costs),
        max(cost.peak for cost in costs),
        costs[-1].output,
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
