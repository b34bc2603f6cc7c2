"""A process that follows files is killed at any moment while they are written and rotated."""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haidang.ingest.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHILD = Path(__file__).with_name("tailing_child.py")
REPOSITORY = CHILD.parents[3]
KILLS = int(os.environ.get("HAIDANG_TEST_KILLS", "15"))
"""A longer run asks for more."""


class Writer(threading.Thread):
    """Writes numbered lines to a log and rotates it, until it is told to stop.

    It rotates again only once what it had written before the last time was taken: whoever rotates and
    compresses twice while nobody looks takes away what nobody has seen.
    """

    def __init__(
        self, log: Path, chance: random.Random, rotate: Callable[[Path], None], taken: Taken
    ) -> None:
        super().__init__(daemon=True)
        self.lines: list[bytes] = []
        self.may_rotate = threading.Event()
        self._taken = taken
        self._rotated = 0
        self._log = log
        self._chance = chance
        self._rotate = rotate
        self._ending = threading.Event()

    def run(self) -> None:
        while not self._ending.is_set():
            with self._log.open("ab", buffering=0) as file:
                for _ in range(self._chance.randrange(1, 30)):
                    line = b"%s %06d %s" % (
                        self._log.name.encode(),
                        len(self.lines),
                        b"x" * self._chance.randrange(200),
                    )
                    cut = self._chance.randrange(len(line))
                    # Sometimes only the beginning of a line is there for a moment.
                    file.write(line[:cut])
                    if not self._chance.randrange(10):
                        time.sleep(0.005)
                    file.write(line[cut:] + b"\n")
                    self.lines.append(line)
            time.sleep(self._chance.random() * 0.05)
            if not self._chance.randrange(30) and self.may_rotate.is_set() and self._was_taken():
                self._rotated = len(self.lines)
                self._rotate(self._log)

    def _was_taken(self) -> bool:
        return self._taken.of[self._log.name.encode()] >= self._rotated

    def end(self) -> None:
        self._ending.set()
        self.join()


def shift(log: Path) -> Path:
    """Make room for a rotated file as logrotate does; what is older is compressed."""
    numbers = sorted(
        (int(path.name.split(".")[2]) for path in log.parent.glob(f"{log.name}.*")), reverse=True
    )
    for number in numbers:
        plain, packed = (log.with_name(f"{log.name}.{number}{end}") for end in ("", ".gz"))
        if packed.exists():
            packed.rename(log.with_name(f"{log.name}.{number + 1}.gz"))
        elif plain.exists():
            state = plain.stat()
            target = log.with_name(f"{log.name}.{number + 1}.gz")
            target.write_bytes(gzip.compress(plain.read_bytes()))
            os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
            plain.unlink()
    return log.with_name(f"{log.name}.1")


def rename(log: Path) -> None:
    log.rename(shift(log))


def copy_and_truncate(log: Path) -> None:
    shutil.copy2(log, shift(log))
    os.truncate(log, 0)


class Taken:
    """What is in the spool."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[bytes] = []
        self.of: Counter[bytes] = Counter()
        """Name of a log to the number of its lines."""
        self._spool = Spool(folder / "spool.sqlite3")
        self._last = 0

    def look(self) -> int:
        """Return how many lines are there."""
        while found := self._spool.take(self._last):
            for batch in found:
                assert not batch.damage
                lines = batch.arrival.data.split(b"\n")
                self.lines += lines
                self.of.update(line.partition(b" ")[0] for line in lines)
                self._last = batch.number
        return len(self.lines)

    def wait_for(self, count: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.look() < count and time.monotonic() < end:
            time.sleep(0.02)


@contextlib.contextmanager
def following(logs: Path, folder: Path) -> Iterator[None]:
    """Let a process follow the logs, and kill it when the block ends."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    with subprocess.Popen([sys.executable, str(CHILD), str(logs), str(folder)], env=environ) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("rotate", [rename, copy_and_truncate])
def test_each_line_is_taken_once_though_the_process_is_killed_again_and_again(
    tmp_path: Path, rotate: Callable[[Path], None]
) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)  # noqa: T201 - to be able to do it again
    chance = random.Random(seed)
    logs = tmp_path / "logs"
    logs.mkdir()
    taken = Taken(tmp_path)
    writers = [
        Writer(logs / name, random.Random(seed + number), rotate, taken)
        for number, name in enumerate(["app.log", "single.log"])
    ]
    for writer in writers:
        writer.start()
    with following(logs, tmp_path):
        # What is rotated away before the very first look is nobody's.
        while len({line.split()[0] for line in taken.lines}) < len(writers):
            taken.wait_for(taken.look() + 1, 20)
    for writer in writers:
        writer.may_rotate.set()
    for _ in range(KILLS):
        with following(logs, tmp_path):
            # A process that is only starting has nothing to lose.
            taken.wait_for(taken.look() + 1, 20)
            time.sleep(chance.random() * 0.3)
    for writer in writers:
        writer.end()
    written = [line for writer in writers for line in writer.lines]
    with following(logs, tmp_path):
        taken.wait_for(len(written), 60)
        # What is there twice would come within this time.
        time.sleep(3)
    taken.look()
    found = Counter(taken.lines)
    known = set(written)
    lost = [line for line in written if line not in found]
    doubled = [line for line, count in found.items() if count > 1]
    strange = [line for line in found if line not in known]
    shown = [[line[:20] for line in lines[:5]] for lines in (lost, doubled, strange)]
    assert shown == [[], [], []], f"{len(lost)} lost, {len(doubled)} doubled, of {len(written)}"
    assert len(written) > 1000
