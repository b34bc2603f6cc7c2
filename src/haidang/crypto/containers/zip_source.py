"""The bytes of a zip as a walk takes them: forward, a block at a time, with a look ahead.

Nothing here believes what it reads; how much of it is taken is the walk's affair.
"""

from __future__ import annotations

import struct
from typing import Protocol

from haidang.crypto.containers.checksums import BLOCK
from haidang.crypto.containers.problems import ContainerError
from haidang.i18n import N_

__all__ = ["Readable", "Source", "cut_off"]


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


class Source:
    """Counts and hands out what a stream holds; what was read too far can be put back."""

    def __init__(self, stream: Readable) -> None:
        """Read ``stream`` from where it is."""
        self._read = stream.read
        self._held = b""
        self._at = 0
        self.position = 0

    def some(self, most: int) -> bytes:
        """Return up to ``most`` bytes, none at the end."""
        if self._at == len(self._held):
            self._held, self._at = self._read(BLOCK), 0
        data = self._held[self._at : self._at + most]
        self._at += len(data)
        self.position += len(data)
        return data

    def exactly(self, size: int) -> bytes:
        """Return ``size`` bytes; the end before that is an error."""
        data = self.some(size)
        while len(data) < size:
            more = self.some(size - len(data))
            if not more:
                raise cut_off()
            data += more
        return data

    def peek(self, size: int) -> bytes:
        """Return up to ``size`` bytes that stay there."""
        while len(self._held) - self._at < size:
            more = self._read(BLOCK)
            if not more:
                break
            self._held, self._at = self._held[self._at :] + more, 0
        return self._held[self._at : self._at + size]

    def put_back(self, size: int) -> None:
        """Take back the last bytes of what :meth:`some` handed out last."""
        self._at -= size
        self.position -= size

    def stored_blocks(self) -> tuple[bytes, bool]:
        """Return what DEFLATE blocks that are stored (RFC 1951, section 3.2.4) hold from here on.

        Returns:
            The content of some of them, and whether the last block of the stream was among them. No content
            where a block of another kind is next.
        """
        pieces: list[memoryview] = []
        size, last = 0, False
        while size < BLOCK and not last:
            head = self.peek(5)
            # What is above the three bits of a stored block is padding; where it is not zero, zlib may say.
            if len(head) < 5 or head[0] > 1:
                break
            length, complement = struct.unpack_from("<2H", head, 1)
            if length ^ complement != 0xFFFF:
                break
            self.exactly(5)
            last = bool(head[0] & 1)
            size += length
            while length:
                pieces.append(self._view(length))
                length -= len(pieces[-1])
        return b"".join(pieces), last

    def _view(self, most: int) -> memoryview:
        if self._at == len(self._held):
            self._held, self._at = self._read(BLOCK), 0
            if not self._held:
                raise cut_off()
        data = memoryview(self._held)[self._at : self._at + most]
        self._at += len(data)
        self.position += len(data)
        return data


def cut_off() -> ContainerError:
    """Return the error for a container that ends too early."""
    return ContainerError("container-cut", N_("The container ends too early: it was cut off."))
