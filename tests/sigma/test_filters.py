from __future__ import annotations

from typing import Any

import pytest

from haidang.sigma.loading import LoadedRules, rules_from_text

A = "00000000-0000-0000-0000-00000000000a"
RULES = f"""title: A
id: {A}
name: rule_a
logsource: {{product: windows, category: process_creation}}
detection: {{s: {{F: a}}, condition: s}}
---
title: B
name: rule_b
logsource: {{product: linux}}
detection: {{s: {{F: b}}, condition: s}}
"""
LOGSOURCE = "{product: windows, category: process_creation}"


def test(field: str, value: str) -> Any:
    return ("is", (field, "str", (value,), False))


test.__test__ = False  # type: ignore[attr-defined]


def with_filter(rules: str, logsource: str = LOGSOURCE, condition: str = "not f") -> LoadedRules:
    text = f"""---
title: No admins
logsource: {logsource}
filter:
  rules: {rules}
  f:
    User: admin
  condition: {condition}
"""
    return rules_from_text(RULES + text, path="rules.yml")


def conditions(loaded: LoadedRules) -> dict[str, Any]:
    assert loaded.refused == ()
    return {rule.info.title: rule.condition for group in loaded.groups.values() for rule in group}


FILTERED = ("and", test("F", "a"), ("not", test("User", "admin")))


@pytest.mark.parametrize("rules", [A, A.upper(), "rule_a", "[rule_a]", f"[{A}, other]", "any", "[]", "Any"])
def test_a_filter_is_joined_to_the_rules_that_it_names(rules: str) -> None:
    found = conditions(with_filter(rules))
    assert found == {"A": FILTERED, "B": test("F", "b")}


def test_the_fields_of_a_filtered_rule_include_those_of_the_filter() -> None:
    loaded = with_filter("any")
    (rule,) = [rule for group in loaded.groups.values() for rule in group if rule.info.title == "A"]
    assert rule.fields == ("F", "User")


@pytest.mark.parametrize("logsource", ["{product: windows}", "{category: process_creation}"])
def test_a_wider_logsource_covers_the_rule(logsource: str) -> None:
    assert conditions(with_filter("any", logsource))["A"] == FILTERED


def test_a_filter_for_another_logsource_changes_nothing_and_is_noted() -> None:
    loaded = with_filter("rule_a", "{product: windows, service: security}")
    assert conditions(loaded)["A"] == test("F", "a")
    (note,) = loaded.notes
    assert "fits no loaded rule: rule_a" in note.reason
    assert (note.rule, note.path, note.line) == ("No admins", "rules.yml", 15)


def test_a_name_that_no_rule_has_is_noted() -> None:
    (note,) = with_filter("[rule_a, gone]").notes
    assert note.reason.endswith("gone")


def test_several_filters_add_up() -> None:
    one = f"""---
title: One
logsource: {LOGSOURCE}
filter: {{rules: any, f: {{G: x}}, condition: not f}}
"""
    loaded = rules_from_text(RULES + one + one.replace("G: x", "H: y"))
    assert conditions(loaded)["A"] == (
        "and",
        test("F", "a"),
        ("not", test("G", "x")),
        ("not", test("H", "y")),
    )


def test_names_in_a_filter_do_not_touch_those_of_the_rule() -> None:
    text = f"""---
title: Same name
logsource: {LOGSOURCE}
filter: {{rules: any, s: {{G: x}}, condition: not 1 of s*}}
"""
    assert conditions(rules_from_text(RULES + text))["A"] == ("and", test("F", "a"), ("not", test("G", "x")))


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("f:\n  User: a\ncondition: not f", 14, "must say which rules"),
        ("rules: 5\nf:\n  User: a\ncondition: not f", 15, "ids or names"),
        ("rules: any\nf:\n  User|x: a\ncondition: not f", 17, "unknown modifier 'x'"),
        ("rules: any\nf:\n  User: a\ncondition: not g", 18, "names 'g'"),
        ("rules: any\nf:\n  User: a", 14, "the condition is missing"),
        ("rules: any\ncondition: not f", 14, "holds no selection"),
    ],
)
def test_a_filter_that_cannot_be_supported_is_refused_on_its_line(body: str, line: int, reason: str) -> None:
    lines = "".join(f"  {text}\n" for text in body.splitlines())
    loaded = rules_from_text(f"{RULES}---\ntitle: F\nlogsource: {LOGSOURCE}\nfilter:\n{lines}")
    (error,) = loaded.refused
    assert reason in error.reason
    assert (error.rule, error.line) == ("F", line)
