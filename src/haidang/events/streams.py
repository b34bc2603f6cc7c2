"""Opening: from what the user named to streams of bytes, through compression and archives.

This is the contract; see the functions.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Input"]


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to read; small and picklable, so that it can be sent to another process."""

    path: str
    """Real path, or "-" for standard input."""
    display: str
    """The path as the user would name it."""
    size: int
    """Bytes on disk (compressed), 0 where unknown; for progress and for splitting work."""
    member: str = ""
    """Member of the archive at ``path``, or ""."""
    start: int = 0
    """First byte of the part to read (plain line-based files only): lines that begin in it are read."""
    end: int | None = None
    """Byte after the part, None for the end of the file."""
