"""The number that a correlation looks at, kept up to date while hits enter and leave a window.

A measure belongs to one group. ``item`` says what a hit contributes (None: the hit is not counted);
``add`` and ``remove`` are called in the order of the hits; ``read`` gives the exact number of the
window as it is. Nothing is recomputed: distinct values and sums cost O(1) a hit, medians and percentiles
a binary search and one move in a list. A count of hits needs no measure.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from haidang.detect.correlation._conditions import present, refused, wanting
from haidang.detect.correlation._ordered import ordered_measure
from haidang.detect.correlation._values import fold, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.detect.correlation._burst import Entry
    from haidang.detect.correlation._values import Number
    from haidang.detect.correlation.model import Hit
    from haidang.sigma.ir import CorrelationRule

__all__ = ["Expression", "Measure", "contribution", "measure_of", "percentile"]


class Measure(Protocol):
    """See the module's docstring."""

    def add(self, entry: Entry) -> None:
        """Take in the newest hit."""
        ...

    def remove(self, entry: Entry) -> None:
        """Let go of the oldest hit."""
        ...

    def read(self) -> Number:
        """Return the number of a window that is not empty."""
        ...


class _Distinct:
    """How many different values; for temporal, how many of the rules."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[Any, int] = {}

    def add(self, entry: Entry) -> None:
        item = entry[3]
        self.found[item] = self.found.get(item, 0) + 1

    def remove(self, entry: Entry) -> None:
        item = entry[3]
        left = self.found[item] - 1
        if left:
            self.found[item] = left
        else:
            del self.found[item]

    def read(self) -> Number:
        return len(self.found)


class Expression(_Distinct):
    """1 when the expression of a temporal rule holds for the rules in the window, else 0."""

    __slots__ = ("_rule",)

    def __init__(self, rule: CorrelationRule) -> None:
        super().__init__()
        self._rule = rule

    def read(self) -> Number:
        return int(present(self._rule.expression or (), self.found.__contains__))

    def lacking(self) -> int:
        """Return how many rules keep the expression from holding."""
        return len(wanting(self._rule.expression or (), self.found.__contains__))


class _Sum:
    """The exact sum, or with ``mean`` the exact average."""

    __slots__ = ("_count", "_mean", "_total")

    def __init__(self, *, mean: bool) -> None:
        self._mean = mean
        self._count = 0
        self._total: Number = 0

    def add(self, entry: Entry) -> None:
        self._count += 1
        self._total += entry[3]

    def remove(self, entry: Entry) -> None:
        self._count -= 1
        self._total -= entry[3]

    def read(self) -> Number:
        return Fraction(self._total) / self._count if self._mean else self._total


class _Percentile:
    """A percentile of the values, kept sorted."""

    __slots__ = ("_percent", "_values")

    def __init__(self, percent: Number) -> None:
        self._percent = percent
        self._values: list[Number] = []

    def add(self, entry: Entry) -> None:
        insort(self._values, entry[3])

    def remove(self, entry: Entry) -> None:
        del self._values[bisect_left(self._values, entry[3])]

    def read(self) -> Number:
        return percentile(self._values, self._percent)


def percentile(ordered: list[Number], percent: Number) -> Number:
    """Return a percentile by linear interpolation between the two nearest ranks.

    The rank is (n - 1) * percent / 100, so that 0 is the minimum, 100 the maximum and 50 the median.
    """
    scaled = (len(ordered) - 1) * percent
    rank = int(scaled // 100)
    part = Fraction(scaled % 100) / 100
    low = ordered[rank]
    return low + (ordered[rank + 1] - low) * part if part else low


def measure_of(rule: CorrelationRule) -> Callable[[], Measure] | None:
    """Return what makes the measure of a new group of ``rule``; None where it is the number of hits.

    Raises RuleError for an unknown type.
    """
    simple: dict[str, Callable[[], Measure]] = {
        "value_count": _Distinct,
        "value_sum": lambda: _Sum(mean=False),
        "value_avg": lambda: _Sum(mean=True),
        "value_median": lambda: _Percentile(50),
        "value_percentile": lambda: _Percentile(_percent(rule)),
        "temporal": _Distinct if rule.expression is None else lambda: Expression(rule),
    }
    if rule.type == "event_count":
        return None
    if rule.type == "temporal_ordered":
        return ordered_measure(rule)
    if rule.type not in simple:
        raise refused(rule, f"unknown correlation type {rule.type!r}")
    if rule.type.startswith("value_") and not rule.value_fields:
        raise refused(rule, f"{rule.type} needs a field")
    _percent(rule)
    return simple[rule.type]


def _percent(rule: CorrelationRule) -> Number:
    percent = number(rule.percentile)
    if percent is None or not 0 <= percent <= 100:
        raise refused(rule, f"a percentile is between 0 and 100, not {rule.percentile}")
    return percent


def contribution(rule: CorrelationRule, fields: tuple[str, ...]) -> Callable[[Hit], Any]:
    """Return what a hit contributes to the measure; None when it lacks what is measured.

    ``fields`` are the rule's value fields as the events of the referenced rule call them.
    """
    if rule.type.startswith("temporal"):
        return lambda hit: hit.rule
    if rule.type == "event_count":
        return lambda hit: True  # noqa: ARG005 - every event counts
    if rule.type == "value_count" and len(fields) > 1:
        return lambda hit: _distinct_of(hit, fields)
    name = fields[0]
    if rule.type == "value_count":
        return lambda hit: fold(hit.values.get(name))
    return lambda hit: number(hit.values.get(name))


def _distinct_of(hit: Hit, fields: tuple[str, ...]) -> tuple[Any, ...] | None:
    folded = tuple(fold(hit.values.get(name)) for name in fields)
    return None if None in folded else folded
