"""How much a source may send: a token bucket for each.

A bucket that holds anything lets a request of any size through, and owes what it did not hold; so no source
is kept from sending large batches, and none sends more in the long run than it may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.ingest.model import TooMuchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.ingest.model import Source

__all__ = ["Buckets"]

_BURST_SECONDS = 10


class Buckets:
    """The buckets of all sources; to be used by one thread at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Use a clock in seconds that never goes back."""
        self._clock = clock
        self._held: dict[str, tuple[float, float]] = {}

    def look(self, source: Source) -> None:
        """See that a source may send now.

        Raises:
            TooMuchError: It must wait.
        """
        if source.rate > 0 and (held := self._filled(source)) <= 0:
            wait = (1 - held) / source.rate
            raise TooMuchError(f"more than {source.rate:g} events per second", retry_after=wait)

    def pay(self, source: Source, events: int) -> None:
        """Take what a source sent out of its bucket; call ``look`` before."""
        if source.rate > 0:
            self._held[source.id] = (self._filled(source) - events, self._clock())

    def _filled(self, source: Source) -> float:
        most = source.burst or source.rate * _BURST_SECONDS
        held, then = self._held.get(source.id, (most, 0.0))
        return min(most, held + (self._clock() - then) * source.rate)
