"""The service for an hour: whether its memory stays flat, and whether it keeps up.

``python -m benchmarks.endure [--seconds N] [--rate EVENTS]`` starts ``haidang serve`` with all SigmaHQ rules and its
archive, sends recorded Windows attacks at a rate, over and over, and asks Linux each half minute what memory each of
its processes has. So that no value is known from the pass before, long fields (command lines, script blocks,
registry values) end in something new in each pass.

It prints a line of each ten minutes, and at the end the slope of each process over the second half.
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, Self

from benchmarks import data
from benchmarks.serve import CORPORA, backlog
from tests.end_to_end.serving import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PIECE = 1000
_EVERY = 30.0
_TOLD_EVERY = 600.0
_LONG = re.compile(
    rb'("(?:CommandLine|ParentCommandLine|ScriptBlockText|Details|TargetObject|QueryName|Payload)":'
    rb'"(?:[^"\\]|\\.)*)"'
)


class Sample(NamedTuple):
    """What was seen at a moment."""

    at: float
    """Seconds since the first event."""
    memory: dict[str, int]
    """Bytes of each process that are its own or its share of what it shares (PSS), by what it does."""


class Sender:
    """Sends at a rate until told to stop, and counts what was acknowledged and what was refused."""

    def __init__(self, service: Service, token: str, pieces: Sequence[bytes], rate: float) -> None:
        """Not yet."""
        self.acknowledged = self.refused = 0
        self._service, self._token, self._pieces, self._rate = service, token, pieces, rate
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the request that is on its way."""
        self._ending.set()
        self._thread.join()

    def _send(self) -> None:
        due = time.monotonic()
        for turn in itertools.count():
            for piece in self._pieces:
                new = _LONG.sub(rb'\1 pass %d"' % turn, piece)
                if self._ending.is_set():
                    return
                status, _ = self._service.post("/ingest", new, self._token)
                if status == 200:
                    self.acknowledged += piece.count(b"\n")
                else:
                    self.refused += piece.count(b"\n")
                due += piece.count(b"\n") / self._rate
                time.sleep(max(0.0, due - time.monotonic()))


def main() -> int:
    """Measure; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=2000, help="events a second")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        work = Path(folder)
        lines = data.windows_ndjson(CORPORA, work, 1).read_bytes().splitlines(keepends=True)
        pieces = [b"".join(lines[at : at + _PIECE]) for at in range(0, len(lines), _PIECE)]
        del lines
        with Service(work / "data", "--rules", str(CORPORA / "sigma_all_rules.zip")) as service:
            token = service.source("benchmark")
            with Sender(service, token, pieces, args.rate) as sender:
                samples = list(_watch(service, sender, args.seconds))
            _tell(samples)
            begin = time.monotonic()
            service.until(lambda: not backlog(service), 900)
            print(
                f"endure     {sender.acknowledged:,} events acknowledged, {sender.refused:,} refused;"
                f" nothing waits any more {time.monotonic() - begin:.0f} s after the last"
            )
    return 0


def _watch(service: Service, sender: Sender, seconds: float) -> Iterator[Sample]:
    begin = time.monotonic()
    told = 0.0
    while (at := time.monotonic() - begin) < seconds:
        sample = Sample(at, _memory(service.process.pid))
        yield sample
        if at >= told:
            told += _TOLD_EVERY
            said = ", ".join(
                f"{name} {bytes_ / 1e6:.0f} MB" for name, bytes_ in sorted(sample.memory.items())
            )
            print(
                f"endure     {at / 60:3.0f} min: {sender.acknowledged:,} events, {backlog(service)} batches wait; {said}",
                flush=True,
            )
        time.sleep(_EVERY)


def _tell(samples: Sequence[Sample]) -> None:
    """Print what each process had in the second half, and how fast it grew."""
    half = [sample for sample in samples if sample.at >= samples[-1].at / 2]
    for name in sorted(half[-1].memory):
        seen = [(sample.at / 3600, sample.memory.get(name, 0) / 1e6) for sample in half]
        slope = statistics.linear_regression(*zip(*seen, strict=True)).slope if len(seen) > 1 else 0.0
        sizes = [size for _, size in seen]
        print(
            f"endure     {name}: {min(sizes):.0f} to {max(sizes):.0f} MB in the second half, {slope:+.1f} MB/h"
        )


def _memory(parent: int) -> dict[str, int]:
    """Return the memory of a process and of all below it, by what each does."""
    found: dict[str, int] = {}
    pending = [parent]
    while pending:
        pid = pending.pop()
        try:
            below = " ".join(one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/children"))
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        pending += map(int, below.split())
        part = words[words.index(b"--part") + 1].decode() if b"--part" in words else "web"
        pss = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        key = part if part not in found else f"{part} {pid}"
        found[key] = int(pss[1]) * 1024 if pss else 0
    return found


if __name__ == "__main__":
    sys.exit(main())
