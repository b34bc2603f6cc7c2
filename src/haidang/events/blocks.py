"""Bytes as they come: blocks pulled one after another, looked at ahead, cut where a caller needs it.

Rules of this module:

- Whatever is opened (a file, a decompressor, a member of an archive) is an iterator of blocks. Blocks are
  neither empty nor much larger than ``limits.read_bytes``, so memory stays flat.
- Damage is the one exception that such an iterator raises: ``DamagedError``. What came out before it counts.

All input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BlockSource", "DamagedError"]


class DamagedError(InputError):
    """Nothing more can be read; ``kind`` is the kind of the problem (see ``events.model.Problem``)."""

    def __init__(self, kind: str, detail: str) -> None:
        """Keep the kind and one English sentence."""
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class BlockSource:
    """Pulls from an iterator of blocks; what was looked at ahead is not lost."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        """Begin at the first block; nothing is pulled yet."""
        self._blocks = blocks
        self._held = b""
        self._damage: DamagedError | None = None
        self.position = 0
        """Bytes handed out."""

    def peek(self, size: int) -> bytes:
        """Return the next bytes, ``size`` of them unless the end (or damage) comes first, and keep them."""
        parts = [self._held]
        have = len(self._held)
        while have < size and self._damage is None:
            block = self._next()
            if not block:
                break
            parts.append(block)
            have += len(block)
        self._held = b"".join(parts) if len(parts) > 1 else parts[0]
        return self._held[:size]

    def take(self, size: int) -> bytes:
        """Return and remove the next ``size`` bytes; fewer only at the end.

        Raises:
            DamagedError: Damage was reached, and all before it is taken.
        """
        taken = self.peek(size)
        if not taken and size:
            self._end()
        self._held = self._held[size:]
        self.position += len(taken)
        return taken

    def blocks(self, most: int | None = None) -> Iterator[bytes]:
        """Yield what is left, block by block; no more than ``most`` bytes if that is given.

        Raises:
            DamagedError: Damage was reached, and all before it is taken.
        """
        left = most
        while left is None or left > 0:
            block, self._held = self._held or self._next(), b""
            if not block:
                self._end()
                return
            if left is not None:
                if len(block) > left:
                    self._held = block[left:]
                    block = block[:left]
                left -= len(block)
            self.position += len(block)
            yield block

    def skip(self, size: int) -> int:
        """Pass over ``size`` bytes and return how many there were."""
        return sum(map(len, self.blocks(size)))

    def exactly(self, size: int) -> Iterator[bytes]:
        """Yield the next ``size`` bytes in blocks.

        Raises:
            DamagedError: There are fewer, and all of them are taken.
        """
        end = self.position + size
        yield from self.blocks(size)
        if self.position < end:
            raise DamagedError("truncated", "The archive ends too early.")

    def _next(self) -> bytes:
        """Return the next block, b"" at the end; damage is remembered and is an end, too."""
        if self._damage is None:
            try:
                return next(self._blocks, b"")
            except DamagedError as damage:
                self._damage = damage
        return b""

    def _end(self) -> None:
        if self._damage is not None:
            raise self._damage
