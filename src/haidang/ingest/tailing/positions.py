"""How far the content of a file was taken, and how to know that content again.

A file is found again by its device and inode. Whether it still holds what was taken is told by its first
bytes and by those just before the position: so a file that was truncated, or whose inode went to another, is
noticed, and what was taken is known again in a copy (``copytruncate``) or in a compressed one.

Positions are kept as marks of the spool, in the transaction that appends what was taken up to them.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from typing import Protocol

import msgspec

__all__ = [
    "WINDOW",
    "Content",
    "Key",
    "Position",
    "at_end",
    "digest",
    "moved",
    "moved_to",
    "new_position",
]

WINDOW = 1024
"""Bytes at the beginning, and before the position, by which a content is known."""

Key = tuple[int, int]
"""Device and inode."""


class Content(Protocol):
    """Plain bytes of a file, whether it is compressed or not. Reading goes forward, but for one window."""

    def read(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes from ``at`` on, fewer at the end."""
        ...

    def size(self) -> int:
        """Return how many bytes there are."""
        ...


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far one content was taken."""

    id: str
    """Of the content; it keeps it when it is found under another inode."""
    device: int
    inode: int
    path: bytes
    """Where it was last seen, as the system names it."""
    form: str = ""
    """Name of the reader of its lines, "" for that of the source."""
    offset: int = 0
    """Bytes that were taken; of the plain content where the file is compressed."""
    head: bytes = b""
    """The first bytes, of those that were taken."""
    trail: bytes = b""
    """Digest of the last of them."""
    preamble: bytes = b""
    """Header lines that what follows needs to be understood."""
    passing: bool = False
    """Whether it is within a line that is too long, and is passed over."""
    ended: bool = False
    """Whether nothing will follow: a compressed or deleted file that was taken to its end."""
    seen: int = 0
    """When something was last taken, in seconds since 1970."""

    @property
    def key(self) -> Key:
        """Return what the file is found by."""
        return self.device, self.inode

    @property
    def is_sure(self) -> bool:
        """Return whether so much was taken that no other content begins and goes on like it."""
        return self.offset >= WINDOW

    def holds(self, content: Content) -> bool:
        """Return whether ``content`` still holds what was taken; where that ended, the beginning tells."""
        return self.begins(content) and (self.ended or self.goes_on(content))

    def begins(self, content: Content) -> bool:
        """Return whether ``content`` begins like this one."""
        return content.read(0, len(self.head)) == self.head

    def goes_on(self, content: Content) -> bool:
        """Return whether ``content`` has the same bytes before the position."""
        size = min(self.offset, WINDOW)
        return digest(content.read(self.offset - size, size)) == self.trail

    def encode(self) -> bytes:
        """Return the mark of this position."""
        return msgspec.json.encode(self)

    @staticmethod
    def decode(mark: bytes) -> Position:
        """Return the position of a mark.

        Raises:
            msgspec.DecodeError: It is none.
        """
        return msgspec.json.decode(mark, type=Position)


def new_position(key: Key, path: str, form: str) -> Position:
    """Return the beginning of a content that was never seen."""
    return Position(
        id=uuid.uuid4().hex,
        device=key[0],
        inode=key[1],
        path=os.fsencode(path),
        form=form,
        trail=digest(b""),
    )


def moved(position: Position, **changes: object) -> Position:
    """Return a position with changes, as of now."""
    return msgspec.structs.replace(position, seen=int(time.time()), **changes)


def moved_to(position: Position, key: Key, path: str) -> Position:
    """Return the position of a content that is now found elsewhere."""
    device, inode = key
    return msgspec.structs.replace(position, device=device, inode=inode, path=os.fsencode(path))


def at_end(start: Position, content: Content, offset: int) -> Position:
    """Return the position behind ``offset`` bytes of a new content, of which nothing is to be taken."""
    window = min(offset, WINDOW)
    return moved(
        start,
        offset=offset,
        head=content.read(0, window),
        trail=digest(content.read(offset - window, window)),
    )


def digest(data: bytes) -> bytes:
    """Return what stands for ``data``."""
    return hashlib.sha256(data).digest()[:16]
