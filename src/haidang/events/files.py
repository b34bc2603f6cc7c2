"""Files on disk as blocks: whole ones, standard input, and parts of large ones.

A part is given by a range of bytes; it holds the lines that begin in the range. Any cut of a file into ranges
gives each line to exactly one part.

All input is untrusted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.events.blocks import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from haidang.limits import Limits

__all__ = [
    "FIRST_BYTES",
    "HEAD_BYTES",
    "STANDARD_INPUT",
    "file_blocks",
    "first_bytes",
    "line_count",
    "line_part",
    "unreadable",
]

STANDARD_INPUT = "-"

HEAD_BYTES = 64 << 10
"""What recognition looks at."""
FIRST_BYTES = 4096
"""What it looks at first: some formats begin with a signature."""

_READING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def unreadable(error: OSError) -> DamagedError:
    """Return what is said of a file that the system does not let us read."""
    return DamagedError("unreadable", f"{error.strerror or error}.")


def file_blocks(path: str, limits: Limits) -> Iterator[bytes]:
    """Yield the blocks of a file, or of standard input for "-".

    Raises:
        DamagedError: The system does not let us read it.
    """
    try:
        if path == STANDARD_INPUT:
            while block := sys.stdin.buffer.read(limits.read_bytes):
                yield block
            return
        # In folders of small logs, what a file object takes would show.
        file = os.open(path, _READING)
        try:
            yield from _blocks(file, limits)
        finally:
            os.close(file)
    except OSError as error:
        raise unreadable(error) from error


def _blocks(file: int, limits: Limits) -> Iterator[bytes]:
    """Yield the blocks of an open file, so that what recognition looks at is not joined or copied."""
    for size in (FIRST_BYTES, HEAD_BYTES - FIRST_BYTES):
        block = os.read(file, min(size, limits.read_bytes))
        if not block:
            return
        yield block
    while block := os.read(file, limits.read_bytes):
        yield block


def first_bytes(path: str, size: int) -> bytes:
    """Return the first bytes of a file; raise OSError where the system does not let us read it."""
    file = os.open(path, _READING)
    try:
        return os.read(file, size)
    finally:
        os.close(file)


def line_part(path: str, start: int, end: int, limits: Limits) -> Iterator[bytes]:
    """Yield, in blocks, the lines of a file that begin in the bytes from ``start`` to before ``end``.

    Raises:
        DamagedError: The system does not let us read the file.
    """
    try:
        with Path(path).open("rb", buffering=0) as file:
            position = _first_line(file, start, end, limits)
            file.seek(position)
            last = b"\n"
            while position < end and (block := file.read(min(limits.read_bytes, end - position))):
                position += len(block)
                last = block
                yield block
            if last.endswith(b"\n"):
                return
            while block := file.read(limits.read_bytes):
                line_end = block.find(b"\n") + 1
                yield block[: line_end or len(block)]
                if line_end:
                    return
    except OSError as error:
        raise unreadable(error) from error


def line_count(blocks: Iterator[bytes]) -> int:
    """Return how many lines there are in ``blocks``, as readers count them."""
    count = 0
    last = b"\n"
    for block in blocks:
        count += block.count(b"\n")
        last = block
    return count if last.endswith(b"\n") else count + 1


def _first_line(file: FileIO, start: int, end: int, limits: Limits) -> int:
    """Return where the first line begins that begins at ``start`` or behind it; ``end`` where none does."""
    if not start:
        return 0
    # A line begins at ``start`` only where a line ended just before.
    position = start - 1
    file.seek(position)
    while position < end - 1 and (block := file.read(min(limits.read_bytes, end - 1 - position))):
        line_end = block.find(b"\n")
        if line_end >= 0:
            return position + line_end + 1
        position += len(block)
    return end
