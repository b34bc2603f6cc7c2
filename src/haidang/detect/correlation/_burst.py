"""A burst: satisfied windows of one group that overlap, on their way to one finding.

It counts every event that it joins and keeps some of their hits as evidence: the first of each rule, and
the latest. Bursts are disjoint in their events, so the work of taking members in is O(1) a hit over all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.detect.correlation.model import Correlated

if TYPE_CHECKING:
    from haidang.detect.correlation._values import Number
    from haidang.detect.correlation.model import Hit
    from haidang.limits import Limits

__all__ = ["Burst", "Entry"]

Entry: TypeAlias = "tuple[int, int, Hit, Any, Any]"
"""A counted hit: time, position, the hit, what it contributes to the measure, and its group."""

_MANY_INNER = 1024
"""Correlations that a burst remembers as its members before it forgets those that are over."""


class Burst:
    """See the module's docstring."""

    __slots__ = (
        "_first",
        "_have",
        "_inner",
        "_latest",
        "_many",
        "_per_rule",
        "_position",
        "_time",
        "absorbed",
        "found",
        "number",
    )

    def __init__(self, found: Correlated, limits: Limits) -> None:
        """Begin with no member."""
        self.found = found
        self.number: Number | None = None
        self.absorbed = 0
        self._per_rule = max(1, limits.correlation_members // max(1, len(set(found.rule.rules))) - 1)
        self._first: list[Hit] = []
        self._have: dict[str, int] = {}
        self._latest: dict[str, Hit] = {}
        self._time: int | None = None
        self._position: int | None = None
        self._inner: dict[int, Correlated] = {}
        self._many = _MANY_INNER

    def absorb(self, entry: Entry, *, room: bool) -> bool:
        """Take in the next hit; return whether it was kept in the room that is left for evidence."""
        time, position, hit, _, _ = entry
        inner = hit.finding
        if type(inner) is Correlated:
            # A correlation that stays satisfied comes again and again; it is one member.
            if id(inner) in self._inner:
                return False
            self._remember(inner, time)
            self.found.count += 1
        elif position != self._position or time != self._time:
            self._time, self._position = time, position
            self.found.count += 1
        rule = hit.rule
        have = self._have.get(rule, 0)
        if not have or (have < self._per_rule and room):
            self._have[rule] = have + 1
            self._first.append(hit)
            return True
        self._latest[rule] = hit
        return False

    @property
    def kept(self) -> int:
        """How many hits are kept as evidence, besides the latest of each rule."""
        return len(self._first)

    def _remember(self, inner: Correlated, now: int) -> None:
        self._inner[id(inner)] = inner
        if len(self._inner) > self._many:
            # A burst whose last member is longer ago than its timespan is over and cannot come again.
            live = (one for one in self._inner.values() if one.time_last + one.rule.timespan_ns >= now)
            self._inner = {id(one): one for one in live}
            self._many = max(_MANY_INNER, 2 * len(self._inner))

    def members(self) -> tuple[Hit, ...]:
        """Return the members that were kept, in order."""
        return tuple(sorted((*self._first, *self._latest.values()), key=_order))


def _order(hit: Hit) -> tuple[int, int, str]:
    return hit.time or 0, hit.position, hit.rule
