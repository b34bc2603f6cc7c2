"""A process that follows files into a database until it is killed: FOLDER DATABASE."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.ingest.tailing import Tail, TailReceiver
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.holding import Book, source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.ingest.model import Source

LIMITS = replace(
    DEFAULT_LIMITS,
    tail_poll_seconds=0.01,
    tail_scan_seconds=0.02,
    tail_settle_seconds=1.0,
    tail_read_bytes=2000,
)


class DatabaseIntake:
    """Keeps lines and marks in one transaction, as the spool does."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS line (text BLOB)")
        self._database.execute("CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value BLOB)")

    async def take(
        self,
        source: Source,
        data: bytes,
        *,
        format: str,  # noqa: A002 - as everywhere
        count: int,
        marks: Mapping[str, bytes] | None = None,
    ) -> None:
        del source, format
        self._database.execute("BEGIN IMMEDIATE")
        lines = [(line,) for line in data.split(b"\n")] if count else []
        self._database.executemany("INSERT INTO line VALUES (?)", lines)
        # To be killed here is what the transaction is for.
        await asyncio.sleep(0)
        for name, value in (marks or {}).items():
            self._database.execute("DELETE FROM mark WHERE name = ?", (name,))
            if value:
                self._database.execute("INSERT INTO mark VALUES (?, ?)", (name, value))
        self._database.execute("COMMIT")

    def marks(self, prefix: str) -> dict[str, bytes]:
        rows = sqlite3.connect(self._path()).execute("SELECT name, value FROM mark").fetchall()
        return {name: value for name, value in rows if name.startswith(prefix)}

    def _path(self) -> str:
        return str(self._database.execute("PRAGMA database_list").fetchone()[2])


class OneByOne:
    """Lets one take at a time into the database: it has one connection."""

    def __init__(self, inner: DatabaseIntake) -> None:
        self._inner = inner
        self._lock = asyncio.Lock()

    async def take(
        self,
        source: Source,
        data: bytes,
        *,
        format: str,  # noqa: A002 - as everywhere
        count: int,
        marks: Mapping[str, bytes] | None = None,
    ) -> None:
        async with self._lock:
            await self._inner.take(source, data, format=format, count=count, marks=marks)


async def main(folder: Path, database: Path) -> None:
    inner = DatabaseIntake(database)
    tails = [Tail(f"{folder}/app.log*", "unit"), Tail(f"{folder}/single.log", "unit")]
    receiver = TailReceiver(tails, OneByOne(inner), inner, Book(source("unit")), LIMITS)
    await receiver.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
