"""The quarantine: lines that could not be read, kept for a person to look at.

Rules of this module:

- A line that comes again is counted, not kept again, so that a source that repeats itself (or a request
  that is sent again) pushes nothing else out.
- Of each source the newest ``limits.quarantine_lines`` are kept, of each line the first
  ``limits.quarantine_line_bytes`` bytes.
- What ``add`` returned for is on disk. Another process (the console) may read and discard at the same time.

The lines are untrusted, and may hold anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haidang.ingest._database import Database
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from haidang.ingest.model import BrokenLine
    from haidang.limits import Limits

__all__ = ["Quarantine", "Quarantined"]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A line in quarantine."""

    number: int
    source: str
    """Id of the source."""
    reason: str
    """A kind of ``events.model.Problem``."""
    detail: str
    """One English sentence; :func:`haidang.findings.details.detail` says it in another language."""
    first: int
    """When it first came, in nanoseconds since 1970."""
    last: int
    """When it last came."""
    times: int
    """How often it came."""
    size: int
    """Bytes of the whole line."""
    line: bytes
    """Its beginning, or all of it."""

    @property
    def cut(self) -> bool:
        """Whether ``line`` is only the beginning."""
        return len(self.line) < self.size


class Quarantine:
    """The broken lines in one SQLite file."""

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        """Use the file at ``path``; its folder must be there. Nothing is opened yet."""
        self._limits = limits
        self._database = Database(path, _make_tables, limits)

    def add(self, source: str, received: int, lines: Iterable[BrokenLine]) -> None:
        """Keep broken lines of a source, received at a moment in nanoseconds since 1970.

        Raises:
            SpoolFullError: There is no room.
            SpoolUnavailableError: The file cannot be used.
        """
        self.add_all([(source, received, lines)])

    def add_all(self, additions: Sequence[tuple[str, int, Iterable[BrokenLine]]]) -> None:
        """Do the same for several sources, in one transaction; see ``add``."""
        most = self._limits.quarantine_line_bytes
        rows = [
            (source, _digest(one), one.reason, one.detail, received, received, len(one.line), one.line[:most])
            for source, received, lines in additions
            for one in lines
        ]
        self._database.require_room(sum(len(row[-1]) for row in rows))
        with self._database.writing() as connection:
            connection.executemany(_INSERT, rows)
            for source in {row[0] for row in rows}:
                connection.execute(_TRIM, {"source": source, "most": self._limits.quarantine_lines})

    def lines(self, source: str = "", *, before: int = 0, most: int = 100) -> list[Quarantined]:
        """Return lines, the newest first.

        Args:
            source: Id of a source, "" for all.
            before: The number of the last line of the page before, 0 for the first page.
            most: Lines of a page.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        with self._database.reading() as connection:
            rows = connection.execute(_SELECT, {"source": source, "before": before, "most": most}).fetchall()
        return [Quarantined(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return for each source how many lines are kept.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT source, count(*) FROM line GROUP BY source").fetchall())

    def discard(self, numbers: Iterable[int]) -> None:
        """Remove lines by their numbers; those that are gone already do not matter.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM line WHERE number = ?", [(number,) for number in numbers])

    def close(self) -> None:
        """Close the file."""
        self._database.close()


_INSERT = """
INSERT INTO line (source, digest, reason, detail, first, last, times, size, line)
    VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
    ON CONFLICT (source, digest) DO UPDATE SET times = times + 1, last = max(last, excluded.last)
"""
_TRIM = """
DELETE FROM line WHERE source = :source AND number <= (
    SELECT number FROM line WHERE source = :source ORDER BY number DESC LIMIT 1 OFFSET :most)
"""
_SELECT = """
SELECT number, source, reason, detail, first, last, times, size, line FROM line
    WHERE (:source = '' OR source = :source) AND (:before = 0 OR number < :before)
    ORDER BY number DESC LIMIT :most
"""


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE IF NOT EXISTS line (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL,
            digest BLOB NOT NULL,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            times INTEGER NOT NULL,
            size INTEGER NOT NULL,
            line BLOB NOT NULL,
            UNIQUE (source, digest)
        ) STRICT"""
    )
    connection.execute("CREATE INDEX IF NOT EXISTS line_of_source ON line (source, number)")


def _digest(one: BrokenLine) -> bytes:
    return hashlib.blake2b(one.reason.encode() + b"\0" + one.line, digest_size=16).digest()
