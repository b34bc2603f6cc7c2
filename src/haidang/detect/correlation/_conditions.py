"""What a correlation's condition asks, brought into the forms that windows can answer fast.

- ``holds`` says whether a number satisfies all operators.
- ``chains`` rewrites a boolean expression over rules as alternatives (disjunctive normal form): some
  rules that must occur, and some that must not.
- ``short_of`` and ``wanting`` say how far a window is from it, for those who explain a correlation.
- ``fires_early`` says whether the condition is reported as soon as it holds. That is sound where more
  events can only make it truer: counts and sums with lower bounds, temporal types without "not". All
  other conditions are judged when a window is full (see the package's docstring).

Rules are untrusted: one that asks for too much is refused with its place.
"""

from __future__ import annotations

import operator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from haidang.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.detect.correlation._values import Number
    from haidang.sigma.ir import Condition, CorrelationRule

__all__ = [
    "Chain",
    "asked",
    "chains",
    "fires_early",
    "holds",
    "present",
    "refused",
    "rules_named",
    "short_of",
    "wanting",
]

_MOST_ALTERNATIVES = 1000
"""Alternatives of one expression; what analysts write has fewer than ten."""
_COMPARE: dict[str, Callable[[Number, Number | float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}
_BEYOND = frozenset({"gt", "lt", "neq"})
"""Operators that the bound itself does not satisfy."""
_LOWER_BOUNDS = frozenset({"gt", "gte"})
_GROWING = frozenset({"event_count", "value_count", "value_sum", "temporal", "temporal_ordered"})


class Chain(NamedTuple):
    """One way to satisfy an expression."""

    steps: tuple[str, ...]
    """Rules that must occur, in the order of the correlation rule."""
    absent: frozenset[str]
    """Rules that must not occur in the window."""


def refused(rule: CorrelationRule, reason: str) -> RuleError:
    """Return the error for a correlation rule that cannot be supported."""
    info = rule.info
    return RuleError(reason, path=info.path, line=info.line, rule=info.title or info.key)


def asked(rule: CorrelationRule) -> tuple[tuple[str, float], ...]:
    """Return the operators that the number of a rule must satisfy.

    A temporal rule without operators needs all of its rules; where it has an expression, the number is
    1 when the expression holds and 0 when it does not.
    """
    if rule.expression is not None or rule.type == "temporal_ordered":
        return (("gte", 1),)
    if rule.type == "temporal" and not rule.operators:
        return (("gte", len(set(rule.rules))),)
    return rule.operators


def holds(rule: CorrelationRule) -> Callable[[Number], bool]:
    """Return the test of a number against all operators of the rule."""
    operators = asked(rule)
    unknown = [name for name, _ in operators if name not in _COMPARE]
    if unknown or not operators:
        raise refused(rule, f"a correlation condition cannot have the operators {unknown or 'of none'}")
    tests = [(_COMPARE[name], bound) for name, bound in operators]
    if len(operators) == 1 and operators[0][0] == "gte":
        # By far the most frequent condition, without a call in Python: bound <= found.
        return partial(operator.le, operators[0][1])
    return lambda found: all(compare(found, bound) for compare, bound in tests)


def fires_early(rule: CorrelationRule) -> bool:
    """Return whether the condition is judged at every hit rather than at full windows only."""
    if rule.type not in _GROWING:
        return False
    if rule.expression is not None:
        return not any(negated for _, negated in rules_named(rule.expression))
    return all(name in _LOWER_BOUNDS for name, _ in rule.operators)


def rules_named(expression: Condition, *, negated: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield every rule that an expression names, and whether it stands under an odd number of "not"."""
    kind, *rest = expression
    if kind == "rule":
        yield rest[0], negated
        return
    for part in rest:
        yield from rules_named(part, negated=negated != (kind == "not"))


def present(expression: Condition, found: Callable[[str], bool]) -> bool:
    """Return whether an expression holds, ``found`` saying which rules occur."""
    kind, *rest = expression
    if kind == "rule":
        return found(rest[0])
    if kind == "not":
        return not present(rest[0], found)
    quantifier = all if kind == "and" else any
    return quantifier(present(part, found) for part in rest)


def wanting(
    expression: Condition, found: Callable[[str], bool], *, negated: bool = False
) -> tuple[tuple[str, bool], ...]:
    """Return the fewest rules that keep an expression from holding, each with whether it is wanted."""
    kind, *rest = expression
    if kind == "rule":
        return () if found(rest[0]) != negated else ((rest[0], not negated),)
    if kind == "not":
        return wanting(rest[0], found, negated=not negated)
    parts = [wanting(part, found, negated=negated) for part in rest]
    if (kind == "and") != negated:
        return tuple(dict.fromkeys(one for part in parts for one in part))
    return min(parts, key=len)


def short_of(operators: Sequence[tuple[str, float]], found: Number) -> Number:
    """Return how far a number is from satisfying all operators, 0 when it does; of counts, in whole steps."""
    return sum(_short(name, bound, found) for name, bound in operators)


def _short(name: str, bound: float, found: Number) -> Number:
    if _COMPARE[name](found, bound):
        return 0
    return abs(found - Fraction(bound)) + (name in _BEYOND)


def chains(rule: CorrelationRule) -> tuple[Chain, ...]:
    """Return the ways to satisfy a temporal_ordered rule; one of them is enough."""
    if rule.expression is None:
        _check_all_needed(rule)
        return (Chain(rule.rules, frozenset()),)
    found: dict[Chain, None] = {}
    order = list(dict.fromkeys(rule.rules))
    for wanted, unwanted in _alternatives(rule, rule.expression, negated=False):
        if not wanted & unwanted:
            found[Chain(tuple(key for key in order if key in wanted), unwanted)] = None
    return tuple(found)


def _check_all_needed(rule: CorrelationRule) -> None:
    total = len(rule.rules)
    tests = [(_COMPARE[name], bound) for name, bound in rule.operators if name in _COMPARE]
    accepted = [n for n in range(1, total + 1) if all(compare(n, bound) for compare, bound in tests)]
    if rule.operators and accepted != [total]:
        raise refused(rule, "temporal_ordered needs all of its rules; a count of some of them has no order")


def _alternatives(
    rule: CorrelationRule, expression: Condition, *, negated: bool
) -> list[tuple[frozenset[str], frozenset[str]]]:
    kind, *rest = expression
    if kind == "rule":
        one = frozenset(rest)
        return [(frozenset(), one) if negated else (one, frozenset())]
    if kind == "not":
        return _alternatives(rule, rest[0], negated=not negated)
    parts = [_alternatives(rule, part, negated=negated) for part in rest]
    if (kind == "or") != negated:
        combined = [way for part in parts for way in part]
    else:
        combined = [(frozenset(), frozenset())]
        for part in parts:
            pairs = product(combined, part)
            combined = list(dict.fromkeys((a | c, b | d) for (a, b), (c, d) in pairs))
            if len(combined) > _MOST_ALTERNATIVES:
                break
    if len(combined) > _MOST_ALTERNATIVES:
        raise refused(rule, f"the condition has more than {_MOST_ALTERNATIVES} alternatives")
    return combined
