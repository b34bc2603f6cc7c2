"""The floors: what decoding alone costs, each printed as seconds of processor time.

python -m benchmarks.floors json FILE      orjson.loads of every line, lines already in memory
python -m benchmarks.floors evtx FOLDER    iteration over the records with the evtx library
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

__all__ = ["floor_of_evtx", "floor_of_json"]

_BLOCK = 64 << 20


def floor_of_json(path: Path) -> tuple[float, int]:
    """Return seconds and lines: ``orjson.loads`` of each line and nothing else."""
    from orjson import loads

    seconds = 0.0
    count = 0
    with path.open("rb") as stream:
        while lines := stream.readlines(_BLOCK):
            begin = time.process_time()
            for line in lines:
                loads(line)
            seconds += time.process_time() - begin
            count += len(lines)
    return seconds, count


def floor_of_evtx(folder: Path) -> tuple[float, int]:
    """Return seconds and records: the library's own iteration in one thread and nothing else."""
    from evtx import PyEvtxParser

    count = 0
    begin = time.process_time()
    for path in sorted(folder.glob("*.evtx")):
        for _ in PyEvtxParser(str(path), number_of_threads=1).records_json():
            count += 1
    return time.process_time() - begin, count


if __name__ == "__main__":
    kind, where = sys.argv[1:]
    print(*{"json": floor_of_json, "evtx": floor_of_evtx}[kind](Path(where)))
