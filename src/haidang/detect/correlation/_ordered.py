"""The measure of temporal_ordered: whether rules occur one after the other in the window.

For each chain and step it remembers the latest time at which a chain up to that step can have begun: a
later beginning is never worse. So a hit costs O(steps that its rule can serve), whatever the window
holds, and nothing has to be undone when hits leave the window. What an event contributes becomes visible
to the next event only, so that no event serves two steps.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from haidang.detect.correlation._conditions import chains, fires_early

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.detect.correlation._burst import Entry
    from haidang.detect.correlation._conditions import Chain
    from haidang.detect.correlation._values import Number
    from haidang.sigma.ir import CorrelationRule

__all__ = ["Ordered", "ordered_measure"]

_Steps: TypeAlias = dict[str, list[tuple[int, int]]]
"""Rule to the (chain, step) pairs that it can serve."""


class Ordered:
    """1 when a chain of rules occurs in order, else 0; see the module's docstring."""

    __slots__ = (
        "_begun",
        "_chains",
        "_complete",
        "_early",
        "_event",
        "_last",
        "_new",
        "_seen",
        "_span",
        "_steps",
    )

    def __init__(self, rule: CorrelationRule, ways: tuple[Chain, ...], steps: _Steps, *, early: bool) -> None:
        """Begin with an empty window; ``early`` asks about the newest hit rather than the window."""
        self._chains = ways
        self._steps = steps
        self._span = rule.timespan_ns
        self._early = early
        self._begun: dict[tuple[int, int], int] = {}
        self._new: list[tuple[tuple[int, int], int]] = []
        self._event: tuple[int, int] | None = None
        self._complete: dict[int, int] = {}
        self._seen: Counter[str] = Counter()
        self._last = 0

    def add(self, entry: Entry) -> None:
        """Take in the newest hit."""
        time, position, _, rule, _ = entry
        if self._event != (time, position):
            self._event = (time, position)
            for place, began in self._new:
                self._begun[place] = max(began, self._begun.get(place, began))
            self._new.clear()
        if self._early:
            self._complete.clear()
        else:
            self._seen[rule] += 1
        self._last = time
        for way, step in self._steps.get(rule, ()):
            start = self._begun.get((way, step - 1)) if step else time
            if start is not None:
                self._step(way, step, start)

    def _step(self, way: int, step: int, start: int) -> None:
        if step + 1 == len(self._chains[way].steps):
            self._complete[way] = max(start, self._complete.get(way, start))
        else:
            self._new.append(((way, step), start))

    def remove(self, entry: Entry) -> None:
        """Let go of the oldest hit."""
        if not self._early:
            self._seen[entry[3]] -= 1

    def read(self) -> Number:
        """Return 1 or 0."""
        since = self._last - self._span
        for way, chain in enumerate(self._chains):
            complete = self._complete.get(way)
            reached = not chain.steps or (complete is not None and complete >= since)
            if reached and not (chain.absent and any(self._seen[key] for key in chain.absent)):
                return 1
        return 0

    def lacking(self) -> int:
        """Return how many steps the chain that got furthest lacks, and how many rules are in its way."""
        since = self._last - self._span
        done = [0] * len(self._chains)
        for (way, step), began in (*self._begun.items(), *self._new):
            if began >= since:
                done[way] = max(done[way], step + 1)
        for way, began in self._complete.items():
            if began >= since:
                done[way] = len(self._chains[way].steps)
        return min(
            (
                len(chain.steps) - done[way] + sum(self._seen[key] > 0 for key in chain.absent)
                for way, chain in enumerate(self._chains)
            ),
            default=1,  # An expression that contradicts itself has no chain.
        )


def ordered_measure(rule: CorrelationRule) -> Callable[[], Ordered]:
    """Return what makes the measure of a new group of a temporal_ordered rule."""
    ways, early = chains(rule), fires_early(rule)
    steps: _Steps = {}
    for way, chain in enumerate(ways):
        for step, key in enumerate(chain.steps):
            steps.setdefault(key, []).append((way, step))
    return lambda: Ordered(rule, ways, steps, early=early)
