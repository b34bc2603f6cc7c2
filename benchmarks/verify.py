"""``python -m benchmarks.verify``: 1,000 detached signatures verified offline, and one from the shell.

Fifty signers of one authority, files of 50 KB, half of the signatures with a timestamp. What is measured are
whole processes, start-up included, on the cores that this process may use.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from haidang.crypto.home import Home
from haidang.crypto.signing.cades import sign_file
from haidang.crypto.timestamps.authority import TimestampAuthority
from tests.crypto.small_pki import MOMENT, small_pki

__all__ = ["main"]

FILES, SIGNERS, BYTES = 1000, 50, 50_000
NOW = MOMENT + dt.timedelta(hours=1)


def main() -> int:
    """Measure, and print the figures."""
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as scratch:
        work = Path(scratch)
        _make(work)
        cores = len(os.sched_getaffinity(0))
        seconds = _verified(work, work / "in")
        print(f"{FILES} detached signatures, {cores} cores: {seconds:.2f} s ({FILES / seconds:.0f}/s)")
        singles = sorted(_verified(work, work / "in" / "0001.bin") for _ in range(5))
        print(f"one file from the shell: best {singles[0]:.2f} s, median {singles[2]:.2f} s")
    return 0


def _make(work: Path) -> None:
    pki = small_pki()
    people = [pki.signatory(f"Người {number}") for number in range(SIGNERS)]
    pki.into(Home(work / "home"), people[0])
    authority = TimestampAuthority(pki.signatory("Dấu thời gian", "timestamp"), clock=lambda: NOW)
    stamper = authority.timestamper()
    (work / "in").mkdir()
    for number in range(FILES):
        path = work / "in" / f"{number:04}.bin"
        path.write_bytes(os.urandom(BYTES))
        target = path.with_name(path.name + ".p7s")
        sign_file(
            path, target, people[number % SIGNERS], now=NOW, timestamper=stamper if number % 2 else None
        )


def _verified(work: Path, path: Path) -> float:
    command = [sys.executable, "-m", "haidang", "verify", "--quiet", "--home", str(work / "home"), str(path)]
    begin = time.perf_counter()
    subprocess.run([*command, "--at", NOW.isoformat()], check=True, capture_output=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
