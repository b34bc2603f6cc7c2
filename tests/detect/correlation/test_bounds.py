"""Bounds of what correlations hold: what is dropped is counted, and what is told stays true."""

from __future__ import annotations

from dataclasses import replace

from haidang.detect.correlation import Correlated, Correlator
from haidang.limits import DEFAULT_LIMITS
from tests.detect.correlation.building import BRUTE_FORCE, SECOND, correlation, hit, run


def test_late_hits_are_dropped_and_counted() -> None:
    correlator = Correlator([BRUTE_FORCE], DEFAULT_LIMITS, tolerance_ns=10 * SECOND)

    for seconds in (100, 91, 90, 89.9):
        assert list(correlator.feed(hit("failed", seconds, User="lan"))) == []

    assert correlator.dropped == {("failed", "late"): 1}


def test_a_burst_that_goes_on_can_be_seen_before_it_is_over() -> None:
    correlator = Correlator([BRUTE_FORCE], DEFAULT_LIMITS)
    for n in range(12):
        assert list(correlator.feed(hit("failed", n, n, User="lan"))) == []

    # The hit at 11 s waits for others of its time.
    assert [one.count for one in correlator.pending()] == [11]
    assert list(correlator.advance(311 * SECOND)) == []
    assert [one.count for one in correlator.advance(311 * SECOND + 1)] == [12]
    assert list(correlator.pending()) == []
    assert list(correlator.finish()) == []


def test_the_bound_on_events_drops_the_oldest_and_counts_them() -> None:
    limits = replace(DEFAULT_LIMITS, correlation_events=50)
    correlator = Correlator([correlation("event_count", ["a"], ("gte", 60))], limits)

    found = [one for n in range(100) for one in correlator.feed(hit("a", n / 10, n))]

    assert found == list(correlator.finish()) == []
    assert correlator.dropped == {("correlation", "evicted-event"): 50}


def test_the_bound_on_groups_drops_the_least_recently_touched_and_counts_them() -> None:
    limits = replace(DEFAULT_LIMITS, correlation_groups=2)
    correlator = Correlator([correlation("event_count", ["a"], ("gte", 2), by=["User"])], limits)
    users = ["x", "y", "x", "z", "y", "x"]

    found: list[Correlated] = []
    for n, user in enumerate(users):
        found += correlator.feed(hit("a", n, n, User=user))
    found += correlator.finish()

    # "y" went when "z" came, "x" with its burst when "y" came back, "z" when "x" came back.
    assert [(one.group["User"], one.count) for one in found] == [("x", 2)]
    assert correlator.dropped == {("correlation", "evicted-group"): 3}


def test_members_keep_some_of_each_rule() -> None:
    limits = replace(DEFAULT_LIMITS, correlation_members=8)
    hits = [*(hit("a", n / 100) for n in range(500)), hit("b", 6), hit("a", 7)]

    (found,) = run(correlation("temporal", ["a", "b"]), hits, limits)

    assert [member.rule for member in found.members] == ["a", "a", "a", "b", "a"]
    assert found.count == 502


def test_the_evidence_of_many_long_bursts_is_bounded_and_their_counts_are_true() -> None:
    limits = replace(DEFAULT_LIMITS, correlation_events=100)
    users = [f"user{n}" for n in range(20)]
    hits = [hit("a", n, User=user) for n in range(0, 1000, 50) for user in users]

    found = run(correlation("event_count", ["a"], ("gte", 2), by=["User"]), hits, limits)

    assert [one.count for one in found] == [20] * 20
    assert sum(len(one.members) for one in found) <= 20 * 2 + 100 // 10


def test_the_bound_holds_for_hits_that_wait_for_their_turn() -> None:
    limits = replace(DEFAULT_LIMITS, correlation_events=10)
    for tolerance in (0, 60 * SECOND):
        correlator = Correlator([BRUTE_FORCE], limits, tolerance_ns=tolerance)

        found = [one for n in range(100) for one in correlator.feed(hit("failed", 1, n, User="lan"))]
        found += correlator.finish()

        assert [one.count for one in found] == [100]


def test_nothing_is_kept_of_windows_that_have_passed() -> None:
    correlator = Correlator([BRUTE_FORCE], DEFAULT_LIMITS)
    for n in range(10_000):
        list(correlator.feed(hit("failed", 400 * n, n, User=f"user{n}")))
    window = correlator._windows["brute-force"]

    assert len(window._groups) == len(window._queue) == 1
