"""The correlator: hits in, correlated bursts out, through any depth of chained correlations.

It puts hits into order, hands each to the windows of the rules that refer to it, and passes on what
correlations find to the correlations that refer to them. A correlation that is judged at full windows
is known late; those that refer to it therefore run behind by that much (``_Chained.delay``), with their
other hits waiting for it.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from haidang.detect.correlation._conditions import refused
from haidang.detect.correlation._order import Reorder, Waiting
from haidang.detect.correlation._window import Window, field_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from haidang.detect.correlation.model import Correlated, Hit
    from haidang.limits import Limits
    from haidang.sigma.ir import CorrelationRule

__all__ = ["Correlator", "needed_fields"]

_NOTHING: tuple[Correlated, ...] = ()


class _Chained:
    """A correlation that refers to correlations: its hits wait until none earlier can come."""

    __slots__ = ("_dropped", "_most", "delay", "waiting", "window")

    def __init__(self, window: Window, delay: int, dropped: Counter[tuple[str, str]], most: int) -> None:
        self.window = window
        self.delay = delay
        """How far behind the newest hit it runs, in nanoseconds."""
        self.waiting = Waiting()
        self._dropped = dropped
        self._most = most

    def take(self, hit: Hit, time: int) -> None:
        """Let a hit wait for its turn."""
        if len(self.waiting) >= self._most:
            self.waiting.pop()
            self._dropped[self.window.rule.info.key, "evicted-event"] += 1
        self.waiting.push(hit, time)

    def advance(self, now: float) -> None:
        """Take in every waiting hit whose turn it is when nothing before ``now`` will come."""
        turn = now - self.delay
        while self.waiting.ready(turn):
            hit = self.waiting.pop()
            self.window.take(hit, hit.time or 0)
        self.window.advance(turn)


class Correlator:
    """All correlation rules of a run; see the package's docstring for what they mean."""

    def __init__(self, rules: Sequence[CorrelationRule], limits: Limits, *, tolerance_ns: int = 0) -> None:
        """Compile the rules.

        Raises:
            RuleError: A rule cannot be supported, or correlations refer to each other in a circle.
        """
        self.needed: Mapping[str, frozenset[str]] = needed_fields(rules)
        """Rule key to the fields whose values must travel with its hits."""
        self.dropped: Counter[tuple[str, str]] = Counter()
        """What was not used, by (rule key, reason). Of hits: ``late``, ``no-time``. Of correlations:
        ``no-group-field``, ``no-value``, ``evicted-event``, ``evicted-group``."""
        self._out: list[Correlated] = []
        self._order = Reorder(tolerance_ns, limits.correlation_events)
        self._now: float = -math.inf
        self._windows: dict[str, Window] = {}
        self._chained: dict[str, _Chained] = {}
        self._takers: dict[str, list[Window | _Chained]] = {key: [] for key in self.needed}
        self._all: list[Window | _Chained] = []
        self._links: list[Window | _Chained] = []
        for rule in _inner_first(rules):
            self._build(rule, limits)

    def _build(self, rule: CorrelationRule, limits: Limits) -> None:
        window = Window(rule, limits, self.dropped, self._report)
        inner = [self._windows[key] for key in dict.fromkeys(rule.rules) if key in self._windows]
        self._windows[rule.info.key] = window
        taker: Window | _Chained = window
        if inner:
            delay = max(self._known_after(one) for one in inner)
            taker = _Chained(window, delay, self.dropped, limits.correlation_events)
            self._chained[rule.info.key] = taker
            for one in inner:
                _connect(one, taker)
                if not one.early and one.rule.info.key not in self._chained and one not in self._links:
                    self._links.append(one)
            self._links.append(taker)
        self._all.append(taker)
        for key in dict.fromkeys(rule.rules):
            if key in self._takers:
                self._takers[key].append(taker)

    def _known_after(self, inner: Window) -> int:
        """Return how long after its time a hit of a correlation is known at the latest."""
        chained = self._chained.get(inner.rule.info.key)
        return (chained.delay if chained else 0) + (0 if inner.early else inner.span)

    def feed(self, hit: Hit) -> Iterator[Correlated]:
        """Take a hit; return the bursts that are over by now.

        Hits come roughly in order of time: one that is behind the newest by more than the tolerance is
        dropped and counted. Whatever the order within the tolerance, the result is the same.
        """
        if hit.rule not in self._takers:
            return iter(_NOTHING)
        if hit.time is None:
            self.dropped[hit.rule, "no-time"] += 1
            return iter(_NOTHING)
        turn = self._order.push(hit, hit.time)
        if turn is None:
            self.dropped[hit.rule, "late"] += 1
            return iter(_NOTHING)
        if turn:
            self._take(turn)
        return self._collect() if self._out else iter(_NOTHING)

    def advance(self, time_ns: int) -> Iterator[Correlated]:
        """Take notice that no hit before ``time_ns`` will come; return the bursts that are over by now.

        A live source calls it when nothing happens, so that bursts end without a further event.
        """
        self._advance(time_ns)
        return self._collect()

    def finish(self) -> Iterator[Correlated]:
        """Take notice that no more hits come at all; return every burst that is left."""
        self._advance(math.inf)
        return self._collect()

    def pending(self) -> Iterator[Correlated]:
        """Yield the bursts that go on, as they are now; each is reported again, in whole, when it ends.

        The same objects are brought up to date later: a live view reads them at once or copies them.
        """
        for window in self._windows.values():
            if window.rule.info.generate:
                yield from window.pending()

    def _take(self, hits: list[Hit]) -> None:
        for hit in hits:
            time = hit.time or 0
            if self._links and time > self._now:
                self._now = time
                self._advance_links(time)
            for taker in self._takers[hit.rule]:
                taker.take(hit, time)

    def _advance(self, now: float) -> None:
        self._take(self._order.release(now))
        for taker in self._all:
            taker.advance(now)

    def _advance_links(self, now: float) -> None:
        """Bring chained correlations up to ``now``, the inner ones first."""
        for link in self._links:
            link.advance(now)

    def _report(self, found: Correlated) -> None:
        if found.rule.info.generate:
            self._out.append(found)

    def _collect(self) -> Iterator[Correlated]:
        if not self._out:
            return iter(_NOTHING)
        out, self._out = self._out, []
        return iter(out)


def _connect(inner: Window, outer: _Chained) -> None:
    """Let what ``inner`` finds reach ``outer``, besides where it already goes.

    Temporal rules get every moment at which the inner condition holds; those that count get each burst
    once, at the moment at which it begins to hold.
    """
    every = outer.window.rule.type.startswith("temporal")
    before = inner.forward

    def forward(hit: Hit, begins: bool) -> None:  # noqa: FBT001 - called by Window alone
        if before is not None:
            before(hit, begins)
        if begins or every:
            outer.take(hit, hit.time or 0)

    inner.forward = forward


def _inner_first(rules: Sequence[CorrelationRule]) -> list[CorrelationRule]:
    """Return the rules so that each comes after those that it refers to."""
    by_key = {rule.info.key: rule for rule in rules}
    done: dict[str, CorrelationRule] = {}
    for rule in rules:
        _visit(rule, by_key, done, ())
    return list(done.values())


def _visit(
    rule: CorrelationRule,
    by_key: dict[str, CorrelationRule],
    done: dict[str, CorrelationRule],
    above: tuple[str, ...],
) -> None:
    key = rule.info.key
    if key in above:
        raise refused(rule, f"the correlation refers to itself, by way of {' and '.join(above)}")
    if len(above) >= _DEEPEST_CHAIN:
        raise refused(rule, f"more than {_DEEPEST_CHAIN} correlations refer to each other in a chain")
    if key not in done:
        for inner in rule.rules:
            if inner in by_key:
                _visit(by_key[inner], by_key, done, (*above, key))
        done[key] = rule


_DEEPEST_CHAIN = 50
"""Far more than anyone can read, far less than Python can recurse."""


def needed_fields(rules: Sequence[CorrelationRule]) -> dict[str, frozenset[str]]:
    """Return, for each rule on events that correlations refer to, the fields that they look at.

    What a correlation wants of another one beyond its group-by fields is wanted of the rules below.
    """
    inner = {rule.info.key: rule for rule in rules}
    needed: dict[str, set[str]] = {}
    for rule in reversed(_inner_first(rules)):
        above = needed.get(rule.info.key, set()) - set(rule.group_by)
        for key in rule.rules:
            own = {field_of(rule, name, key) for name in (*rule.group_by, *rule.value_fields)}
            needed.setdefault(key, set()).update(own | above)
    return {key: frozenset(fields) for key, fields in needed.items() if key not in inner}
