"""Every window of a correlation over a list of hits, for those who explain it.

    for group in walk(rule, hits).groups:
        print(group.values, group.nearest.number, len(group.bursts))

The engine keeps what is open and forgets the rest. Here the hits are all there, and what is asked is how near
each group came to the condition. Measures and conditions are the engine's own; property tests hold the bursts
to those that it reports. It costs what the engine costs: O(1) for a hit of most types.

Values come from logs and are untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.detect.correlation._conditions import asked, chains, fires_early, short_of, wanting
from haidang.detect.correlation._measures import Expression, contribution, measure_of
from haidang.detect.correlation._ordered import Ordered
from haidang.detect.correlation._values import Number, fold
from haidang.detect.correlation._window import counted, field_of
from haidang.detect.correlation.model import Correlated, Hit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.detect.correlation._burst import Entry
    from haidang.sigma.ir import CorrelationRule

__all__ = [
    "Judged",
    "Need",
    "Number",
    "Walk",
    "WalkedGroup",
    "in_order",
    "moments",
    "needs",
    "short_of",
    "walk",
]


class Judged(NamedTuple):
    """One window of which the condition was asked."""

    first: int
    """Index of its first hit among those of the group."""
    last: int
    number: Number
    lacking: Number
    """How far the number is from the condition; 0 where it holds."""


class Need(NamedTuple):
    """A rule that keeps a temporal condition from holding."""

    rule: str
    wanted: bool
    """Whether it has to be there; else it is in the way."""


@dataclass(frozen=True, slots=True)
class WalkedGroup:
    """One combination of group-by values."""

    values: dict[str, Any]
    """The group-by fields, as the first hit has them."""
    hits: tuple[Hit, ...]
    """Those that count, in order."""
    nearest: Judged
    """The first window that holds, else the one that comes nearest to it."""
    held: tuple[Judged, ...]
    """The windows that hold."""
    bursts: tuple[tuple[Judged, ...], ...]
    """The same, those together that share hits: each is one finding."""
    total: Number | None
    """The number over all hits of the group, were the timespan without end; None for temporal types."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One correlation over all hits."""

    groups: tuple[WalkedGroup, ...]
    left_out: tuple[tuple[Hit, str], ...]
    """Hits that do not count, each with the reason, in the words of ``Correlator.dropped``."""


def walk(rule: CorrelationRule, hits: Iterable[Hit]) -> Walk:
    """Return every group of a correlation.

    Args:
        rule: The correlation.
        hits: Hits of the rules that it refers to, in any order; hits of correlations come from ``moments``.

    Raises:
        RuleError: The correlation cannot be supported.
    """
    names = {key: [field_of(rule, name, key) for name in rule.group_by] for key in rule.rules}
    items = {
        key: contribution(rule, tuple(field_of(rule, name, key) for name in rule.value_fields))
        for key in rule.rules
    }
    left: list[tuple[Hit, str]] = []
    groups: dict[Any, list[Entry]] = {}
    for hit in sorted(hits, key=lambda hit: (hit.time or 0, hit.position, hit.rule)):
        key = tuple(fold(hit.values.get(name)) for name in names[hit.rule])
        item = items[hit.rule](hit)
        if hit.time is None or None in key or item is None:
            reason = "no-time" if hit.time is None else "no-value" if None not in key else "no-group-field"
            left.append((hit, reason))
            continue
        entries = groups.setdefault(key, [])
        entry = (hit.time, hit.position, hit, item, None)
        if rule.type.startswith("temporal") or not counted(entries, entry):
            entries.append(entry)
    walked = (_group(rule, entries, names[entries[0][2].rule]) for entries in groups.values())
    return Walk(tuple(walked), tuple(left))


def moments(rule: CorrelationRule, walked: Walk, outer: CorrelationRule) -> Iterator[Hit]:
    """Yield what a correlation is to another one that refers to it: a hit at each moment at which it holds.

    Those that count get the moment alone at which it begins to hold (see the package's docstring).
    """
    every = outer.type.startswith("temporal")
    for group in walked.groups:
        for burst in group.bursts:
            first, last = group.hits[burst[0].first], group.hits[burst[-1].last]
            met = group.hits[burst[0].last]
            found = Correlated(
                rule, first.time or 0, last.time or 0, group.values, (), 0, None, met.time or 0
            )
            for window in burst if every else burst[:1]:
                hit = group.hits[window.last]
                yield Hit(rule.info.key, hit.time, hit.position, {**hit.values, **group.values}, found)


def _group(rule: CorrelationRule, entries: list[Entry], fields: Sequence[str]) -> WalkedGroup:
    nearest: Judged | None = None
    held: list[Judged] = []
    for window in _windows(rule, entries):
        if not window.lacking:
            held.append(window)
        if nearest is None or window.lacking < nearest.lacking:
            nearest = window
    bursts: list[list[Judged]] = []
    for window in held:
        if bursts and window.first <= bursts[-1][-1].last:
            bursts[-1].append(window)
        else:
            bursts.append([window])
    hits = tuple(entry[2] for entry in entries)
    values = {name: hits[0].values[field] for name, field in zip(rule.group_by, fields, strict=True)}
    # An entry makes a group, and the last window of a group is always judged.
    assert nearest is not None  # noqa: S101
    return WalkedGroup(values, hits, nearest, tuple(held), tuple(map(tuple, bursts)), _total(rule, entries))


def _windows(rule: CorrelationRule, entries: list[Entry]) -> Iterator[Judged]:
    """Yield the windows that are judged: those of every hit, or the full ones."""
    early, make = fires_early(rule), measure_of(rule)
    measure = make() if make is not None else None
    operators = asked(rule)
    first = 0

    def judged(last: int) -> Judged:
        number = last - first + 1 if measure is None else measure.read()
        if isinstance(measure, Ordered | Expression):
            return Judged(first, last, number, measure.lacking())
        return Judged(first, last, number, short_of(operators, number))

    for last, entry in enumerate(entries):
        horizon = entry[0] - rule.timespan_ns
        if entries[first][0] < horizon and not early:
            yield judged(last - 1)
        while entries[first][0] < horizon:
            if measure is not None:
                measure.remove(entries[first])
            first += 1
        if measure is not None:
            measure.add(entry)
        if early or last + 1 == len(entries):
            yield judged(last)


def _total(rule: CorrelationRule, entries: list[Entry]) -> Number | None:
    if rule.type.startswith("temporal"):
        return None
    make = measure_of(rule)
    if make is None:
        return len(entries)
    measure = make()
    for entry in entries:
        measure.add(entry)
    return measure.read()


def needs(rule: CorrelationRule, window: Sequence[Hit]) -> tuple[Need, ...]:
    """Return the rules that keep a temporal condition from holding in a window, the fewest there are.

    Of temporal_ordered, the steps that are still to come, in their order.
    """
    seen = {hit.rule for hit in window}
    if rule.type == "temporal_ordered":
        _, left = in_order(rule, window)
        unwanted = {key for chain in chains(rule) for key in chain.absent if key in seen}
        return (*(Need(key, wanted=True) for key in left), *(Need(key, wanted=False) for key in unwanted))
    if rule.expression is not None:
        return tuple(Need(*one) for one in wanting(rule.expression, seen.__contains__))
    return tuple(Need(key, wanted=True) for key in dict.fromkeys(rule.rules) if key not in seen)


def in_order(rule: CorrelationRule, window: Sequence[Hit]) -> tuple[tuple[Hit, ...], tuple[str, ...]]:
    """Return how far the order of a temporal_ordered rule goes in a window: its hits, and the steps left."""
    ways = (_steps(chain.steps, window) for chain in chains(rule))
    return min(ways, key=lambda pair: len(pair[1]), default=((), ()))


def _steps(steps: tuple[str, ...], window: Sequence[Hit]) -> tuple[tuple[Hit, ...], tuple[str, ...]]:
    done: list[Hit] = []
    for hit in window:
        if len(done) == len(steps):
            break
        later = not done or (hit.time, hit.position) > (done[-1].time, done[-1].position)
        if later and hit.rule == steps[len(done)]:
            done.append(hit)
    return tuple(done), steps[len(done) :]
