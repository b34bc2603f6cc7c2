"""A SQLite file that several processes share, and that may go away and come back.

Rules of this module:

- The file is its owner's alone. What a transaction wrote is on disk when it returns (WAL,
  ``synchronous=FULL``).
- A file that was removed or replaced under us is noticed before anything is written to what nobody sees any
  more, and opened anew.
- No error of SQLite leaves: :class:`SpoolFullError` where there is no room, else
  :class:`SpoolUnavailableError`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from haidang.ingest.model import SpoolFullError, SpoolUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from haidang.errors import StorageError
    from haidang.limits import Limits

__all__ = ["Database"]

_PAGE_BYTES = 16_384
"""Batches are large; large pages hold them in fewer pieces."""
_ROOM = "Make room on the disk, or let detection catch up."


class Database:
    """One file; any thread may use it, one at a time."""

    def __init__(
        self,
        path: Path,
        schema: Callable[[sqlite3.Connection], None],
        limits: Limits,
        *,
        most_bytes: int = 0,
    ) -> None:
        """Nothing is opened yet.

        Args:
            path: The file; it is made where there is none.
            schema: Makes the tables that are not there; called within a transaction.
            limits: Bounds.
            most_bytes: Largest size of the file that this object may let it grow to, 0 for any.
        """
        self.path = path
        self._schema = schema
        self._limits = limits
        self._most_bytes = most_bytes
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection.

        Raises:
            SpoolUnavailableError: The file cannot be used.
        """
        with self._lock, self._errors():
            yield self._opened()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within a transaction, which is on disk when the block ends.

        Raises:
            SpoolFullError: There is no room; nothing was written.
            SpoolUnavailableError: The file cannot be used; nothing was written.
        """
        with self._lock, self._errors():
            connection = self._opened()
            with _transaction(connection):
                yield connection

    def require_room(self, size: int) -> None:
        """Refuse to write ``size`` bytes where too little of the disk would be left free.

        Raises:
            SpoolFullError: There is too little room.
        """
        try:
            free_bytes = shutil.disk_usage(self.path.parent).free
        except OSError:
            return  # What is wrong shows when the file is opened.
        if free_bytes < self._limits.spool_reserve_bytes + size:
            raise SpoolFullError(f"{self.path}: too little room is left on the disk", hint=_ROOM)
        if self._most_bytes:
            with self.reading() as connection:
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            # Pages of the tree itself come on top of the data.
            if (pages - free + 4) * _PAGE_BYTES + size > self._most_bytes:
                raise SpoolFullError(f"{self.path}: the file is as large as it may be", hint=_ROOM)

    def __del__(self) -> None:
        """Close what nobody uses any more."""
        self.close()

    def close(self) -> None:
        """Close the file; it is opened again when it is used again."""
        with self._lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = self._identity = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and self._identity != _identity(self.path):
            self.close()
        if self._connection is None:
            self._open()
        assert self._connection is not None  # noqa: S101 - for the type checker
        return self._connection

    def _open(self) -> None:
        # SQLite gives its other files the mode of this one.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        wait = self._limits.spool_wait_seconds
        connection = sqlite3.connect(self.path, timeout=wait, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            if self._most_bytes:
                connection.execute(f"PRAGMA max_page_count = {max(1, self._most_bytes // _PAGE_BYTES)}")
            with _transaction(connection):
                self._schema(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._identity = connection, _identity(self.path)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code not in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}:
                self.close()
            raise self._error(str(error), full=code == sqlite3.SQLITE_FULL) from error
        except OSError as error:
            self.close()
            raise self._error(error.strerror or str(error), full=False) from error

    def _error(self, text: str, *, full: bool) -> StorageError:
        kind = SpoolFullError if full else SpoolUnavailableError
        return kind(f"{self.path}: {text}", hint=_ROOM if full else "")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino
