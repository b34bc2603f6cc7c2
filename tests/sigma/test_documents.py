"""What is refused, noted or skipped in a rule file, with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.sigma.ir import LogSource
from haidang.sigma.loading import rules_from_text

if TYPE_CHECKING:
    from haidang.errors import RuleError

GOOD = """title: Good
id: 0d5b1f3c-2a0e-4b8c-9d1e-111111111111
status: test
level: high
tags: [attack.execution, attack.t1059]
author: Somebody
date: 2024-01-02
references: ['https://example.org/a']
falsepositives: [Administrators]
description: |
  Says what it is.
logsource: {product: windows, category: process_creation}
detection:
  selection:
    Image|endswith: '\\\\a.exe'
  condition: selection
"""


def refusal(text: str) -> RuleError:
    loaded = rules_from_text(text, path="rule.yml")
    (error,) = loaded.refused
    assert loaded.infos == ()
    return error


def detection(body: str) -> str:
    lines = "".join(f"  {line}\n" for line in body.splitlines())
    return f"title: Test\nlogsource: {{product: windows}}\ndetection:\n{lines}"


def test_what_people_know_of_a_rule_is_kept() -> None:
    (info,) = rules_from_text(GOOD, path="rule.yml").infos
    assert info.key == info.id == "0d5b1f3c-2a0e-4b8c-9d1e-111111111111"
    assert (info.title, info.level, info.status) == ("Good", "high", "test")
    assert info.tags == ("attack.execution", "attack.t1059")
    assert (info.author, info.date, info.modified) == ("Somebody", "2024-01-02", "")
    assert info.references == ("https://example.org/a",)
    assert info.falsepositives == ("Administrators",)
    assert info.description == "Says what it is."
    assert (info.path, info.line) == ("rule.yml", 1)
    assert info.generate
    assert not info.correlation


def test_a_logsource_is_compared_without_case() -> None:
    loaded = rules_from_text(GOOD.replace("product: windows", "product: Windows"))
    assert list(loaded.groups) == [LogSource("windows", "process_creation", "")]


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("s:\n  F|konteins: a\ncondition: s", 5, "unknown modifier 'konteins'"),
        ("s:\n  F: a", 3, "the condition is missing"),
        ("s:\n  F: a\ncondition:", 3, "the condition is missing"),
        ("s:\n  F: a\ncondition: t", 6, "names 't'"),
        ("s:\n  F: a\ncondition: 1 of t*", 6, "fits no detection"),
        ("s:\n  F: a\ncondition: s |count() > 5", 6, "write a correlation rule"),
        ("s:\n  F: a\ncondition: 5", 6, "must be a text"),
        ("s:\n  F: a\ncondition: []", 6, "must be a text"),
        ("s:\n  F: a\ntimeframe: 5m\ncondition: s", 6, "write a correlation rule"),
        ("s: []\ncondition: s", 4, "a selection is empty"),
        ("s: {}\ncondition: s", 4, "a selection is empty"),
        ("s:\n  - F: a\n  - {}\ncondition: s", 6, "a selection is empty"),
        ("s:\n  F: []\ncondition: s", 5, "an empty list of values matches nothing"),
        ("s:\n  - a\n  - ''\ncondition: s", 6, "an empty keyword"),
        ("s:\n  '|all': [a, '']\ncondition: s", 5, "an empty keyword"),
        ("s:\ncondition: s", 4, "an empty keyword"),
        ("s:\n  F:\n    G: a\ncondition: s", 5, "a value cannot be a dict"),
        ("s:\n  F:\n    - a\n    - [b]\ncondition: s", 7, "a value cannot be a list"),
        ("s:\n  F|re: '('\ncondition: s", 5, "regular expression"),
        ("s:\n  F|re: 5\ncondition: s", 5, "the modifier 're' needs a text"),
        ("s:\n  F|contains|re: a\ncondition: s", 5, "unmodified values"),
        ("s:\n  F|cidr: 10.0.0.1/8\ncondition: s", 5, "host bits"),
        ("s:\n  F|cidr: x\ncondition: s", 5, "CIDR"),
        ("s:\n  F|contains: 5\ncondition: s", 5, "'contains'"),
        ("s:\n  F|lt: a\ncondition: s", 5, "'lt'"),
        ("s:\n  F|gt|hour: 5\ncondition: s", 5, "'hour'"),
        ("s:\n  F|exists: 'yes'\ncondition: s", 5, "'exists'"),
        ("s:\n  F|i: a\ncondition: s", 5, "'i"),
        ("s:\n  F|base64: 'a*'\ncondition: s", 5, "wildcards"),
        ("s:\n  F|base64offset: a\ncondition: s", 5, "at least two bytes"),
        ("s:\n  F|windash: ' -a -b -c -d'\ncondition: s", 5, "windash"),
        ("s:\n  F|expand: 'x%nobody%'\ncondition: s", 5, "no values are given for the placeholder %nobody%"),
        ("s:\n  F|fieldref: 'a*'\ncondition: s", 5, "wildcards"),
        ("s:\n  '|fieldref': a\ncondition: s", 4, "needs a field"),
        ("s:\n  '|exists': true\ncondition: s", 5, "must be applied to field"),
        ("condition: s", 3, "holds no selection"),
        ("s:\n  F: a\n  F: b\ncondition: s", 6, "'F' occurs twice"),
    ],
)
def test_a_detection_that_cannot_be_supported_is_refused_on_its_line(
    body: str, line: int, reason: str
) -> None:
    error = refusal(detection(body))
    assert reason in error.reason
    assert (error.path, error.line) == ("rule.yml", line)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("logsource: {product: a}\ndetection: {s: {F: a}, condition: s}", 1, "the title is missing"),
        (
            "title: 5\nlogsource: {product: a}\ndetection: {s: {F: a}, condition: s}",
            1,
            "the title is missing",
        ),
        ("title: a\ndetection: {s: {F: a}, condition: s}", 1, "the logsource is missing"),
        ("title: a\nlogsource: x\ndetection: {s: {F: a}, condition: s}", 2, "the logsource must be a map"),
        ("title: a\nlogsource: {}\ndetection: {s: {F: a}, condition: s}", 2, "names no product"),
        ("title: a\nlogsource:\n  product: [b]\ndetection: {s: {F: a}, condition: s}", 3, "must be a text"),
        ("title: a\nlogsource: {product: b}", 1, "the detection section is missing"),
        ("title: a\nlogsource: {product: b}\ndetection: [a]", 3, "must be a map"),
        ("title: a\nlogsource: {product: b}\naction: explode", 3, "unknown action 'explode'"),
        ("title: a\nlogsource: [\n", 3, "not valid YAML"),
        (
            "title: a\nlogsource: {product: b}\ndetection: {s: {F: a}, condition: s}\n---\n- a\n",
            5,
            "map of keys",
        ),
    ],
)
def test_a_document_that_cannot_be_supported_is_refused_on_its_line(
    text: str, line: int, reason: str
) -> None:
    loaded = rules_from_text(text, path="rule.yml")
    (error,) = loaded.refused
    assert reason in error.reason
    assert (error.path, error.line) == ("rule.yml", line)


def test_a_refusal_names_the_rule() -> None:
    error = refusal(detection("s:\n  F|x: a\ncondition: s"))
    assert error.rule == "Test"
    assert str(error) == "rule.yml:5: Test: unknown modifier 'x'"


def test_all_refusals_of_a_file_are_given_at_once_and_the_rest_is_used() -> None:
    bad = detection("s:\n  F|x: a\ncondition: s")
    loaded = rules_from_text(f"{bad}---\n{GOOD}---\n{bad}", path="rule.yml")
    assert [info.title for info in loaded.infos] == ["Good"]
    assert [error.line for error in loaded.refused] == [5, 29]


def test_a_second_rule_of_the_same_id_is_refused() -> None:
    loaded = rules_from_text(GOOD + "---\n" + GOOD.replace("title: Good", "title: Again"), path="rule.yml")
    assert [info.title for info in loaded.infos] == ["Good"]
    (error,) = loaded.refused
    assert (error.rule, error.line) == ("Again", 18)
    assert "already belongs to 'Good'" in error.reason


def test_rules_without_id_are_told_apart_by_their_place() -> None:
    text = detection("s: {F: a}\ncondition: s")
    first, second = rules_from_text(text + "---\n" + text, path="rule.yml").infos
    assert first.key != second.key
    assert (first.id, second.id) == ("", "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("level: extreme", "level 'extreme'"),
        ("status: great", "status 'great'"),
        ("id: abc", "'abc' is not a UUID"),
    ],
)
def test_what_is_odd_about_a_rule_is_noted_and_the_rule_used(line: str, reason: str) -> None:
    loaded = rules_from_text(detection("s: {F: a}\ncondition: s") + line, path="rule.yml")
    assert loaded.refused == ()
    (info,) = loaded.infos
    assert info.level == "medium"
    (note,) = loaded.notes
    assert reason in note.reason
    assert note.line == 6


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "just text", "a: 1\nb: [2]\n", "- 1\n- 2\n", "---\n---\n"]
)
def test_yaml_that_is_no_rule_is_skipped_and_counted(text: str) -> None:
    loaded = rules_from_text(text)
    assert (loaded.skipped, loaded.files) == (1, 1)
    assert (loaded.infos, loaded.refused) == ((), ())


COLLECTION = """action: global
title: Shared
level: high
logsource: {product: windows}
detection:
  condition: s
---
id: 00000000-0000-0000-0000-000000000001
detection:
  s: {F: a}
---
action: repeat
id: 00000000-0000-0000-0000-000000000002
detection:
  s: {F: b}
---
action: reset
---
title: Alone
id: 00000000-0000-0000-0000-000000000003
logsource: {category: proxy}
detection:
  s: {F: c}
  condition: s
"""


def test_a_collection_shares_repeats_and_resets() -> None:
    loaded = rules_from_text(COLLECTION)
    assert loaded.refused == ()
    rules = [rule for group in loaded.groups.values() for rule in group]
    assert [(rule.info.title, rule.info.level, rule.info.line) for rule in rules] == [
        ("Shared", "high", 8),
        ("Shared", "high", 12),
        ("Alone", "medium", 19),
    ]
    assert [rule.condition[1][2] for rule in rules] == [("a",), ("b",), ("c",)]


@settings(deadline=None)
@given(st.text(alphabet="abF:|{}[]'-*?\\ \n%0", max_size=80))
def test_no_detection_whatever_it_holds_raises(body: str) -> None:
    loaded = rules_from_text(detection(body))
    assert loaded.files == 1
    assert len(loaded.infos) + len(loaded.refused) + loaded.skipped >= 1


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(
        ["contains", "re", "cidr", "windash", "base64offset", "lt", "hour", "expand", "exists", "wide", ""]
    ),
)
def test_no_value_raises_with_any_modifier(value: object, modifier: str) -> None:
    import json

    key = f"F|{modifier}" if modifier else "F"
    text = json.dumps({"s": {key: value}, "condition": "s"})
    loaded = rules_from_text(f"title: a\nlogsource: {{product: b}}\ndetection: {text}\n")
    assert len(loaded.infos) + len(loaded.refused) == 1
