"""From what the user named to the list of what is to be read.

Rules of this module:

- Folders are walked in the order of names, so that a run's order is always the same. A zip archive (by its
  content) becomes one input for each member.
- A folder that links back to itself, a link to nothing, a pipe or device, a file that cannot be opened: each is
  reported once and never stops the walk. A file that is reached twice through links is read once.
- Only a path that does not exist is the user's mistake, and an error.

Names and archives are untrusted.
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
