"""What an authority keeps: one SQLite file, in which each act is one transaction.

Rules:

- ``synchronous`` is FULL and every act begins with ``BEGIN IMMEDIATE``: whoever is killed in the middle
  leaves the state before it, and two who act at once act one after the other.
- Nothing is ever updated or deleted but facts and deliveries: certificates, revocations, CRLs, log entries
  and checkpoints only grow.
- The file is trusted no further than its log (:mod:`haidang.crypto.pki.ledger`) can be checked.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.errors import AuthorityError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Kept", "Records", "Revocation", "create_records", "open_records"]

_APPLICATION = 0x48444341  # "HDCA"
_VERSION = 1
_PATIENCE = 10.0  # seconds that another act may take

_KINDS = {"T": str, "B": bytes, "I": int}
_KEPT = "TTBTTTTTTTB"

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY, chain TEXT NOT NULL, der BLOB NOT NULL, profile TEXT NOT NULL,
    name TEXT NOT NULL, issued TEXT NOT NULL, ends TEXT NOT NULL, key_id TEXT NOT NULL,
    recipient TEXT NOT NULL, replaces TEXT NOT NULL, request BLOB NOT NULL
);
CREATE INDEX certificates_by_key ON certificates (key_id);
CREATE TABLE revocations (
    serial TEXT PRIMARY KEY REFERENCES certificates (serial), moment TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE crls (
    chain TEXT NOT NULL, number INTEGER NOT NULL, der BLOB NOT NULL, moment TEXT NOT NULL,
    PRIMARY KEY (chain, number)
);
CREATE TABLE parents (name TEXT PRIMARY KEY, der BLOB NOT NULL);
CREATE TABLE log (number INTEGER PRIMARY KEY, entry BLOB NOT NULL);
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL);
CREATE TABLE deliveries (made TEXT PRIMARY KEY, place TEXT NOT NULL);
"""


class Kept(NamedTuple):
    """One certificate that was issued."""

    serial: str
    """Hexadecimal, lower case."""
    chain: str
    """``first`` or ``second`` (ML-DSA)."""
    der: bytes
    profile: str
    name: str
    """For people: its common name."""
    issued: str
    """ISO 8601, UTC; so is ``ends``."""
    ends: str
    key_id: str
    recipient: str = ""
    """The age recipient that opens what is sealed to its holder."""
    replaces: str = ""
    """Serial of the certificate that this one renews."""
    request: bytes = b""
    """The PKCS#10 request, DER; empty where the key was made here."""


class Revocation(NamedTuple):
    """One certificate that was revoked."""

    serial: str
    moment: str
    reason: str


class Records:
    """The open file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Use an open connection; ``path`` is what errors name."""
        self._connection = connection
        self.path = path
        # Whoever forgets to close it, or is left by an error, leaves no open file behind.
        self._closing = weakref.finalize(self, connection.close)

    def close(self) -> None:
        """Close the file."""
        self._closing()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside one act: all of it is kept, or nothing."""
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._errors():
                self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def check(self) -> list[str]:
        """Return what SQLite itself finds wrong with the file."""
        with self._errors():
            found = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(20)")]
        return [] if found == ["ok"] else found

    def damaged(self, reason: object) -> AuthorityError:
        """Return the error that says that the file cannot be used."""
        return _damaged(self.path, reason)

    def fact(self, name: str) -> str:
        """Return a fact about the authority, ``""`` where there is none."""
        rows = self._rows("T", "SELECT value FROM facts WHERE name = ?", name)
        return rows[0][0] if rows else ""

    def set_fact(self, name: str, value: str) -> None:
        """Keep a fact."""
        self._change("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    def add_certificate(self, kept: Kept) -> None:
        """Keep a certificate."""
        self._change("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *kept)

    def certificates(self) -> list[Kept]:
        """Return every certificate, in the order of issue."""
        return [Kept(*row) for row in self._rows(_KEPT, "SELECT * FROM certificates ORDER BY rowid")]

    def certificate(self, serial: str) -> Kept | None:
        """Return one certificate."""
        rows = self._rows(_KEPT, "SELECT * FROM certificates WHERE serial = ?", serial)
        return Kept(*rows[0]) if rows else None

    def certificates_of_key(self, key_id: str) -> list[Kept]:
        """Return the certificates of one key."""
        rows = self._rows(_KEPT, "SELECT * FROM certificates WHERE key_id = ?", key_id)
        return [Kept(*row) for row in rows]

    def add_revocation(self, revocation: Revocation) -> None:
        """Keep that a certificate was revoked."""
        self._change("INSERT INTO revocations VALUES (?, ?, ?)", *revocation)

    def revocations(self, chain: str = "") -> list[Revocation]:
        """Return what was revoked, of one chain or of all."""
        rows = self._rows(
            "TTT",
            "SELECT r.serial, r.moment, r.reason FROM revocations r JOIN certificates c USING (serial)"
            " WHERE ? IN ('', c.chain) ORDER BY r.rowid",
            chain,
        )
        return [Revocation(*row) for row in rows]

    def revocation(self, serial: str) -> Revocation | None:
        """Return whether and why a certificate was revoked."""
        rows = self._rows("TTT", "SELECT serial, moment, reason FROM revocations WHERE serial = ?", serial)
        return Revocation(*rows[0]) if rows else None

    def status(self, serial: str) -> tuple[Kept | None, Revocation | None]:
        """Return a certificate and its revocation, where there are any."""
        return self.certificate(serial), self.revocation(serial)

    def add_crl(self, chain: str, number: int, der: bytes, moment: str) -> None:
        """Keep a CRL."""
        self._change("INSERT INTO crls VALUES (?, ?, ?, ?)", chain, number, der, moment)

    def last_crl(self, chain: str) -> tuple[int, bytes]:
        """Return number and DER of the newest CRL of a chain, ``(0, b"")`` where there is none."""
        statement = "SELECT number, der FROM crls WHERE chain = ? ORDER BY number DESC LIMIT 1"
        rows = self._rows("IB", statement, chain)
        return (rows[0][0], rows[0][1]) if rows else (0, b"")

    def crls(self) -> list[tuple[str, int, bytes]]:
        """Return chain, number and DER of every CRL."""
        return [(c, n, der) for c, n, der in self._rows("TIB", "SELECT chain, number, der FROM crls")]

    def set_parent_crl(self, name: str, der: bytes) -> None:
        """Keep the newest CRL of an authority above this one."""
        self._change("INSERT OR REPLACE INTO parents VALUES (?, ?)", name, der)

    def parent_crls(self) -> dict[str, bytes]:
        """Return the CRLs of the authorities above this one."""
        return dict(self._rows("TB", "SELECT name, der FROM parents ORDER BY 1"))

    def append(self, number: int, entry: bytes) -> None:
        """Append a log entry."""
        self._change("INSERT INTO log VALUES (?, ?)", number, entry)

    def entries(self) -> list[tuple[int, bytes]]:
        """Return the number and content of each log entry, in their order."""
        rows = self._rows("IB", "SELECT number, entry FROM log ORDER BY number")
        return [(number, entry) for number, entry in rows]

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a checkpoint."""
        self._change("INSERT INTO checkpoints VALUES (?, ?)", size, note)

    def checkpoints(self) -> list[tuple[int, bytes]]:
        """Return size and note of every checkpoint."""
        rows = self._rows("IB", "SELECT size, note FROM checkpoints ORDER BY size")
        return [(size, note) for size, note in rows]

    def last_checkpoint(self) -> bytes:
        """Return the newest checkpoint."""
        rows = self._rows("B", "SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")
        return rows[0][0] if rows else b""

    def add_delivery(self, made: str, place: str) -> None:
        """Keep that the folder ``made`` is to become ``place`` once this act is kept."""
        self._change("INSERT INTO deliveries VALUES (?, ?)", made, place)

    def deliveries(self) -> list[tuple[str, str]]:
        """Return the folders that still have to get their names."""
        return [(made, place) for made, place in self._rows("TT", "SELECT made, place FROM deliveries")]

    def delivered(self, made: str) -> None:
        """Forget a delivery that was done."""
        self._change("DELETE FROM deliveries WHERE made = ?", made)

    def _rows(self, kinds: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows whose columns are of ``kinds`` (Text, Blob, Integer): SQLite itself lets any pass."""
        wanted = [_KINDS[kind] for kind in kinds]
        with self._errors():
            rows = self._connection.execute(statement, values).fetchall()
        for row in rows:
            if list(map(type, row)) != wanted:
                raise _damaged(self.path, Message(N_("a record is not of its kind")))
        return rows

    def _change(self, statement: str, *values: object) -> None:
        with self._errors():
            self._connection.execute(statement, values)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise AuthorityError(
                    N_("Somebody else is working with {path} at this moment."),
                    hint=N_("Wait until that is done, and do it again."),
                    path=self.path,
                ) from error
            raise _damaged(self.path, error) from error
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise _damaged(self.path, error) from error


def create_records(path: Path) -> Records:
    """Make the file, with mode 0600.

    Raises:
        AuthorityError: It is there already, or cannot be made.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise _damaged(path, error) from error
    records = _connected(path)
    with records._errors():  # noqa: SLF001 -- the class and its makers are one
        records._connection.executescript(  # noqa: SLF001
            f"{_SCHEMA} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION};"
        )
    return records


def open_records(path: Path) -> Records:
    """Open the file.

    Raises:
        AuthorityError: It is not there, is damaged, or is no such file.
    """
    if not path.is_file():
        raise AuthorityError(
            N_("There is no authority in {folder}."),
            hint=N_("Name its folder, or make one: haidang pki create-root."),
            folder=path.parent,
        )
    records = _connected(path)
    with records._errors():  # noqa: SLF001 -- the class and its makers are one
        marks = [
            records._connection.execute(f"PRAGMA {name}").fetchone()[0]  # noqa: SLF001
            for name in ("application_id", "user_version")
        ]
    if marks != [_APPLICATION, _VERSION]:
        records.close()
        raise _damaged(path, Message(N_("it is of another program or another version")))
    return records


def _connected(path: Path) -> Records:
    try:
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _damaged(path, error) from error
    records = Records(connection, path)
    with records._errors():  # noqa: SLF001 -- the class and its makers are one
        for setting in ("synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {setting}")
    return records


def _damaged(path: Path, reason: object) -> AuthorityError:
    return AuthorityError(
        N_("The records of the authority, {path}, cannot be used: {reason}."),
        hint=N_(
            "Keep the file as it is, and take the newest backup whose log agrees with a kept checkpoint."
        ),
        path=path,
        reason=reason,
    )
