"""The plain bytes of files: as they are, or decompressed while they are read.

Input is untrusted: a compressed file unfolds a block at a time, within the bounds of ``haidang.limits``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from haidang.events.blocks import DamagedError
from haidang.events.decompression import compression_of, decompress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = ["PackedContent", "PlainContent", "is_text", "open_regular", "packing_of"]

_HEAD = 512


class PlainContent:
    """A file as it is."""

    def __init__(self, file: int) -> None:
        """Read from a file descriptor, which stays the caller's."""
        self._file = file

    def read(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes from ``at`` on, fewer at the end."""
        return os.pread(self._file, size, at)

    def size(self) -> int:
        """Return how many bytes there are."""
        return os.fstat(self._file).st_size


class PackedContent:
    """What a compressed file unfolds to, as far as it is whole."""

    def __init__(self, file: int, packing: str, limits: Limits) -> None:
        """Read from a file descriptor, which stays the caller's."""
        self.damage = ""
        """Why it goes no further, where it is broken, cut short, or unfolds to too much."""
        self._file = file
        self._packing = packing
        self._limits = limits
        self._begin()

    def read(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes from ``at`` on, fewer at the end."""
        if at < self._start:
            self._begin()
        while self._start + len(self._held) < at + size and self._unfold():
            # What is before ``at`` was only to be passed over.
            passed = min(at - self._start, len(self._held))
            if passed > 0:
                del self._held[:passed]
                self._start += passed
        first = at - self._start
        return bytes(self._held[first : first + size])

    def size(self) -> int:
        """Return how many bytes there are; all of them are unfolded to know it."""
        self._begin()
        while self._unfold():
            self._start += len(self._held)
            self._held.clear()
        return self._start

    def _unfold(self) -> bool:
        """Hold more; return whether there was any."""
        if self.damage:
            return False
        try:
            block = next(self._blocks, b"")
        except DamagedError as error:
            self.damage = str(error)
            return False
        self._held += block
        if self._start + len(self._held) > self._limits.expanded_bytes:
            self.damage = "It unfolds to too much."
        return bool(block)

    def _begin(self) -> None:
        self.damage = ""
        self._start = 0
        self._held = bytearray()
        self._blocks = decompress(self._packing, self._packed(), self._limits)

    def _packed(self) -> Iterator[bytes]:
        at = 0
        while block := os.pread(self._file, self._limits.read_bytes, at):
            at += len(block)
            yield block


def open_regular(path: bytes | str) -> int:
    """Return a file descriptor to read from; a pipe in place of the file does not hold it up.

    Raises:
        OSError: It cannot be opened.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)


def packing_of(file: int) -> str:
    """Return how the file is compressed, "" for not at all."""
    return compression_of(os.pread(file, _HEAD, 0))


def is_text(first: bytes) -> bool:
    """Return whether lines can be told apart in what begins so: no zero byte is in the first one."""
    return b"\x00" not in first.partition(b"\n")[0]
