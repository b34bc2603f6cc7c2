"""Putting hits into event time: order of (time, position, rule), within a tolerance.

A hit is released once nothing earlier can come any more, that is, when a hit arrived whose time is
later by more than the tolerance. A hit that arrives after its turn is late; it is not used.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haidang.detect.correlation.model import Hit

__all__ = ["Reorder", "Waiting"]


class Waiting:
    """A heap of hits in order of (time, position, rule), arrival breaking what ties are left."""

    def __init__(self) -> None:
        """Begin empty."""
        self._heap: list[tuple[int, int, str, int, Hit]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        """Return how many hits wait."""
        return len(self._heap)

    def push(self, hit: Hit, time: int) -> None:
        """Let a hit wait."""
        self._arrivals += 1
        heappush(self._heap, (time, hit.position, hit.rule, self._arrivals, hit))

    def pop(self) -> Hit:
        """Return the earliest hit."""
        return heappop(self._heap)[4]

    def ready(self, before: float) -> bool:
        """Return whether the earliest hit is before a time."""
        return bool(self._heap) and self._heap[0][0] < before


class Reorder:
    """See the module's docstring; it holds at most ``most`` hits and releases the earliest beyond that."""

    def __init__(self, tolerance_ns: int, most: int) -> None:
        """Begin with nothing seen."""
        self._tolerance = tolerance_ns
        self._most = most
        self._waiting = Waiting()
        self._released: float = float("-inf")
        self._present: list[Hit] = []
        self._now: float = float("-inf")
        if tolerance_ns == 0:
            self.push = self._push_present  # type: ignore[method-assign]

    def push(self, hit: Hit, time: int) -> list[Hit] | None:
        """Take a hit; return those whose turn it is, in order, or None when this one is late."""
        if time < self._released:
            return None
        self._waiting.push(hit, time)
        return self.release(time - self._tolerance)

    def release(self, before: float) -> list[Hit]:
        """Return every hit before a time; nothing earlier than it will come."""
        self._released = max(self._released, before)
        found = []
        if self._now < before:
            found, self._present = self._sorted_present(), []
        while self._waiting.ready(self._released):
            found.append(self._waiting.pop())
        while len(self._waiting) > self._most:
            found.append(self._waiting.pop())
            self._released = max(self._released, found[-1].time or 0)
        return found

    def _push_present(self, hit: Hit, time: int) -> list[Hit] | None:
        """The short way without tolerance: only hits of the newest time wait."""
        if time > self._now:
            if time < self._released:
                return None
            found = self._sorted_present() if len(self._present) > 1 else self._present
            self._now, self._present = time, [hit]
            return found
        if time < self._now or time < self._released:
            return None
        self._present.append(hit)
        if len(self._present) > self._most:
            found, self._present = self._sorted_present(), []
            return found
        return []

    def _sorted_present(self) -> list[Hit]:
        return sorted(self._present, key=lambda hit: (hit.position, hit.rule))
