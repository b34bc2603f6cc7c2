"""What correlations find, as an analyst would say it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haidang.detect.correlation import Correlator, Hit
from haidang.limits import DEFAULT_LIMITS
from tests.detect.correlation.building import BRUTE_FORCE, MINUTE, SECOND, correlation, hit, run


def test_ten_failed_logons_in_five_minutes_are_brute_force() -> None:
    (found,) = run(BRUTE_FORCE, [hit("failed", 20 * n, User="lan") for n in range(10)])

    assert found.rule is BRUTE_FORCE
    assert found.group == {"User": "lan"}
    assert (found.count, found.value) == (10, 10.0)
    assert (found.time_first, found.time_last) == (0, 180 * SECOND)
    assert [member.finding for member in found.members][:2] == ["failed@0#0", "failed@20#0"]


def test_nine_failed_logons_or_ten_in_a_longer_time_are_not() -> None:
    assert run(BRUTE_FORCE, [hit("failed", 20 * n, User="lan") for n in range(9)]) == []
    assert run(BRUTE_FORCE, [hit("failed", 34 * n, User="lan") for n in range(10)]) == []


def test_events_exactly_one_timespan_apart_are_within_it() -> None:
    rule = correlation("event_count", ["failed"], ("gte", 2))

    assert len(run(rule, [hit("failed", 0), hit("failed", 300)])) == 1
    assert run(rule, [hit("failed", 0), hit("failed", 300.000000001)]) == []


def test_a_flood_is_one_finding_with_its_true_count() -> None:
    (found,) = run(BRUTE_FORCE, [hit("failed", n, User="lan") for n in range(10_000)])

    assert found.count == 10_000
    assert found.value == 301.0
    assert found.time_met == 9 * SECOND
    assert found.time_last == 9_999 * SECOND
    assert len(found.members) == DEFAULT_LIMITS.correlation_members
    assert found.members[-1].time == 9_999 * SECOND


def test_a_rate_that_swings_around_the_threshold_is_one_finding() -> None:
    rule = correlation("event_count", ["failed"], ("gte", 3), span=10 * SECOND)
    times = [0, 1, 2, 11.5, 11.6, 20, 21, 21.1, 30]

    (found,) = run(rule, [hit("failed", time) for time in times])

    assert found.count == 9


def test_a_second_burst_after_a_quiet_timespan_is_a_second_finding() -> None:
    times = [*range(12), *range(400, 415)]

    first, second = run(BRUTE_FORCE, [hit("failed", time, User="lan") for time in times])

    assert (first.count, second.count) == (12, 15)


def test_groups_are_counted_apart_and_ignore_case_and_spelling() -> None:
    rule = correlation("event_count", ["failed"], ("gte", 2), by=["User", "Type"])
    hits = [
        hit("failed", 1, User="LAN", Type=3),
        hit("failed", 2, User="lan", Type="3"),
        hit("failed", 3, User="hoa", Type=3),
        hit("failed", 4, User="lan", Type=10),
    ]

    (found,) = run(rule, hits)

    assert found.group == {"User": "LAN", "Type": 3}
    assert found.count == 2


def test_hits_without_time_or_group_or_value_are_dropped_and_counted() -> None:
    rule = correlation("value_sum", ["upload"], ("gt", 1), by=["User"], fields=["bytes"])
    correlator = Correlator([rule], DEFAULT_LIMITS)
    hits = [
        hit("upload", None, User="lan", bytes=5),
        hit("upload", 1, bytes=5),
        hit("upload", 2, User=None, bytes=5),
        hit("upload", 3, User="lan"),
        hit("upload", 4, User="lan", bytes="many"),
        hit("upload", 5, User="lan", bytes=5),
        hit("other", 6),
    ]

    found = [*(one for each in hits for one in correlator.feed(each)), *correlator.finish()]

    assert [one.count for one in found] == [1]
    assert correlator.dropped == {
        ("upload", "no-time"): 1,
        ("correlation", "no-group-field"): 2,
        ("correlation", "no-value"): 2,
    }


def test_an_event_that_satisfies_two_of_the_rules_counts_once() -> None:
    rule = correlation("event_count", ["failed", "failed-ntlm"], ("gte", 2))
    twice = [hit("failed", 1, position=4), hit("failed-ntlm", 1, position=4)]

    assert run(rule, twice) == []
    assert run(rule, [*twice, hit("failed", 1, position=5)])[0].count == 2


def test_password_spraying_is_many_accounts_from_one_address() -> None:
    rule = correlation("value_count", ["failed"], ("gte", 20), by=["IpAddress"], fields=["User"])
    spray = [hit("failed", n, IpAddress="10.0.0.9", User=f"user{n % 25}") for n in range(50)]
    one_user = [hit("failed", n + 0.5, IpAddress="10.0.0.7", User="lan") for n in range(50)]

    (found,) = run(rule, sorted(spray + one_user, key=lambda one: one.time or 0))

    assert found.group == {"IpAddress": "10.0.0.9"}
    assert (found.value, found.count) == (25.0, 50)


def test_a_port_scan_is_many_pairs_of_host_and_port() -> None:
    rule = correlation("value_count", ["conn"], ("gte", 6), by=["src"], fields=["dst", "port"])
    hits = [
        hit("conn", n, src="10.0.0.9", dst=f"10.0.1.{n % 2}", port=p)
        for n, p in enumerate((1, 1, 2, 2, 3, 3, 3))
    ]

    (found,) = run(rule, hits)

    assert found.value == 6.0


def test_exfiltration_is_much_in_sum_whatever_the_size_of_each_upload() -> None:
    rule = correlation("value_sum", ["upload"], ("gt", 1_000_000), by=["host"], fields=["bytes"])
    slow = [hit("upload", 400 * n, host="ws1", bytes=900_000) for n in range(5)]
    fast = [hit("upload", 400 * n + m, host="ws2", bytes="300000.5") for n in range(1) for m in range(1, 5)]

    (found,) = run(rule, sorted(slow + fast, key=lambda one: one.time or 0))

    assert found.group == {"host": "ws2"}
    assert found.value == 1_200_002.0


def test_a_sum_is_exact_after_large_numbers_have_left_the_window() -> None:
    rule = correlation("value_sum", ["upload"], ("eq", 0.75), fields=["bytes"])
    hits = [hit("upload", 0, bytes=1e18), hit("upload", 1, bytes=0.1), hit("upload", 500, bytes=0.25)]

    (found,) = run(rule, [*hits, hit("upload", 501, bytes=0.5)])

    assert found.count == 2


def test_averages_are_judged_when_the_window_is_full() -> None:
    rule = correlation("value_avg", ["conn"], ("gt", 500), fields=["bytes"])

    assert run(rule, [hit("conn", 0, bytes=600), hit("conn", 1, bytes=100)]) == []
    assert run(rule, [hit("conn", 0, bytes=100), hit("conn", 1, bytes=1000)])[0].value == 550.0


@pytest.mark.parametrize(
    ("type_", "percentile", "expected"),
    [
        ("value_median", 0, 25.0),
        ("value_percentile", 50, 25.0),
        ("value_percentile", 0, 10.0),
        ("value_percentile", 100, 40.0),
        ("value_percentile", 90, 37.0),
    ],
)
def test_percentiles_interpolate_between_ranks(type_: str, percentile: float, expected: float) -> None:
    rule = correlation(type_, ["conn"], ("gt", 0), fields=["ms"], percentile=percentile)

    (found,) = run(rule, [hit("conn", n, ms=value) for n, value in enumerate((40, 10, 30, 20))])

    assert found.value == expected


def test_brute_force_then_success_is_found_though_the_failures_go_on() -> None:
    rules = [
        replace(BRUTE_FORCE, info=BRUTE_FORCE.info),
        correlation("temporal_ordered", ["brute-force", "success"], by=["User"], key="broken-in"),
    ]
    failures = [hit("failed", n, User="lan") for n in range(100)]
    other = [hit("success", 12.5, User="hoa")]
    success = [hit("success", 42.5, User="lan")]

    brute_force, broken_in = run(rules, sorted(failures + other + success, key=lambda one: one.time or 0))

    assert (brute_force.rule.info.key, brute_force.count) == ("brute-force", 100)
    assert broken_in.group == {"User": "lan"}
    assert broken_in.count == 2
    assert broken_in.time_first == 9 * SECOND
    assert broken_in.time_last == 42.5 * SECOND
    assert broken_in.members[0].finding is brute_force
    assert broken_in.members[-1].finding == "success@42.5#0"


def test_the_worked_example_of_the_documentation() -> None:
    rules = [
        BRUTE_FORCE,
        correlation(
            "temporal_ordered", ["brute-force", "success"], by=["User"], span=10 * MINUTE, key="broken-in"
        ),
    ]
    hits = [hit("failed", n, User="lan") for n in range(600)]
    hits += [
        hit("failed", 30.5, User="hoa"),
        hit("failed", 40.5, User="hoa"),
        hit("success", 432.5, User="LAN"),
    ]

    brute_force, broken_in = run(rules, sorted(hits, key=lambda one: one.time or 0))

    assert (brute_force.count, brute_force.value, brute_force.time_met) == (600, 301.0, 9 * SECOND)
    assert (broken_in.count, broken_in.group) == (2, {"User": "lan"})
    assert (broken_in.time_first, broken_in.time_last) == (9 * SECOND, 432.5 * SECOND)


def test_success_before_brute_force_is_not_brute_force_then_success() -> None:
    rules = [
        BRUTE_FORCE,
        correlation("temporal_ordered", ["brute-force", "success"], by=["User"], key="broken-in"),
    ]
    hits = [hit("success", 0, User="lan"), *(hit("failed", 1 + n, User="lan") for n in range(10))]

    assert [one.rule.info.key for one in run(rules, hits)] == ["brute-force"]


def test_a_correlation_that_does_not_generate_feeds_others_and_reports_nothing() -> None:
    inner = correlation("event_count", ["failed"], ("gte", 3), by=["User"], key="inner", generate=False)
    outer = correlation("event_count", ["inner"], ("gte", 2), span=60 * MINUTE, key="outer")
    hits = [hit("failed", 600 * burst + n, User="lan") for burst in range(2) for n in range(50)]

    (found,) = run([outer, inner], hits)

    assert found.rule is outer
    assert found.count == 2
    assert [member.finding.count for member in found.members] == [50, 50]
    assert [member.time for member in found.members] == [2 * SECOND, 602 * SECOND]


def test_temporal_needs_all_rules_in_any_order_within_the_timespan() -> None:
    rule = correlation("temporal", ["whoami", "net", "nltest"], by=["host"])
    hits = [hit("nltest", 1, host="ws1"), hit("whoami", 2, host="ws1"), hit("net", 4, host="ws2")]

    assert run(rule, hits) == []
    assert run(rule, [*hits, hit("net", 302, host="ws1")]) == []
    assert run(rule, [*hits, hit("net", 301, host="ws1")])[0].count == 3


def test_temporal_may_ask_for_some_of_the_rules() -> None:
    rule = correlation("temporal", ["a", "b", "c"], ("gte", 2))

    assert run(rule, [hit("a", 1), hit("a", 2)]) == []
    assert run(rule, [hit("a", 1), hit("c", 2)])[0].count == 2


def test_temporal_ordered_needs_a_later_event_for_each_step() -> None:
    rule = correlation("temporal_ordered", ["a", "b"])

    assert run(rule, [hit("b", 1), hit("a", 2)]) == []
    assert run(rule, [hit("a", 1, position=3), hit("b", 1, position=3)]) == []
    assert run(rule, [hit("a", 1, position=3), hit("b", 1, position=4)])[0].count == 2
    assert run(rule, [hit("a", 1), hit("b", 302)]) == []


def test_temporal_ordered_may_name_a_rule_twice() -> None:
    rule = correlation("temporal_ordered", ["a", "a", "b"])

    assert run(rule, [hit("a", 1), hit("b", 2)]) == []
    assert len(run(rule, [hit("a", 1), hit("a", 2), hit("b", 3)])) == 1


def test_an_expression_with_not_waits_until_the_timespan_has_passed() -> None:
    expression = ("and", ("rule", "stopped"), ("not", ("rule", "started")))
    rule = correlation("temporal", ["stopped", "started"], by=["service"], expression=expression)
    restarted = [hit("stopped", 1, service="edr"), hit("started", 100, service="edr")]

    assert run(rule, restarted) == []
    (found,) = run(rule, [*restarted, hit("stopped", 500, service="edr")])
    assert (found.time_first, found.count) == (500 * SECOND, 1)


def test_an_ordered_expression_orders_what_it_needs() -> None:
    expression = ("and", ("or", ("rule", "phish"), ("rule", "usb")), ("rule", "shell"))
    rule = correlation("temporal_ordered", ["phish", "usb", "shell"], expression=expression)

    assert len(run(rule, [hit("usb", 1), hit("shell", 2)])) == 1
    assert run(rule, [hit("shell", 1), hit("phish", 2)]) == []


def test_too_few_is_judged_when_the_window_is_full() -> None:
    rule = correlation("event_count", ["heartbeat"], ("lt", 3), by=["host"])
    steady = [hit("heartbeat", 100 * n, host="ws1") for n in range(30)]
    failing = [hit("heartbeat", 100 * n, host="ws2") for n in range(10)]
    failing += [hit("heartbeat", 1400, host="ws2"), hit("heartbeat", 1600, host="ws2")]

    (found,) = run(rule, sorted(steady + failing, key=lambda one: one.time or 0))

    assert found.group == {"host": "ws2"}
    assert (found.count, found.value) == (2, 2.0)


def test_a_range_is_not_met_on_the_way_to_more() -> None:
    rule = correlation("event_count", ["failed"], ("gt", 4), ("lte", 8))

    assert run(rule, [hit("failed", n) for n in range(20)]) == []
    assert run(rule, [hit("failed", n) for n in range(6)])[0].value == 6.0


def test_aliases_name_the_field_of_each_rule() -> None:
    rule = correlation(
        "temporal",
        ["error", "connection"],
        by=["inside"],
        aliases={"inside": {"error": "destination.ip", "connection": "source.ip"}},
    )
    error = Hit("error", SECOND, 1, {"destination.ip": "10.1.1.1", "source.ip": "6.6.6.6"}, None)
    there = Hit("connection", 2 * SECOND, 2, {"source.ip": "10.1.1.1"}, None)
    back = Hit("connection", 2 * SECOND, 2, {"source.ip": "6.6.6.6"}, None)

    assert run(rule, [error, back]) == []
    assert run(rule, [error, there])[0].group == {"inside": "10.1.1.1"}


def test_needed_names_the_fields_of_each_rule_through_aliases_and_chains() -> None:
    inner = correlation("value_count", ["failed"], ("gt", 5), by=["ip"], fields=["User"], key="inner")
    outer = correlation(
        "temporal",
        ["inner", "success"],
        by=["address", "host"],
        aliases={"address": {"inner": "ip", "success": "src"}},
        key="outer",
    )

    needed = Correlator([outer, inner], DEFAULT_LIMITS).needed

    assert needed == {"failed": {"ip", "User", "host"}, "success": {"src", "host"}}


def test_a_field_outside_the_inner_group_is_that_of_the_hit_that_met_the_condition() -> None:
    inner = correlation("event_count", ["failed"], ("gte", 2), by=["host"], key="inner", generate=False)
    outer = correlation("temporal_ordered", ["inner", "success"], by=["User"], key="outer")
    hits = [hit("failed", 1, host="ws1", User="hoa"), hit("failed", 2, host="ws1", User="lan")]

    assert run([inner, outer], [*hits, hit("success", 3, User="hoa")]) == []
    assert run([inner, outer], [*hits, hit("success", 3, User="lan")])[0].group == {"User": "lan"}


def test_a_chain_keeps_its_windows_until_its_own_late_members_are_known() -> None:
    absent = ("not", ("rule", "a"))
    rules = [
        correlation("temporal", ["a"], span=8 * SECOND, expression=absent, key="inner"),
        correlation("value_avg", ["a", "inner"], ("gte", 1), span=SECOND, fields=["n"], key="middle"),
        correlation("event_count", ["a", "middle"], ("gte", 2), span=SECOND, key="outer"),
    ]

    (found,) = run(rules, [hit("a", 0, n=0), hit("a", 0.5, n=1), hit("a", 8.5, n=0)])

    assert (found.rule.info.key, found.count) == ("outer", 2)
