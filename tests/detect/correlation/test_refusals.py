"""Correlations that cannot be supported are refused with the reason and the place."""

from __future__ import annotations

import pytest

from haidang.detect.correlation import Correlator
from haidang.errors import RuleError
from haidang.limits import DEFAULT_LIMITS
from tests.detect.correlation.building import correlation


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (correlation("event_total", ["a"], ("gte", 1)), "unknown correlation type 'event_total'"),
        (correlation("event_count", ["a"], ("about", 1)), r"operators \['about'\]"),
        (correlation("event_count", ["a"]), "of none"),
        (correlation("value_sum", ["a"], ("gt", 1)), "needs a field"),
        (
            correlation("value_percentile", ["a"], ("gt", 1), fields=["x"], percentile=101),
            "between 0 and 100",
        ),
        (correlation("temporal_ordered", ["a", "b", "c"], ("gte", 2)), "needs all of its rules"),
        (correlation("event_count", ["correlation"], ("gte", 1)), "refers to itself"),
    ],
)
def test_a_rule_that_cannot_be_supported_is_refused_with_its_place(rule: object, reason: str) -> None:
    with pytest.raises(RuleError, match=reason) as refusal:
        Correlator([rule], DEFAULT_LIMITS)  # type: ignore[list-item]

    assert (refusal.value.path, refusal.value.line, refusal.value.rule) == ("rules.yml", 7, "correlation")


def test_an_expression_with_too_many_alternatives_is_refused() -> None:
    pairs = [("or", ("rule", f"a{n}"), ("rule", f"b{n}")) for n in range(12)]
    names = [f"{letter}{n}" for n in range(12) for letter in "ab"]

    with pytest.raises(RuleError, match="alternatives"):
        Correlator([correlation("temporal_ordered", names, expression=("and", *pairs))], DEFAULT_LIMITS)


def test_a_very_deep_chain_is_refused() -> None:
    deep = [correlation("event_count", [f"c{n + 1}"], ("gte", 1), key=f"c{n}") for n in range(2000)]

    with pytest.raises(RuleError, match="in a chain"):
        Correlator(deep, DEFAULT_LIMITS)
