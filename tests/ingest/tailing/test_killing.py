"""A process that follows files is killed at any moment while they are written and rotated."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD = Path(__file__).with_name("tailing_child.py")
REPOSITORY = CHILD.parents[3]
KILLS = 25


class Writer(threading.Thread):
    """Writes numbered lines to a log and rotates it, until it is told to stop."""

    def __init__(self, log: Path, chance: random.Random, rotate: Callable[[Path], None]) -> None:
        super().__init__(daemon=True)
        self.lines: list[bytes] = []
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
            time.sleep(self._chance.random() * 0.02)
            if not self._chance.randrange(20):
                self._rotate(self._log)

    def end(self) -> None:
        self._ending.set()
        self.join()


def shift(log: Path) -> Path:
    """Make room for a rotated file as logrotate does; what is older is compressed."""
    numbers = sorted((int(path.name.split(".")[2]) for path in log.parent.glob(f"{log.name}.*")), reverse=True)
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


def taken(database: Path) -> list[bytes]:
    if not database.exists():
        return []
    connection = sqlite3.connect(database)
    try:
        return [text for (text,) in connection.execute("SELECT text FROM line")]
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def start(folder: Path, database: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])}
    return subprocess.Popen([sys.executable, str(CHILD), str(folder), str(database)], env=environment)


@pytest.mark.slow
@pytest.mark.parametrize("rotate", [rename, copy_and_truncate])
def test_each_line_is_taken_once_though_the_process_is_killed_again_and_again(
    tmp_path: Path, rotate: Callable[[Path], None]
) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)  # noqa: T201 - to be able to do it again
    chance = random.Random(seed)
    folder, database = tmp_path / "logs", tmp_path / "taken.sqlite3"
    folder.mkdir()
    writers = [
        Writer(folder / name, random.Random(seed + number), rotate)
        for number, name in enumerate(["app.log", "single.log"])
    ]
    for writer in writers:
        writer.start()
    for _ in range(KILLS):
        before = len(taken(database))
        process = start(folder, database)
        try:
            # A process that is only starting has nothing to lose.
            end = time.monotonic() + 20
            while len(taken(database)) == before and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(chance.random() * 0.3)
        finally:
            process.kill()
            process.wait()
    for writer in writers:
        writer.end()
    written = [line for writer in writers for line in writer.lines]
    process = start(folder, database)
    try:
        end = time.monotonic() + 60
        while len(taken(database)) < len(written) and time.monotonic() < end:
            time.sleep(0.1)
        # What is there twice would come within this time.
        time.sleep(3)
    finally:
        process.kill()
        process.wait()
    found = Counter(taken(database))
    lost = [line for line in written if line not in found]
    doubled = [line for line, count in found.items() if count > 1]
    strange = [line for line in found if line not in set(written)]
    assert (lost[:5], doubled[:5], strange[:5]) == ([], [], [])
    assert len(written) > 1000
