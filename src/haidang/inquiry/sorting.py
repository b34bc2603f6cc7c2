"""Sorting by time what may not fit into memory.

Items go into a private SQLite database that spills to a temporary file, which no other user can open and
which is gone when it is closed. Items of one moment keep the order in which they came.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = ["TimeSorter"]

_BATCH = 1000


class TimeSorter:
    """Takes items in any order and gives them back by time."""

    def __init__(self, limits: Limits) -> None:
        """Begin with nothing; memory is bounded by ``limits.sort_bytes``."""
        # The empty name is a database of its own, in memory until its cache is full, then in a file.
        self._database = sqlite3.connect("", isolation_level=None)
        run = self._database.execute
        run(f"PRAGMA cache_size = {-max(limits.sort_bytes // 1024, 1)}")
        run("PRAGMA journal_mode = OFF")
        run("PRAGMA synchronous = OFF")
        run("CREATE TABLE item (micro INTEGER, rest INTEGER, data BLOB)")
        self._waiting: list[tuple[int, int, bytes]] = []

    def add(self, time: int, data: bytes) -> None:
        """Take one item; ``time`` is in nanoseconds since 1970."""
        # Nanoseconds of distant years are more than SQLite's integers hold.
        self._waiting.append((*divmod(time, 1000), data))
        if len(self._waiting) >= _BATCH:
            self._flush()

    def items(self) -> Iterator[bytes]:
        """Yield all items by time."""
        self._flush()
        order = "SELECT data FROM item ORDER BY micro, rest, rowid"
        for (data,) in self._database.execute(order):
            yield data

    def close(self) -> None:
        """Give up the memory and the file."""
        self._database.close()

    def _flush(self) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO item VALUES (?, ?, ?)", self._waiting)
        self._database.execute("COMMIT")
        self._waiting.clear()
