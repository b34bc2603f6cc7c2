"""What came from each source and what was refused: counted in memory, kept in the spool's database.

Rules of this module:

- Numbers only grow, over restarts too. What was counted in the last seconds before a sudden end is lost;
  the events are not.
- The receivers' process adds what is new to the database every few seconds; any process reads it from there.
"""

from __future__ import annotations

import threading
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from haidang.ingest._database import Database
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from haidang.limits import Limits

__all__ = ["UNKNOWN", "Counters", "Counts"]

UNKNOWN = ""
"""Stands for whoever sent a token that nobody has."""


@dataclass(slots=True)
class Counts:
    """What is counted of one source."""

    events: int = 0
    """Taken, and on disk."""
    bytes: int = 0
    """Of their records."""
    quarantined: int = 0
    """Lines that were broken."""
    refused: int = 0
    """Requests (or reads of a connection) that were not taken: too much, too large, not to be understood,
    or of an unknown token."""
    lost: int = 0
    """Events that are known to have been lost before they were received (UDP)."""
    seen: int = 0
    """When something last came, in nanoseconds since 1970; 0 for never."""

    def add(self, other: Counts) -> None:
        """Add what another one counted."""
        self.events += other.events
        self.bytes += other.bytes
        self.quarantined += other.quarantined
        self.refused += other.refused
        self.lost += other.lost
        self.seen = max(self.seen, other.seen)


class Counters:
    """The counts of all sources; any thread may use it."""

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        """Keep them in the database at ``path``. Nothing is opened yet."""
        self._database = Database(path, _make_tables, limits)
        self._lock = threading.Lock()
        self._new: dict[str, Counts] = {}

    def count(self, source: str, counts: Counts) -> None:
        """Add to what is counted of a source by its id, or of ``UNKNOWN``."""
        with self._lock:
            self._new.setdefault(source, Counts()).add(counts)

    def save(self) -> None:
        """Add what is new to the database; on an error it stays new.

        Raises:
            SpoolFullError: There is no room.
            SpoolUnavailableError: The file cannot be used.
        """
        with self._lock:
            new, self._new = self._new, {}
        if not new:
            return
        try:
            with self._database.writing() as connection:
                connection.executemany(_ADD, [(source, *astuple(one)) for source, one in new.items()])
        except BaseException:
            for source, one in new.items():
                self.count(source, one)
            raise

    def all(self) -> dict[str, Counts]:
        """Return what is counted of each source, what is not saved yet included.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT source, {_NAMES} FROM counts").fetchall()  # noqa: S608 - no input  # nosec B608
        found = {source: Counts(*counts) for source, *counts in rows}
        with self._lock:
            for source, one in self._new.items():
                found.setdefault(source, Counts()).add(one)
        return found

    def close(self) -> None:
        """Close the file."""
        self._database.close()


_COLUMNS = [field.name for field in fields(Counts)]
_NAMES = ", ".join(_COLUMNS)
_ADD = (
    f"INSERT INTO counts (source, {_NAMES}) VALUES (?{', ?' * len(_COLUMNS)}) "  # noqa: S608 - no input  # nosec B608
    "ON CONFLICT (source) DO UPDATE SET seen = max(seen, excluded.seen), "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in _COLUMNS if name != "seen")
)


def _make_tables(connection: sqlite3.Connection) -> None:
    columns = ", ".join(f"{name} INTEGER NOT NULL" for name in _COLUMNS)
    connection.execute(f"CREATE TABLE IF NOT EXISTS counts (source TEXT PRIMARY KEY, {columns}) STRICT")
