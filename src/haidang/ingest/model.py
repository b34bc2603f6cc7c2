"""What receivers hand on: arrivals, the sources they come from, and the lines that were broken.

Rules of this module:

- A source is who may send: it is found by its token or its certificate, and has a unit, a format and bounds.
- What a source sent is kept as it came: records joined by line feeds, not decoded.
- A broken line keeps its bytes, and is said in the words of ``events.model.Problem``.

All that sources send is untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from haidang.errors import InputError, StorageError

if TYPE_CHECKING:
    from haidang.limits import Limits

__all__ = [
    "Arrival",
    "BrokenLine",
    "BrokenLines",
    "Portion",
    "Source",
    "SourceBook",
    "SpoolFullError",
    "SpoolUnavailableError",
    "TooMuchError",
    "UnknownSourceError",
]


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who may send events."""

    id: str
    """What the spool, the counters and the quarantine know it by; never given to another source."""
    name: str
    """What people know it by."""
    unit: str = ""
    """Id of the unit that it belongs to."""
    format: str = ""
    """Name of the reader of what it sends (``haidang formats``), "" to recognise it."""
    rate: float = 0.0
    """Events per second that it may send in the long run, 0 for any number."""
    burst: int = 0
    """Events that it may send at once after a pause, 0 for those of ten seconds."""
    body_bytes: int = 0
    """Largest request after decompression, 0 for ``limits.ingest_body_bytes``."""
    enabled: bool = True
    """Whether anything is taken from it."""


class SourceBook(Protocol):
    """Who may send. Receivers ask it for every request on the event loop: it answers from memory."""

    def by_token(self, token: str) -> Source | None:
        """Return the source that the token belongs to, None for an unknown one."""
        ...

    def by_certificate(self, fingerprint_sha256: str) -> Source | None:
        """Return the source of a client certificate by its SHA-256 fingerprint, in small hexadecimal."""
        ...

    def by_name(self, name: str) -> Source | None:
        """Return the source of a name, for receivers that are set up for one (UDP, files)."""
        ...


@dataclass(frozen=True, slots=True)
class Portion:
    """Records of one format in one request."""

    format: str
    data: bytes
    """The records, joined by line feeds."""
    count: int
    """How many records there are."""
    alone: bool = False
    """Whether it is kept as a batch of its own: it begins with header lines that hold for it alone."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a source sent, as the spool keeps it."""

    source: str
    """Id of the source."""
    format: str
    """Name of the reader, "" to recognise it."""
    received: int
    """Nanoseconds since 1970."""
    data: bytes
    """Records as received, joined by line feeds."""
    count: int
    """How many records there are."""


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that could not be read."""

    reason: str
    """A kind of ``events.model.Problem``: ``broken-line``, ``oversized-line`` …"""
    detail: str
    """One English sentence, sayable by :func:`haidang.findings.details.detail`."""
    line: bytes


@dataclass(slots=True)
class BrokenLines:
    """The broken lines of one request: some of them, and how many there were."""

    limits: Limits = field(repr=False)
    lines: list[BrokenLine] = field(default_factory=list)
    count: int = 0

    def broken(self, reason: str, line: bytes, detail: str) -> None:
        """Keep a line, or only count it where there are too many; ``detail`` is an English sentence."""
        self.count += 1
        if len(self.lines) < self.limits.quarantine_request_lines:
            self.lines.append(BrokenLine(reason, detail, line))


class TooMuchError(InputError):
    """A source sends more than it may, or more than can be taken just now."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        """Keep the seconds after which to try again."""
        super().__init__(message, hint=f"Try again in {retry_after:.1f} s.")
        self.retry_after = retry_after


class UnknownSourceError(InputError):
    """Nobody is known by this token or certificate, or the source is switched off."""


class SpoolFullError(StorageError):
    """The disk, or the file that is allowed, is full; nothing of the request was kept."""


class SpoolUnavailableError(StorageError):
    """The database file cannot be used just now; nothing of the request was kept."""
