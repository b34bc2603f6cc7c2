"""The plain twin of ``detect.correlation``: the meaning of correlations, over the whole list at once.

It looks at every window of every group anew and shares with the engine only what a value is and what a
percentile is. It is slow on purpose; property tests hold the engine to it. It knows no limits: every
member is returned.
"""

from __future__ import annotations

import operator
from fractions import Fraction
from itertools import chain, combinations, pairwise
from typing import TYPE_CHECKING, Any

from haidang.detect.correlation._values import fold, number
from haidang.detect.correlation.model import Correlated, Hit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from haidang.sigma.ir import Condition, CorrelationRule

__all__ = ["correlate"]

_COUNTS_UP = {"event_count", "value_count", "value_sum"}


def correlate(rules: Sequence[CorrelationRule], hits: Iterable[Hit]) -> list[Correlated]:
    """Return every burst of every rule, in no particular order."""
    known = {rule.info.key: rule for rule in rules}
    base = [hit for hit in hits if hit.time is not None]
    found: dict[str, list[tuple[Correlated, list[Hit]]]] = {}

    def visit(rule: CorrelationRule) -> None:
        if rule.info.key in found:
            return
        inputs = [hit for hit in base if hit.rule in rule.rules]
        for key in set(rule.rules) & set(known):
            visit(known[key])
            for _, moments in found[key]:
                inputs += moments if rule.type.startswith("temporal") else moments[:1]
        found[rule.info.key] = _bursts(rule, inputs)

    for rule in rules:
        visit(rule)
    return [burst for key in found for burst, _ in found[key] if known[key].info.generate]


def _bursts(rule: CorrelationRule, inputs: list[Hit]) -> list[tuple[Correlated, list[Hit]]]:
    groups: dict[Any, list[Hit]] = {}
    for hit in sorted(inputs, key=lambda hit: (hit.time, hit.position, hit.rule)):
        key = tuple(fold(value) for value in _of(rule, hit, rule.group_by))
        if None in key or (rule.type.startswith("value_") and _measured(rule, hit) is None):
            continue
        group = groups.setdefault(key, [])
        if rule.type.startswith("temporal") or not any(_same_event(hit, other) for other in group):
            group.append(hit)
    return [burst for group in groups.values() for burst in _bursts_of_group(rule, group)]


def _bursts_of_group(rule: CorrelationRule, hits: list[Hit]) -> list[tuple[Correlated, list[Hit]]]:
    satisfied = []
    for last in range(len(hits)):
        first = _first(rule, hits, last)
        full = last + 1 == len(hits) or _first(rule, hits, last + 1) > first
        if full or _at_once(rule):
            value = _value(rule, hits[first : last + 1])
            if _holds(rule, value):
                satisfied.append((first, last, value))
    bursts: list[list[tuple[int, int, Any]]] = []
    for window in satisfied:
        if bursts and window[0] <= bursts[-1][-1][1]:
            bursts[-1].append(window)
        else:
            bursts.append([window])
    return [_finding(rule, hits, windows) for windows in bursts]


def _first(rule: CorrelationRule, hits: list[Hit], last: int) -> int:
    """Return the index of the first hit of the window that ends with hit ``last``."""
    return next(i for i in range(last + 1) if _time(hits[i]) >= _time(hits[last]) - rule.timespan_ns)


def _finding(
    rule: CorrelationRule, hits: list[Hit], windows: list[tuple[int, int, Any]]
) -> tuple[Correlated, list[Hit]]:
    members = hits[windows[0][0] : windows[-1][1] + 1]
    group = dict(zip(rule.group_by, _of(rule, members[0], rule.group_by), strict=True))
    inner = {id(hit.finding): hit for hit in reversed(members) if isinstance(hit.finding, Correlated)}
    alone = [hit for hit in members if not isinstance(hit.finding, Correlated)]
    value = None
    if not rule.type.startswith("temporal"):
        lowest = bool(rule.operators) and {name for name, _ in rule.operators} <= {"lt", "lte"}
        value = float((min if lowest else max)(window[2] for window in windows))
    burst = Correlated(
        rule=rule,
        time_first=_time(members[0]),
        time_last=_time(members[-1]),
        group=group,
        members=tuple(hit for hit in members if hit in alone or any(hit is one for one in inner.values())),
        count=len(inner) + len({(hit.time, hit.position) for hit in alone}),
        value=value,
        time_met=_time(hits[windows[0][1]]),
    )
    lasts = [hits[last] for _, last, _ in windows]
    moments = [Hit(rule.info.key, hit.time, hit.position, {**hit.values, **group}, burst) for hit in lasts]
    return burst, moments


def _value(rule: CorrelationRule, window: list[Hit]) -> Any:
    if rule.type == "temporal" and rule.expression is None:
        return len({hit.rule for hit in window})
    if rule.type.startswith("temporal"):
        return _temporal(rule, window)
    values = [_measured(rule, hit) for hit in window]
    ways: dict[str, Callable[[], Any]] = {
        "event_count": lambda: len(window),
        "value_count": lambda: len(set(values)),
        "value_sum": lambda: sum(values),
        "value_avg": lambda: Fraction(sum(values)) / len(values),
        "value_median": lambda: _percentile(sorted(values), 50),
        "value_percentile": lambda: _percentile(sorted(values), rule.percentile),
    }
    return ways[rule.type]()


def _percentile(values: list[Any], percent: float) -> Fraction:
    """Return the point at ``percent`` of the way along the line that joins the values, in order."""
    along = Fraction(percent) / 100 * (len(values) - 1)
    for index, (low, high) in enumerate(pairwise(values)):
        if index <= along <= index + 1:
            return Fraction(low + (high - low) * (along - index))
    return Fraction(values[0])


def _temporal(rule: CorrelationRule, window: list[Hit]) -> bool:
    """Return whether some choice of rules satisfies the expression, and occurs (in order) in the window."""
    occur = {hit.rule for hit in window}
    expression = rule.expression
    if rule.type == "temporal":
        return _true(expression or (), occur, occur, wanted=True)
    if expression is None:
        return _ordered(rule.rules, window, to_the_end=True)
    order = list(dict.fromkeys(rule.rules))
    choices = chain.from_iterable(combinations(order, size) for size in range(len(order) + 1))
    return any(
        _true(expression, set(choice), occur, wanted=True)
        and _ordered(choice, window, to_the_end=_at_once(rule))
        for choice in choices
    )


def _true(expression: Condition, chosen: set[str], occur: set[str], *, wanted: bool) -> bool:
    kind, *parts = expression
    if kind == "rule":
        return parts[0] in (chosen if wanted else occur)
    if kind == "not":
        return not _true(parts[0], chosen, occur, wanted=not wanted)
    return (all if kind == "and" else any)(_true(part, chosen, occur, wanted=wanted) for part in parts)


def _ordered(steps: Sequence[str], window: list[Hit], *, to_the_end: bool) -> bool:
    """Return whether the steps occur one event after the other (the last step being the last hit)."""
    if not steps:
        return True
    ends = window[-1:] if to_the_end else window
    return any(
        hit.rule == steps[-1]
        and _ordered(steps[:-1], [one for one in window if _place(one) < _place(hit)], to_the_end=False)
        for hit in ends
    )


def _at_once(rule: CorrelationRule) -> bool:
    """Return whether the rule is judged at every hit, not at full windows only."""
    if rule.type.startswith("temporal") and rule.expression is not None:
        return not _negated(rule.expression)
    lower_bounds = all(name in {"gt", "gte"} for name, _ in rule.operators)
    return lower_bounds and (rule.type in _COUNTS_UP or rule.type.startswith("temporal"))


def _negated(expression: Condition, *, wanted: bool = True) -> bool:
    """Return whether some rule stands under an odd number of "not"."""
    kind, *parts = expression
    if kind == "rule":
        return not wanted
    return any(_negated(part, wanted=wanted != (kind == "not")) for part in parts)


def _holds(rule: CorrelationRule, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    operators = rule.operators
    if rule.type == "temporal" and not operators:
        operators = (("eq", len(set(rule.rules))),)
    spelled = {"gt": "gt", "gte": "ge", "lt": "lt", "lte": "le", "eq": "eq", "neq": "ne"}
    return all(getattr(operator, spelled[name])(value, bound) for name, bound in operators)


def _of(rule: CorrelationRule, hit: Hit, names: Iterable[str]) -> list[Any]:
    return [hit.values.get(rule.aliases.get(name, {}).get(hit.rule, name)) for name in names]


def _measured(rule: CorrelationRule, hit: Hit) -> Any:
    values = _of(rule, hit, rule.value_fields)
    if rule.type == "event_count":
        return None
    if rule.type == "value_count":
        folded = tuple(fold(value) for value in values)
        return None if None in folded else folded
    return number(values[0])


def _same_event(one: Hit, other: Hit) -> bool:
    chained = isinstance(one.finding, Correlated) or isinstance(other.finding, Correlated)
    return not chained and _place(one) == _place(other)


def _place(hit: Hit) -> tuple[int, int]:
    return _time(hit), hit.position


def _time(hit: Hit) -> int:
    return hit.time or 0
