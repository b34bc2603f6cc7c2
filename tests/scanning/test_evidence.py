"""What a finding says of why its rule held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import haidang

from .material import event, write_rules

if TYPE_CHECKING:
    from pathlib import Path

RULE = "title: R\nlogsource: {{product: windows, category: process_creation}}\ndetection:\n{detection}\n"
COMMAND = "cmd.exe /c Whoami /all"


def matched(tmp_path: Path, detection: str, **fields: Any) -> list[tuple[str, Any, str]]:
    rules = haidang.load_rules(write_rules(tmp_path, RULE.format(detection=detection)), cache=False)
    assert rules.refused == ()
    (finding,) = rules.match(event(1, CommandLine=COMMAND, **fields))
    return [(one.field, one.value, one.test) for one in finding.matched]


@pytest.mark.parametrize(
    ("selection", "value", "words"),
    [
        ("CommandLine: 'CMD.exe /c whoami /all'", COMMAND, "equals 'CMD.exe /c whoami /all'"),
        ("CommandLine|contains: whoami", COMMAND, "contains 'whoami'"),
        ("CommandLine|startswith: cmd", COMMAND, "startswith 'cmd'"),
        ("CommandLine|endswith: /all", COMMAND, "endswith '/all'"),
        ("CommandLine|contains|cased: Whoami", COMMAND, "contains 'Whoami' (cased)"),
        ("CommandLine: 'cmd*who?mi*'", COMMAND, "matches 'cmd*who?mi*'"),
        ("CommandLine|re: 'W\\w+i'", COMMAND, "re 'W\\w+i'"),
        ("CommandLine|re|i: 'w\\w+I'", COMMAND, "re|i 'w\\w+I'"),
        ("CommandLine|exists: true", COMMAND, "exists"),
        ("Port: 443", 443, "equals 443"),
        ("Port|gte: 443", 443, "gte 443"),
        ("Port|lt: 500.5", 443, "lt 500.5"),
        ("Signed: true", "True", "equals true"),
        ("Ip|cidr: 10.0.0.0/8", "10.1.2.3", "cidr 10.0.0.0/8"),
        ("Copy|fieldref: CommandLine", COMMAND, "equals field CommandLine"),
        ("Start|hour: 10", "2026-03-01T10:20:30Z", "hour eq 10"),
        ("Absent: null", None, "is null"),
        ("Absent|exists: false", None, "does not exist"),
    ],
)
def test_the_field_its_value_and_the_test_are_named(
    tmp_path: Path, selection: str, value: object, words: str
) -> None:
    found = matched(
        tmp_path,
        f"  s: {{{selection}}}\n  condition: s",
        Port=443,
        Signed="True",
        Ip="10.1.2.3",
        Copy=COMMAND,
        Start="2026-03-01T10:20:30Z",
    )
    assert found == [(selection.partition(":")[0].partition("|")[0], value, words)]


def test_a_keyword_names_the_value_that_holds_it_and_no_field(tmp_path: Path) -> None:
    assert matched(tmp_path, "  s: [whoami]\n  condition: s") == [("", COMMAND, "contains 'whoami'")]


def test_of_a_list_the_elements_that_held_are_named(tmp_path: Path) -> None:
    detection = "  s: {List|startswith: a}\n  condition: s"
    assert matched(tmp_path, detection, List=["b", "a1"]) == [("List", "a1", "startswith 'a'")]
    assert matched(tmp_path, detection, List=["a2", "b", "a1"]) == [("List", ["a2", "a1"], "startswith 'a'")]


def test_all_alternatives_that_held_are_named_and_no_others(tmp_path: Path) -> None:
    detection = "  s: {CommandLine|contains: [whoami, nothing, /all]}\n  condition: s"
    assert [test for _, _, test in matched(tmp_path, detection)] == ["contains 'whoami'", "contains '/all'"]


def test_what_is_negated_is_no_evidence(tmp_path: Path) -> None:
    detection = "  s: {CommandLine|contains: whoami}\n  f: {User: root}\n  condition: s and not f"
    assert matched(tmp_path, detection) == [("CommandLine", COMMAND, "contains 'whoami'")]
    assert matched(tmp_path, "  f: {User: root}\n  condition: not f") == []


def test_evidence_is_of_the_event_at_hand_also_when_its_reasons_are_remembered(tmp_path: Path) -> None:
    text = RULE.format(detection="  s: {User: [a, b]}\n  k: [word]\n  condition: 1 of them")
    rules = haidang.load_rules(write_rules(tmp_path, text), cache=False)
    for name in "abab":
        (finding,) = rules.match(event(1, User=name, CommandLine=f"word {name}"))
        assert [one.value for one in finding.matched if one.field] == [name]
        assert [one.value for one in finding.matched if not one.field] == [f"word {name}"]
