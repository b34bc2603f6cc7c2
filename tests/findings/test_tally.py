"""Counting findings as they come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from haidang.findings.model import Finding, FindingRule, Source
from haidang.findings.tally import Tally
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable


def test_severe_rules_come_first_then_frequent_ones_then_by_title(
    make_finding: Callable[..., Finding],
) -> None:
    tally = Tally()
    for title, level, hits in (
        ("b", "low", 1),
        ("a", "low", 1),
        ("c", "low", 2),
        ("z", "critical", 1),
        ("o", "odd", 9),
    ):
        for _ in range(hits):
            tally.add(make_finding(rule_title=title, rule_level=level))
    assert [found.rule.title for found in tally.rules()] == ["z", "c", "a", "b", "o"]
    assert tally.levels() == {"critical": 1, "low": 4, "odd": 9}
    assert tally.total == 14


def test_span_is_by_time_and_not_by_spelling(make_finding: Callable[..., Finding]) -> None:
    tally = Tally()
    for time in ("2026-03-01T08:00:00.5Z", None, "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.25Z"):
        tally.add(make_finding(time=time))
    (found,) = tally.rules()
    assert (found.first, found.last) == ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00.5Z")


def test_rule_without_event_times_has_no_span(make_finding: Callable[..., Finding]) -> None:
    tally = Tally()
    tally.add(make_finding(time=None))
    (found,) = tally.rules()
    assert (found.first, found.last) == (None, None)


def test_finding_counts_for_each_tactic_of_its_rule(make_finding: Callable[..., Finding]) -> None:
    tally = Tally()
    tally.add(make_finding(rule_tags=("attack.impact", "attack.execution")))
    tally.add(make_finding(rule_title="x", rule_tags=("attack.impact",)))
    assert list(tally.tactics().items()) == [("execution", 1), ("impact", 2)]


def test_remembers_no_more_hosts_than_summary_hosts(make_finding: Callable[..., Finding]) -> None:
    tally = Tally(replace(DEFAULT_LIMITS, summary_hosts=2))
    for host in ("a", "b", "", "a", "c", "d", "b"):
        tally.add(make_finding(host=host))
    (found,) = tally.rules()
    assert found.hosts == {"a": 2, "b": 2}
    assert found.more_hosts
    assert found.hits == 7


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["high", "low"]), st.sampled_from(["", "h", "i"]))
    )
)
def test_agrees_with_counting_over_the_whole_list(drawn: list[tuple[str, str, str]]) -> None:
    tally = Tally()
    for title, level, host in drawn:
        rule = FindingRule(title + level, title, level, "", ())
        tally.add(Finding("", rule, None, host, Source("", 0), {}, ()))
    assert tally.total == len(drawn)
    assert tally.levels() == {
        level: n for level in ("high", "low") if (n := sum(1 for item in drawn if item[1] == level))
    }
    for found in tally.rules():
        own = [host for title, level, host in drawn if (title, level) == (found.rule.title, found.rule.level)]
        assert found.hits == len(own)
        assert found.hosts == {host: own.count(host) for host in own if host}
