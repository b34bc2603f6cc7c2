"""The spool: batches of events on disk, between the receivers and detection.

Rules of this module:

- What ``append`` returned for is on disk, in whole; what it raised for is not there at all.
- Numbers ascend and are never given twice, not even after the file was lost: a new file begins at the
  microseconds since 1970. Whoever keeps the number of the last batch together with what it did, does
  everything once.
- Marks are kept with the events that they belong to, in one transaction: how far a file was read, say.
- One process appends; others may take and mark done at the same time.
- A batch that the disk damaged is handed over as such, and does not stop those behind it.

Example::

    spool = Spool(folder / "spool.sqlite3")
    spool.append([Arrival("s1", "ndjson", time.time_ns(), b'{"a": 1}', 1)])
    for batch in spool.take(after=last, most_bytes=1 << 20): ...
    spool.done(batch.number)
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zstandard

from haidang.ingest._database import Database
from haidang.ingest.model import Arrival
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from haidang.limits import Limits

__all__ = ["Backlog", "Spool", "Spooled"]

_LEVEL = 1
_FREE_SHARE = 4
_FREE_PAGES = 4096
"""A file of which more than a quarter, and as many pages, are free gives room back to the disk."""
_GIVEN_PAGES = 2048
"""Pages that are given back at a time: nobody may write meanwhile."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """An arrival with its number."""

    number: int
    arrival: Arrival
    damage: str = ""
    """What is wrong with it on disk; ``arrival.data`` is then empty. "" for nothing."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for detection."""

    batches: int
    events: int
    bytes: int
    """Of the records, before compression."""
    oldest: int
    """When the first batch was received, in nanoseconds since 1970; 0 where none waits."""


class Spool:
    """The batches in one SQLite file."""

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        """Use the file at ``path``; its folder must be there. Nothing is opened yet."""
        self._database = Database(path, _make_tables, limits, most_bytes=limits.spool_file_bytes)

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def append(self, arrivals: Sequence[Arrival], marks: Mapping[str, bytes] | None = None) -> list[int]:
        """Write arrivals in one transaction and return their numbers, in order.

        Args:
            arrivals: What came.
            marks: What else is to be kept together with it, by name; an empty one removes what was kept.

        Raises:
            SpoolFullError: There is no room; none of them was kept.
            SpoolUnavailableError: The file cannot be used; none of them was kept.
        """
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        rows = [
            (one.source, one.format, one.received, one.count, len(one.data), compressor.compress(one.data))
            for one in arrivals
        ]
        kept = list((marks or {}).items())
        self._database.require_room(sum(len(row[-1]) for row in rows) + sum(len(mark) for _, mark in kept))
        numbers = []
        with self._database.writing() as connection:
            for row in rows:
                number = connection.execute(_INSERT, row).lastrowid
                assert number is not None  # noqa: S101 - for the type checker; an INSERT has one
                numbers.append(number)
            connection.executemany(_KEEP, [(name, mark) for name, mark in kept if mark])
            connection.executemany(_FORGET, [(name,) for name, mark in kept if not mark])
        return numbers

    def marks(self, prefix: str) -> dict[str, bytes]:
        """Return the marks whose names begin with ``prefix``, by name.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        with self._database.reading() as connection:
            return dict(connection.execute(_MARKS, (len(prefix), prefix)).fetchall())

    def require_room(self) -> None:
        """See whether a batch could be appended now.

        Raises:
            SpoolFullError: There is no room.
            SpoolUnavailableError: The file cannot be used.
        """
        self._database.require_room(0)
        with self._database.writing():
            pass

    def take(self, after: int = 0, most_bytes: int = DEFAULT_LIMITS.batch_bytes) -> list[Spooled]:
        """Return the next batches behind the number ``after``, in order; they stay until they are done.

        Args:
            after: The number of the last batch that was worked off.
            most_bytes: Bytes of records to return; one batch comes whatever its size.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        rows: list[tuple[int, str, str, int, int, int, bytes]] = []
        size = 0
        with self._database.reading() as connection:
            cursor = connection.execute(_SELECT, (after,))
            for row in cursor:
                size += row[5]
                if rows and size > most_bytes:
                    break
                rows.append(row)
            cursor.close()
        decompressor = zstandard.ZstdDecompressor()
        return [_spooled(row, decompressor) for row in rows]

    def done(self, through: int) -> None:
        """Remove every batch up to the number ``through``.

        Raises:
            SpoolFullError: The disk has no room even for that; nothing was removed.
            SpoolUnavailableError: The file cannot be used; nothing was removed.
        """
        with self._database.writing() as connection:
            connection.execute("DELETE FROM batch WHERE number <= ?", (through,))
        with self._database.reading() as connection:
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            if free > _FREE_PAGES and free * _FREE_SHARE > pages:
                # A script is run to its end; by execute() the library stops after the first page.
                connection.executescript(f"PRAGMA incremental_vacuum({_GIVEN_PAGES})")

    def backlog(self) -> Backlog:
        """Return what waits.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        with self._database.reading() as connection:
            return Backlog(*connection.execute(_BACKLOG).fetchone())

    def close(self) -> None:
        """Close the file."""
        self._database.close()


_INSERT = "INSERT INTO batch (source, format, received, count, bytes, data) VALUES (?, ?, ?, ?, ?, ?)"
_KEEP = "INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_FORGET = "DELETE FROM mark WHERE name = ?"
_MARKS = "SELECT name, value FROM mark WHERE substr(name, 1, ?) = ? ORDER BY name"
_SELECT = (
    "SELECT number, source, format, received, count, bytes, data FROM batch WHERE number > ? ORDER BY number"
)
_BACKLOG = (
    "SELECT count(*), coalesce(sum(count), 0), coalesce(sum(bytes), 0), coalesce(min(received), 0) FROM batch"
)


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE IF NOT EXISTS batch (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL,
            format TEXT NOT NULL,
            received INTEGER NOT NULL,
            count INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            data BLOB NOT NULL
        ) STRICT"""
    )
    connection.execute(
        """CREATE TABLE IF NOT EXISTS mark (
            name TEXT PRIMARY KEY, value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID"""
    )
    connection.execute(
        """INSERT INTO sqlite_sequence (name, seq)
            SELECT 'batch', ? WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'batch')""",
        (time.time_ns() // 1000,),
    )


def _spooled(
    row: tuple[int, str, str, int, int, int, bytes], decompressor: zstandard.ZstdDecompressor
) -> Spooled:
    number, source, format_, received, count, size, packed = row
    try:
        data = decompressor.decompress(packed)
        damage = "" if len(data) == size else f"{len(data)} bytes instead of {size}"
    except zstandard.ZstdError as error:
        damage = str(error)
    if damage:
        data = b""
    return Spooled(number, Arrival(source, format_, received, data, count), damage)
