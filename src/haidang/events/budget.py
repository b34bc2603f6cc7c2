"""How much one input may unfold to: the guard against decompression bombs.

Rules of this module:

- An input, with all that is nested in it, unfolds to ``limits.expanded_bytes`` at most.
- Past ``limits.expansion_floor_bytes``, a member unfolds to ``limits.expansion_ratio`` times the bytes that
  it takes on disk at most; of what is nested, it counts what the outermost archive holds.

All input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.blocks import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = ["Budget"]


class Budget:
    """Counts what goes into decompression and what comes out of it, for one member."""

    def __init__(self, limits: Limits, outer: Budget | None = None, share: float = 1.0) -> None:
        """Begin at nothing.

        Args:
            limits: Bounds.
            outer: The budget of the archive that the member is in.
            share: Bytes on disk for each byte of that archive, which may have come out of decompression.
        """
        self._limits = limits
        self._outer = outer
        self._share = share
        self.compressed: float = 0.0
        """Bytes on disk that were taken."""
        self.expanded: int = 0
        """Bytes that came out."""

    @property
    def share(self) -> float:
        """Bytes on disk for each byte that came out; 1 where nothing was compressed."""
        return self.compressed / self.expanded if self.expanded else 1.0

    def taking(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield compressed blocks, counted."""
        for block in blocks:
            self.compressed += len(block) * self._share
            yield block

    def giving(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield decompressed blocks, counted.

        Raises:
            DamagedError: They are more than the limits allow.
        """
        limits = self._limits
        for block in blocks:
            self.expand(len(block))
            too_dense = self.expanded > self.compressed * limits.expansion_ratio
            if too_dense and self.expanded > limits.expansion_floor_bytes:
                ratio = limits.expansion_ratio
                raise DamagedError("archive-limit", f"It unfolds to more than {ratio} times its size.")
            yield block

    def expand(self, size: int) -> None:
        """Count what came out, here and in the archive around.

        Raises:
            DamagedError: It is more than the limits allow.
        """
        self.expanded += size
        if self.expanded > self._limits.expanded_bytes:
            most = self._limits.expanded_bytes
            raise DamagedError("archive-limit", f"It unfolds to more than {most} bytes.")
        if self._outer is not None:
            self._outer.expand(size)
