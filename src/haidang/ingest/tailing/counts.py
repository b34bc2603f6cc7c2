"""What is counted of files that are followed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TailCounts"]


@dataclass(slots=True)
class TailCounts:
    """Counts of the files of one source: how it is now, then what happened since the start."""

    files: int = 0
    """Files that are followed."""
    waiting: int = 0
    """Files that are held back, because they may be copies in the making."""
    missing: int = 0
    """Contents that were not taken to their end and are looked for."""
    left_out: int = 0
    """Files past the limit."""
    truncated: int = 0
    """Files that were truncated or replaced in place."""
    oversized: int = 0
    """Lines that were passed over because they are too long."""
    unreadable: int = 0
    """Files that could not be opened, or are broken; also marks that could not be read."""
    refused: int = 0
    """Files that hold no lines of text."""
