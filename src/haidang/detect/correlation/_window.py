"""One correlation rule at work: the groups, their sliding windows and their bursts.

Hits come in order of (time, position, rule). The state is what is inside the window and no more:

- ``_queue`` holds every counted hit of all groups in order of time, so that leaving the window and
  the bound on events cost O(1) each, and a group goes when its last hit goes.
- ``_groups`` is ordered by the last touch, so that the bound on groups takes the least recent.
- A group that satisfies the condition has a burst, which becomes a finding when it is over.

Values are untrusted; rules are compiled.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from haidang.detect.correlation._burst import Burst
from haidang.detect.correlation._conditions import fires_early, holds
from haidang.detect.correlation._measures import contribution, measure_of
from haidang.detect.correlation._values import fold
from haidang.detect.correlation.model import Correlated, Hit

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence

    from haidang.detect.correlation._burst import Entry
    from haidang.detect.correlation._measures import Measure
    from haidang.limits import Limits
    from haidang.sigma.ir import CorrelationRule

__all__ = ["Window", "counted", "field_of"]

_EVIDENCE_SHARE = 10
"""Open bursts together keep a tenth as many hits as windows do: many long bursts must not fill the memory."""


def field_of(rule: CorrelationRule, name: str, key: str) -> str:
    """Return what events of rule ``key`` call the field ``name`` of a correlation: its alias, or itself."""
    return rule.aliases.get(name, {}).get(key, name)


class _Group:
    """The window of one combination of group-by values."""

    __slots__ = ("added", "burst", "entries", "key", "measure", "unjudged")

    def __init__(self, key: Any, measure: Measure | None) -> None:
        self.key = key
        self.measure = measure
        self.entries: deque[Entry] = deque()
        self.added = 0
        self.unjudged = False
        self.burst: Burst | None = None


class Window:
    """See the module's docstring."""

    def __init__(
        self,
        rule: CorrelationRule,
        limits: Limits,
        dropped: Counter[tuple[str, str]],
        report: Callable[[Correlated], None],
    ) -> None:
        """Compile the rule; ``report`` gets each burst when it is over. Raises RuleError."""
        self.rule = rule
        self.span = rule.timespan_ns
        self.early = fires_early(rule)
        self.forward: Callable[[Hit, bool], None] | None = None
        """Where hits of this correlation go, and whether each begins a burst."""
        self._limits = limits
        self._most = limits.correlation_events
        self._dropped = dropped
        self._report = report
        self._holds = holds(rule)
        self._measure = measure_of(rule)
        self._lowest = bool(rule.operators) and all(name in {"lt", "lte"} for name, _ in rule.operators)
        self._numeric = not rule.type.startswith("temporal")
        self._names = {key: tuple(field_of(rule, name, key) for name in rule.group_by) for key in rule.rules}
        self._items = {
            key: contribution(rule, tuple(field_of(rule, name, key) for name in rule.value_fields))
            for key in rule.rules
        }
        self._groups: OrderedDict[Any, _Group] = OrderedDict()
        self._queue: deque[Entry] = deque()
        self._kept = 0
        """Hits that open bursts keep as evidence, besides the first and the latest of each rule."""
        self._room = limits.correlation_events // _EVIDENCE_SHARE

    def take(self, hit: Hit, time: int) -> None:
        """Take in the next hit and report what it ends or begins."""
        queue = self._queue
        horizon = time - self.span
        if queue and queue[0][0] < horizon:
            self.advance(time)
        names = self._names[hit.rule]
        key = fold(hit.values.get(names[0])) if len(names) == 1 else self._key(hit, names)
        item = self._items[hit.rule](hit) if key is not None else None
        if item is None:
            self._dropped[self.rule.info.key, "no-value" if key is not None else "no-group-field"] += 1
            return
        group = self._groups.get(key)
        if group is None:
            group = self._new_group(key)
        else:
            self._groups.move_to_end(key)
            if group.burst is not None and group.burst.found.time_last < horizon:
                self._end(group)
        self._append(group, (time, hit.position, hit, item, group))

    def advance(self, now: float) -> None:
        """Let go of every hit that no window can hold any more, when no hit before ``now`` will come."""
        horizon = now - self.span
        queue = self._queue
        while queue and queue[0][0] < horizon:
            self._drop_oldest()

    def pending(self) -> Iterator[Correlated]:
        """Yield the bursts that go on, as they are now."""
        for group in self._groups.values():
            if group.burst is not None:
                self._settle(group.burst)
                yield group.burst.found

    def _key(self, hit: Hit, names: tuple[str, ...]) -> Any:
        values = hit.values
        key = tuple([fold(values.get(name)) for name in names])
        return None if None in key else key

    def _new_group(self, key: Any) -> _Group:
        if len(self._groups) >= self._limits.correlation_groups:
            _, oldest = self._groups.popitem(last=False)
            self._dropped[self.rule.info.key, "evicted-group"] += 1
            if oldest.unjudged:
                self._judge(oldest)
            self._end(oldest)
            oldest.entries.clear()
        group = self._groups[key] = _Group(key, self._measure() if self._measure is not None else None)
        return group

    def _append(self, group: _Group, entry: Entry) -> None:
        entries = group.entries
        if entries and entries[-1][1] == entry[1] and self._numeric and counted(entries, entry):
            return
        entries.append(entry)
        self._queue.append(entry)
        group.added += 1
        if group.measure is not None:
            group.measure.add(entry)
        if self.early:
            self._judge(group)
        else:
            group.unjudged = True
        if len(self._queue) > self._most and self._drop_oldest():
            self._dropped[self.rule.info.key, "evicted-event"] += 1

    def _drop_oldest(self) -> bool:
        """Drop the oldest hit of all; return False when its group was evicted before it."""
        group: _Group = self._queue.popleft()[4]
        entries = group.entries
        if not entries:
            return False
        if group.unjudged:
            # The window loses a hit now: it was full. Whether the condition held is decided here.
            self._judge(group)
        entry = entries.popleft()
        if group.measure is not None:
            group.measure.remove(entry)
        if not entries:
            self._end(group)
            del self._groups[group.key]
        return True

    def _judge(self, group: _Group) -> None:
        """Look at the window that ends with the group's newest hit."""
        group.unjudged = False
        number = len(group.entries) if group.measure is None else group.measure.read()
        if not self._holds(number):
            return
        last = group.entries[-1]
        burst = group.burst
        if burst is not None and burst.found.time_last < last[0] - self.span:
            self._end(group)
            burst = None
        begins = burst is None
        if burst is None:
            burst = group.burst = self._begin(group)
        self._absorb(group, burst)
        if burst.number is None or (number < burst.number if self._lowest else number > burst.number):
            burst.number = number
        burst.found.time_last = last[0]
        if self.forward is not None:
            values = {**last[2].values, **burst.found.group}
            self.forward(Hit(self.rule.info.key, last[0], last[1], values, burst.found), begins)

    def _begin(self, group: _Group) -> Burst:
        first, last = group.entries[0], group.entries[-1]
        names = self._names[first[2].rule]
        values = {name: first[2].values[field] for name, field in zip(self.rule.group_by, names, strict=True)}
        return Burst(Correlated(self.rule, first[0], last[0], values, (), 0, None, last[0]), self._limits)

    def _absorb(self, group: _Group, burst: Burst) -> None:
        """Hand the burst every hit of the window that it does not have yet."""
        entries = group.entries
        new = min(group.added - burst.absorbed, len(entries))
        burst.absorbed = group.added
        if new == 1:
            self._kept += burst.absorb(entries[-1], room=self._kept < self._room)
            return
        for entry in reversed(list(islice(reversed(entries), new))):
            self._kept += burst.absorb(entry, room=self._kept < self._room)

    def _end(self, group: _Group) -> None:
        if group.burst is not None:
            self._settle(group.burst)
            self._report(group.burst.found)
            self._kept -= group.burst.kept
            group.burst = None

    def _settle(self, burst: Burst) -> None:
        burst.found.members = burst.members()
        if self._numeric and burst.number is not None:
            burst.found.value = float(burst.number)


def counted(entries: Sequence[Entry], entry: Entry) -> bool:
    """Return whether the event is in the window already: it counts once, however many rules hold for it."""
    if type(entry[2].finding) is Correlated:
        return False
    for other in reversed(entries):
        if other[:2] != entry[:2]:
            return False
        if type(other[2].finding) is not Correlated:
            return True
    return False
