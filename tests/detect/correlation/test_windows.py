"""The windows that are explained are those that the engine reports, and the nearest one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect.correlation._values import fold
from haidang.detect.correlation.windows import Need, in_order, moments, needs, walk
from haidang.detect.naive_correlation import correlate
from tests.detect.correlation.building import MINUTE, correlation, hit
from tests.detect.correlation.test_naive_correlation import HITS, pairs, rulesets

if TYPE_CHECKING:
    from haidang.detect.correlation import Hit
    from haidang.detect.correlation.windows import Walk
    from haidang.sigma.ir import CorrelationRule


def folded(group: dict[str, Any]) -> str:
    # A finding spells its group as its first member does, a walked group as its first hit.
    return repr([(name, fold(value)) for name, value in group.items()])


def walked(rule: CorrelationRule, known: dict[str, CorrelationRule], hits: list[Hit]) -> Walk:
    feeding = [one for one in hits if one.rule in rule.rules]
    for key in set(rule.rules) & set(known):
        feeding += moments(known[key], walked(known[key], known, hits), rule)
    return walk(rule, feeding)


@settings(max_examples=250, deadline=None)
@given(st.one_of(rulesets(), pairs()), HITS)
def test_bursts_are_those_that_the_engine_reports(ruleset: list[CorrelationRule], hits: list[Hit]) -> None:
    known = {rule.info.key: rule for rule in ruleset}
    found = sorted(
        (
            rule.info.key,
            folded(group.values),
            group.hits[burst[0].first].time,
            group.hits[burst[0].last].time,
            group.hits[burst[-1].last].time,
        )
        for rule in ruleset
        if rule.info.generate
        for group in walked(rule, known, hits).groups
        for burst in group.bursts
    )
    expected = sorted(
        (one.rule.info.key, folded(one.group), one.time_first, one.time_met, one.time_last)
        for one in correlate(ruleset, hits)
    )
    assert found == expected


def test_the_nearest_window_is_the_fullest_of_a_count() -> None:
    rule = correlation("event_count", ["a"], ("gte", 4), by=["user"], span=MINUTE)
    hits = [hit("a", second, second, user="u") for second in (0, 200, 210, 220, 400)]
    (group,) = walk(rule, hits).groups
    assert (group.nearest.first, group.nearest.last) == (1, 3)
    assert (group.nearest.number, group.nearest.lacking, group.total) == (3, 1, 5)
    assert group.bursts == ()


@pytest.mark.parametrize(
    ("operator", "bound", "lacking"),
    [("gt", 2, 1), ("gte", 3, 1), ("lt", 2, 1), ("lte", 1, 1), ("eq", 5, 3), ("neq", 2, 1), ("gte", 2, 0)],
)
def test_what_is_lacking_is_told_in_whole_steps(operator: str, bound: float, lacking: int) -> None:
    rule = correlation("event_count", ["a"], (operator, bound), span=MINUTE)
    (group,) = walk(rule, [hit("a", 0, 1), hit("a", 1, 2)]).groups
    assert group.nearest.lacking == lacking


def test_hits_that_do_not_count_are_named_with_the_reason() -> None:
    rule = correlation("value_count", ["a"], ("gte", 2), by=["user"], fields=["host"])
    hits = [hit("a", None, 1, user="u", host="h"), hit("a", 1, 2, host="h"), hit("a", 2, 3, user="u")]
    found = walk(rule, hits)
    assert [reason for _, reason in found.left_out] == ["no-time", "no-group-field", "no-value"]
    assert found.groups == ()


def test_the_order_says_how_far_it_went_and_what_is_left() -> None:
    rule = correlation("temporal_ordered", ["a", "b", "c"])
    window = [hit("b", 0, 1), hit("a", 1, 2), hit("b", 2, 3)]
    done, left = in_order(rule, window)
    assert [one.position for one in done] == [2, 3]
    assert left == ("c",)
    assert needs(rule, window) == (Need("c", wanted=True),)


def test_one_event_is_not_two_steps_of_an_order() -> None:
    rule = correlation("temporal_ordered", ["a", "b"])
    assert in_order(rule, [hit("a", 0, 1), hit("b", 0, 1)])[1] == ("b",)


def test_an_expression_names_the_fewest_rules_that_it_lacks_or_that_are_in_its_way() -> None:
    expression = ("or", ("and", ("rule", "a"), ("rule", "b")), ("and", ("rule", "c"), ("not", ("rule", "a"))))
    rule = correlation("temporal", ["a", "b", "c"], expression=expression)
    assert needs(rule, [hit("a", 0, 1)]) == (Need("b", wanted=True),)
    assert needs(rule, [hit("c", 0, 1), hit("a", 0, 2), hit("b", 0, 3)]) == ()
    other = correlation("temporal", ["a", "c"], expression=("and", ("rule", "c"), ("not", ("rule", "a"))))
    assert needs(other, [hit("c", 0, 1), hit("a", 1, 2)]) == (Need("a", wanted=False),)
