"""A process that follows files into a spool until it is killed: FOLDER-OF-LOGS FOLDER-OF-THE-SPOOL."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from haidang.ingest.counting import Counters
from haidang.ingest.intake import Intake
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool
from haidang.ingest.tailing import Tail, TailReceiver
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.holding import Book, source

LIMITS = replace(
    DEFAULT_LIMITS,
    spool_reserve_bytes=0,
    tail_poll_seconds=0.01,
    tail_scan_seconds=0.02,
    tail_settle_seconds=1.0,
    tail_read_bytes=5000,
)


async def main(logs: Path, folder: Path) -> None:
    spool = Spool(folder / "spool.sqlite3", LIMITS)
    counters = Counters(folder / "spool.sqlite3", LIMITS)
    book = Book(source("unit"))
    with Intake(spool, Quarantine(folder / "quarantine.sqlite3", LIMITS), counters, book, LIMITS) as intake:
        tails = [Tail(f"{logs}/app.log*", "unit"), Tail(f"{logs}/single.log", "unit")]
        receiver = TailReceiver(tails, intake, spool, book, LIMITS)
        await receiver.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
