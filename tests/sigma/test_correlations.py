from __future__ import annotations

from typing import Any

import pytest

from haidang.sigma.correlations import OPERATORS, TYPES
from haidang.sigma.loading import LoadedRules, rules_from_text

A = "00000000-0000-0000-0000-00000000000a"
B = "00000000-0000-0000-0000-00000000000b"
BASES = f"""title: A
id: {A}
name: rule_a
logsource: {{product: windows}}
detection: {{s: {{F: a}}, condition: s}}
---
title: B
id: {B}
name: rule_b
logsource: {{product: windows}}
detection: {{s: {{F: b}}, condition: s}}
"""
SECOND = 10_000_000 * 100


def correlation(section: str, title: str = "C", extra: str = "") -> str:
    body = "".join(f"  {line}\n" for line in section.strip("\n").splitlines())
    return f"---\ntitle: {title}\n{extra}correlation:\n{body}"


def load(section: str) -> LoadedRules:
    return rules_from_text(BASES + correlation(section), path="rules.yml")


def one(section: str) -> Any:
    loaded = load(section)
    assert loaded.refused == ()
    (rule,) = loaded.correlations
    return rule


def test_event_count() -> None:
    rule = one(
        "type: event_count\nrules: [rule_a]\ngroup-by: [User, Host]\ntimespan: 5m\ncondition: {gte: 10}"
    )
    assert (rule.type, rule.rules, rule.group_by) == ("event_count", (A,), ("User", "Host"))
    assert (rule.timespan_ns, rule.operators) == (300 * SECOND, (("gte", 10.0),))
    assert (rule.value_fields, rule.aliases, rule.expression) == ((), {}, None)
    assert rule.info.correlation
    assert rule.info.title == "C"


@pytest.mark.parametrize("kind", ["value_count", "value_sum", "value_avg", "value_median"])
def test_types_over_the_values_of_a_field(kind: str) -> None:
    rule = one(f"type: {kind}\nrules: rule_a\ntimespan: 1h\ncondition: {{gt: 2.5, field: Bytes}}")
    assert (rule.type, rule.value_fields, rule.operators) == (kind, ("Bytes",), (("gt", 2.5),))


def test_value_count_over_several_fields() -> None:
    rule = one("type: value_count\nrules: rule_a\ntimespan: 1h\ncondition: {gt: 2, field: [a, b]}")
    assert rule.value_fields == ("a", "b")


def test_value_percentile() -> None:
    rule = one(
        "type: value_percentile\nrules: rule_a\ntimespan: 1d\ncondition: {gte: 5, field: x, percentile: 95}"
    )
    assert (rule.percentile, rule.timespan_ns) == (95.0, 86400 * SECOND)


def test_a_range_is_two_operators() -> None:
    rule = one("type: event_count\nrules: rule_a\ntimespan: 1m\ncondition:\n  gte: 5\n  lt: 10")
    assert rule.operators == (("gte", 5.0), ("lt", 10.0))


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator(operator: str) -> None:
    rule = one(f"type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {{{operator}: 3}}")
    assert rule.operators == ((operator, 3.0),)


@pytest.mark.parametrize("kind", ["temporal", "temporal_ordered"])
def test_temporal_keeps_the_order_of_its_rules(kind: str) -> None:
    rule = one(f"type: {kind}\nrules: [rule_b, {A}]\ntimespan: 30s")
    assert (rule.type, rule.rules, rule.operators, rule.expression) == (kind, (B, A), (), None)


def test_temporal_with_an_expression() -> None:
    rule = one("type: temporal\nrules: [rule_a, rule_b]\ntimespan: 30s\ncondition: rule_a and not rule_b")
    assert rule.expression == ("and", ("rule", A), ("not", ("rule", B)))


def test_an_expression_may_name_the_rules_alone() -> None:
    rule = one("type: temporal\ntimespan: 30s\ncondition: rule_b or rule_a")
    assert (rule.rules, rule.expression) == ((B, A), ("or", ("rule", B), ("rule", A)))


@pytest.mark.parametrize(
    ("timespan", "seconds"),
    [("1s", 1), ("2m", 120), ("3h", 10800), ("1d", 86400), ("1w", 604800), ("1M", 2629746), ("1y", 31556952)],
)
def test_timespans(timespan: str, seconds: int) -> None:
    rule = one(f"type: event_count\nrules: rule_a\ntimespan: {timespan}\ncondition: {{gte: 1}}")
    assert rule.timespan_ns == seconds * SECOND


def test_aliases_lead_from_rules_to_their_fields() -> None:
    rule = one(
        "type: temporal\nrules: [rule_a, rule_b]\ntimespan: 1m\ngroup-by: ip\n"
        "aliases:\n  ip:\n    rule_a: SourceIp\n    rule_b: IpAddress"
    )
    assert rule.aliases == {"ip": {A: "SourceIp", B: "IpAddress"}}
    assert rule.group_by == ("ip",)


def generating(loaded: LoadedRules) -> dict[str, bool]:
    return {info.title: info.generate for info in loaded.infos}


def test_a_rule_that_only_feeds_a_correlation_reports_nothing_by_itself() -> None:
    loaded = load("type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1}")
    assert generating(loaded) == {"A": False, "B": True, "C": True}
    assert [rule.info.generate for group in loaded.groups.values() for rule in group] == [False, True]


def test_generate_lets_the_rule_report() -> None:
    loaded = load("type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1}\ngenerate: true")
    assert generating(loaded) == {"A": True, "B": True, "C": True}


def test_one_correlation_that_generates_is_enough() -> None:
    section = "type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1}\n"
    text = BASES + correlation(section) + correlation(section + "generate: true", "D")
    assert generating(rules_from_text(text))["A"]


def test_correlations_are_chained_in_any_order_of_the_file() -> None:
    outer = correlation("type: temporal\nrules: [inner, rule_b]\ntimespan: 1h", "Outer")
    inner = correlation(
        "type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 5}", "Inner", "name: inner\n"
    )
    loaded = rules_from_text(BASES + outer + inner)
    assert loaded.refused == ()
    by_title = {rule.info.title: rule for rule in loaded.correlations}
    assert by_title["Outer"].rules == (by_title["Inner"].info.key, B)
    assert generating(loaded) == {"A": False, "B": False, "Inner": False, "Outer": True}
    assert not by_title["Inner"].info.generate


VALUES = "type: value_percentile\nrules: rule_a\ntimespan: 1m\n"
COUNT = "type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1}\n"


@pytest.mark.parametrize(
    ("section", "line", "reason"),
    [
        ("rules: rule_a", 14, "the correlation type is missing"),
        ("type: event_sum\nrules: rule_a", 15, "'event_sum' is no correlation type"),
        ("type: event_count\ntimespan: 1m\ncondition: {gte: 1}", 14, "names no rules"),
        ("type: event_count\nrules: [5]\ntimespan: 1m\ncondition: {gte: 1}", 16, "must be a text or a list"),
        ("type: event_count\nrules: nobody\ntimespan: 1m\ncondition: {gte: 1}", 16, "'nobody' is not loaded"),
        ("type: event_count\nrules: rule_a\ncondition: {gte: 1}", 14, "no timespan"),
        ("type: event_count\nrules: rule_a\ntimespan: 0m\ncondition: {gte: 1}", 17, "is no timespan"),
        ("type: event_count\nrules: rule_a\ntimespan: 5 minutes\ncondition: {gte: 1}", 17, "is no timespan"),
        ("type: event_count\nrules: rule_a\ntimespan: 1m", 14, "has no condition"),
        ("type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: rule_a", 18, "only temporal"),
        ("type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {field: a}", 18, "needs one of"),
        ("type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: many}", 18, "'many' is no number"),
        ("type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: .nan}", 18, "is no number"),
        (
            "type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1, field: a}",
            18,
            "takes no 'field'",
        ),
        (
            "type: event_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1, count: 2}",
            18,
            "unknown key 'count'",
        ),
        ("type: value_count\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1}", 18, "needs a 'field'"),
        (
            "type: value_sum\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1, field: [a, b]}",
            18,
            "single field",
        ),
        (
            "type: value_percentile\nrules: rule_a\ntimespan: 1m\ncondition: {gte: 1, field: a}",
            18,
            "'percentile'",
        ),
        (
            VALUES + "condition: {gte: 1, field: a, percentile: 101}",
            18,
            "'percentile'",
        ),
        (
            "type: temporal\nrules: [rule_a]\ntimespan: 1m\ncondition: rule_b",
            18,
            "do not name the same rules",
        ),
        ("type: temporal\nrules: [rule_a]\ntimespan: 1m\ncondition: rule_a and", 18, "ends too early"),
        ("type: temporal\nrules: [rule_a]\ntimespan: 1m\ncondition: 1 of rule_*", 18, "and, or, not"),
        (COUNT + "group_by: User", 19, "unknown key 'group_by'"),
        (COUNT + "group-by: {a: b}", 19, "must be a text or a list"),
        (COUNT + "generate: maybe", 19, "must be true or false"),
        (COUNT + "aliases: [a]", 19, "'aliases' must be a map"),
        (COUNT + "aliases:\n  ip: a", 20, "must map rules to fields"),
        (COUNT + "aliases:\n  ip: {rule_b: a}", 20, "does not name"),
    ],
)
def test_a_correlation_that_cannot_be_supported_is_refused_on_its_line(
    section: str, line: int, reason: str
) -> None:
    loaded = load(section)
    (error,) = loaded.refused
    assert reason in error.reason
    assert (error.path, error.line, error.rule) == ("rules.yml", line, "C")
    assert loaded.correlations == ()
    assert generating(loaded) == {"A": True, "B": True}


def test_a_circle_of_correlations_is_refused() -> None:
    def link(name: str, to: str) -> str:
        section = f"type: event_count\nrules: {to}\ntimespan: 1m\ncondition: {{gte: 1}}"
        return correlation(section, name.upper(), f"name: {name}\n")

    loaded = rules_from_text(BASES + link("x", "y") + link("y", "x") + link("z", "z"))
    assert loaded.correlations == ()
    assert {error.rule for error in loaded.refused} == {"X", "Y", "Z"}


def test_a_name_of_two_rules_names_neither() -> None:
    twin = BASES.replace("name: rule_b", "name: rule_a")
    loaded = rules_from_text(twin + correlation(COUNT))
    (error,) = loaded.refused
    assert "'rule_a' is the name of several rules" in error.reason
    assert rules_from_text(twin + correlation(COUNT.replace("rule_a", A))).refused == ()


def test_what_names_a_refused_correlation_is_refused() -> None:
    broken = correlation(
        "type: event_count\nrules: nobody\ntimespan: 1m\ncondition: {gte: 1}", "I", "name: inner\n"
    )
    outer = correlation("type: temporal\nrules: [inner, rule_a]\ntimespan: 1m", "O")
    loaded = rules_from_text(BASES + broken + outer)
    assert [error.rule for error in loaded.refused] == ["I", "O"]


def test_a_long_chain_ends_in_a_refusal_not_in_a_crash() -> None:
    links = "".join(
        correlation(
            f"type: temporal\nrules: [n{number + 1}, rule_a]\ntimespan: 1m",
            f"N{number}",
            f"name: n{number}\n",
        )
        for number in range(2000)
    )
    loaded = rules_from_text(BASES + links)
    assert loaded.correlations == ()
    assert len(loaded.refused) == 2000


def test_all_types_of_the_specification_are_known() -> None:
    from sigma.correlations import SigmaCorrelationType

    assert {kind.name.lower() for kind in SigmaCorrelationType} == TYPES
