"""Which rules are reported, and what they say of one event in whatever shape it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import haidang
from haidang.errors import ConfigurationError
from haidang.scanning._ruleset import Selection

from .material import CHANNEL, event, write_log, write_rules

if TYPE_CHECKING:
    from pathlib import Path

TOOL, SHELL, MANY = "Tool", "Shell", "Many tools [by user]"


@pytest.mark.parametrize(
    ("selection", "titles"),
    [
        (Selection(), {TOOL, SHELL, MANY}),
        (Selection(min_level="high"), {TOOL, MANY}),
        (Selection(min_level="critical"), {MANY}),
        (Selection(statuses=("test",)), {SHELL}),
        (Selection(statuses=("test", "stable")), {TOOL, SHELL, MANY}),
        (Selection(tags=("attack.t1059",)), {TOOL}),
        (Selection(tags=("ATTACK.*",)), {TOOL, SHELL}),
        (Selection(include=("tool",)), {TOOL}),
        (Selection(include=("00000000-*",)), {TOOL, SHELL, MANY}),
        (Selection(include=("00000000-0000-0000-0000-000000000002",)), {SHELL}),
        (Selection(include=("many*",)), {MANY}),
        (Selection(include=(MANY,)), {MANY}),
        (Selection(exclude=("*l*",)), set()),
        (Selection(exclude=("shell", MANY)), {TOOL}),
        (Selection(min_level="low", exclude=("tool",), tags=("attack.execution",)), set()),
    ],
)
def test_a_selection_says_which_rules_are_reported(
    tmp_path: Path, selection: Selection, titles: set[str]
) -> None:
    rules = haidang.load_rules(write_rules(tmp_path), selection=selection, cache=False)
    assert {info.title for info in rules} == titles
    assert len(rules) == len(titles)


def test_a_level_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="extreme"):
        haidang.load_rules(write_rules(tmp_path), selection=Selection(min_level="extreme"), cache=False)


@pytest.mark.parametrize("selection", [Selection(min_level="critical"), Selection(exclude=("tool",))])
def test_rules_that_are_not_reported_still_feed_a_correlation(tmp_path: Path, selection: Selection) -> None:
    rules = haidang.load_rules(write_rules(tmp_path), selection=selection, cache=False)
    log = write_log(tmp_path / "log.jsonl", [event(at) for at in range(4)])
    assert {finding.rule.title for finding in haidang.scan(log, rules=rules)} == {MANY}


def test_without_a_path_the_built_in_rules_are_loaded() -> None:
    assert len(haidang.load_rules(cache=False)) >= 20


def test_what_cannot_be_supported_is_named_with_its_place(tmp_path: Path) -> None:
    text = "title: Bad\nlogsource: {product: windows}\ndetection: {s: {F|nonsense: a}, condition: s}\n"
    rules = haidang.load_rules(write_rules(tmp_path, text), cache=False)
    assert len(rules) == 0
    (refused,) = rules.refused
    assert "rules.yml" in str(refused)
    assert "nonsense" in str(refused)


DATA = {"Image": "C:\\x\\tool.exe", "User": "lan"}
SYSTEM = {"EventID": 1, "Channel": CHANNEL, "Computer": "h1"}
SHAPES: dict[str, dict[str, Any]] = {
    "flat": {**DATA, "EventID": 1, "Channel": CHANNEL, "Hostname": "h1"},
    "event": {"Event": {"System": SYSTEM, "EventData": DATA}},
    "attributes": {"Event": {"System": {**SYSTEM, "EventID": {"#text": "1"}}, "EventData": DATA}},
    "winlogbeat": {"winlog": {"event_id": 1, "channel": CHANNEL, "computer_name": "h1", "event_data": DATA}},
    "elastic": {"_source": {**DATA, "EventID": 1, "Channel": CHANNEL, "Hostname": "h1"}},
    "splunk": {"result": {**DATA, "EventCode": "1", "LogName": CHANNEL, "ComputerName": "h1"}},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_event_matches_in_every_shape(tmp_path: Path, shape: str) -> None:
    rules = haidang.load_rules(write_rules(tmp_path), cache=False)
    (finding,) = rules.match(SHAPES[shape])
    assert (finding.rule.title, finding.origin, finding.host) == (TOOL, "windows", "h1")
    assert finding.event == {"Image": "C:\\x\\tool.exe"}


def test_an_event_whose_origin_is_said_is_not_recognised_again(tmp_path: Path) -> None:
    rules = haidang.load_rules(write_rules(tmp_path), cache=False)
    flat = {**DATA, "EventID": 1, "Channel": CHANNEL}
    assert [finding.rule.title for finding in rules.match(flat, "windows")] == [TOOL]
    assert rules.match(flat, "zeek") == []


@pytest.mark.parametrize("odd", [{}, {"a": None}, {"Event": None}, {"Event": {"System": []}}, {"winlog": 1}])
def test_an_odd_event_matches_nothing_and_raises_nothing(tmp_path: Path, odd: dict[str, Any]) -> None:
    assert haidang.load_rules(write_rules(tmp_path), cache=False).match(odd) == []
