"""The engine agrees with its plain twin, whatever the rules, the hits and the order of arrival."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from haidang.detect.correlation import Correlated, Correlator, Hit
from haidang.detect.naive_correlation import correlate
from haidang.limits import DEFAULT_LIMITS
from tests.detect.correlation.building import SECOND, correlation

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from haidang.sigma.ir import Condition, CorrelationRule

TYPES = [
    "event_count",
    "value_count",
    "value_sum",
    "value_avg",
    "value_median",
    "value_percentile",
    "temporal",
    "temporal_ordered",
]
BASE = ("a", "b", "c")
KEEP_ALL = replace(DEFAULT_LIMITS, correlation_members=1_000_000)

OPERATORS = st.sampled_from(["gt", "gte", "lt", "lte", "eq", "neq"])
BOUNDS = st.sampled_from([0.0, 1, 2, 2.5, 3, 4, 6])
AT_LEAST = st.sampled_from([1.0, 2.0, 3.0, 4.0]).map(lambda bound: [("gte", bound)])
CONDITIONS: st.SearchStrategy[list[tuple[str, float]]] = st.one_of(
    AT_LEAST, AT_LEAST, st.lists(st.tuples(OPERATORS, BOUNDS), min_size=1, max_size=2)
)
VALUES = st.sampled_from(
    ["x", "X", "y", 1, "1", 1.0, True, "true", 2.5, "2.5", -1, 0.1, "1e3", ["x", 1], None]
)
NUMBERS = st.integers(-3, 5) | st.sampled_from([0.1, 0.2, "3", " 4 ", "1e18", 1e18, "no", None, True])


def expressions(names: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    leaves = st.sampled_from(names).map(lambda name: ("rule", name))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: ("not", one)),
            st.tuples(st.sampled_from(["and", "or"]), inner, inner),
        ),
        max_leaves=4,
    )


def named(expression: Condition) -> list[str]:
    kind, *rest = expression
    return [rest[0]] if kind == "rule" else [name for part in rest for name in named(part)]


@st.composite
def rules(draw: st.DrawFn, key: str, others: tuple[str, ...]) -> CorrelationRule:
    type_ = draw(st.sampled_from(TYPES))
    refers = tuple(
        draw(st.lists(st.sampled_from(others), min_size=1, max_size=3, unique=type_ != "temporal_ordered"))
    )
    expression = None
    operators: list[tuple[str, float]] = draw(CONDITIONS)
    fields: tuple[str, ...] = ()
    if type_.startswith("temporal"):
        if draw(st.booleans()):
            expression = draw(expressions(refers))
            refers = tuple(dict.fromkeys(named(expression)))
        if expression is not None or type_ == "temporal_ordered" or draw(st.booleans()):
            operators = []
    elif type_ == "value_count":
        fields = draw(st.sampled_from([("v",), ("v", "n")]))
    elif type_ != "event_count":
        fields = ("n",)
    return correlation(
        type_,
        refers,
        *operators,
        by=draw(st.sampled_from([(), ("g",), ("g",), ("g", "h"), ("k",)])),
        span=draw(st.sampled_from([1, 2, 3, 5, 8])) * SECOND,
        fields=fields,
        percentile=draw(st.sampled_from([0, 25, 50, 90, 99.9, 100])),
        aliases={"k": {"a": "g", "b": "h"}},
        expression=expression,
        key=key,
        generate=draw(st.sampled_from([True, True, True, False])),
    )


@st.composite
def rulesets(draw: st.DrawFn) -> list[CorrelationRule]:
    found = [draw(rules("inner", BASE))]
    if draw(st.booleans()):
        found.append(draw(rules("middle", (*BASE, "inner"))))
    if draw(st.booleans()):
        found.append(draw(rules("outer", (*BASE, *(rule.info.key for rule in found)))))
    return draw(st.permutations(found))


EVENTS = st.tuples(
    st.sampled_from([None, *range(31), *range(31)]),
    st.sampled_from([("a",), ("a",), ("b",), ("b",), ("c",), ("a", "b"), ("c", "b")]),
    st.sampled_from(["u", "u", "U", "w", 7, "7"]),
    st.sampled_from(["p", "p", "u"]),
    NUMBERS,
    VALUES,
    st.sampled_from(["", "", "", "", "", "g", "h", "n", "v"]),
)


def hits_of(events: list[tuple[Any, ...]]) -> list[Hit]:
    found: list[Hit] = []
    for position, (half_seconds, satisfied, g, h, n, v, absent) in enumerate(events):
        time = None if half_seconds is None else half_seconds * SECOND // 2
        values = {"g": g, "h": h, "k": h, "n": n, "v": v}
        values.pop(absent, None)
        found += [Hit(rule, time, position, values, f"{rule}{position}") for rule in satisfied]
    return found


HITS = st.lists(EVENTS, min_size=5, max_size=25).map(hits_of)


@st.composite
def pairs(draw: st.DrawFn) -> list[CorrelationRule]:
    """Draw a correlation that often holds, and one that refers to it beside a rule on events."""
    inner = replace(draw(rules("inner", ("a", "b"))), group_by=draw(st.sampled_from([(), ("g",)])))
    if inner.operators:
        inner = replace(inner, operators=draw(st.sampled_from([(("gte", 2),), (("eq", 2),), (("lt", 4),)])))
    outer = replace(draw(rules("outer", ("inner", "c"))), group_by=draw(st.sampled_from([(), ("g",)])))
    return [outer, inner]


def told(found: Iterable[Correlated]) -> list[tuple[object, ...]]:
    """Say what was found, without what the specification leaves to chance."""
    return sorted(
        (
            (
                one.rule.info.key,
                one.time_first,
                one.time_met,
                one.time_last,
                repr(sorted(one.group.items())),
                one.count,
                one.value,
                sorted(
                    (hit.rule, hit.time, repr(sorted(hit.values.items(), key=str))) for hit in one.members
                ),
            )
            for one in found
        ),
        key=repr,
    )


def streamed(ruleset: list[CorrelationRule], hits: Iterable[Hit], tolerance_ns: int = 0) -> list[Correlated]:
    correlator = Correlator(ruleset, KEEP_ALL, tolerance_ns=tolerance_ns)
    found = [one for hit in hits for one in correlator.feed(hit)]
    found += correlator.finish()
    assert not [reason for _, reason in correlator.dropped if reason == "late"]
    return found


def in_time(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: hit.time or 0)


@settings(max_examples=250, deadline=None)
@given(rulesets(), HITS)
def test_engine_and_twin_agree(ruleset: list[CorrelationRule], hits: list[Hit]) -> None:
    expected = correlate(ruleset, hits)
    for one in expected:
        event(f"found {one.rule.type} {one.rule.info.key}")

    assert told(streamed(ruleset, in_time(hits))) == told(expected)


@settings(max_examples=200, deadline=None)
@given(pairs(), HITS)
def test_engine_and_twin_agree_on_chains(ruleset: list[CorrelationRule], hits: list[Hit]) -> None:
    expected = correlate(ruleset, hits)
    for one in expected:
        event(f"found {one.rule.type} {one.rule.info.key}")

    assert told(streamed(ruleset, in_time(hits))) == told(expected)


@settings(max_examples=120, deadline=None)
@given(rulesets(), HITS, st.integers(1, 6), st.randoms(use_true_random=False))
def test_arrival_out_of_order_within_the_tolerance_changes_nothing(
    ruleset: list[CorrelationRule], hits: list[Hit], seconds: int, chance: random.Random
) -> None:
    late = {id(hit): (hit.time or 0) + chance.randrange(seconds * SECOND) for hit in hits}
    arriving = sorted(hits, key=lambda hit: late[id(hit)])

    assert told(streamed(ruleset, arriving, seconds * SECOND)) == told(correlate(ruleset, hits))


@settings(max_examples=80, deadline=None)
@given(rulesets(), HITS, st.integers(0, 20))
def test_word_that_nothing_earlier_comes_changes_nothing(
    ruleset: list[CorrelationRule], hits: list[Hit], every: int
) -> None:
    correlator = Correlator(ruleset, KEEP_ALL)
    found: list[Correlated] = []
    for number, hit in enumerate(in_time(hits)):
        found += correlator.feed(hit)
        if hit.time is not None and number % (every + 1) == 0:
            found += correlator.advance(hit.time)
    found += correlator.finish()

    assert told(found) == told(correlate(ruleset, hits))
