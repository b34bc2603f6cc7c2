"""An explanation agrees with the matcher, and says of each item what the event has."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import haidang
from haidang.errors import ConfigurationError
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.ir import CorrelationRule, EventRule
from haidang.sigma.loading import BUILTIN_RULES
from haidang.sigma.logsource import load_maps
from haidang.workshop.choosing import choose_rule
from haidang.workshop.examples import read_examples
from haidang.workshop.explaining import Explained, explain
from haidang.workshop.reading import ReadEvent

if TYPE_CHECKING:
    from haidang.events.model import Fields

SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}
RULE = """title: Shell started by an editor
logsource: {product: windows, category: process_creation}
detection:
  parent: {ParentImage|endswith: ['\\edit.exe', '\\note.exe']}
  shell:
    - {Image|endswith: '\\cmd.exe', CommandLine|contains|all: [' /c', 'del ']}
    - {Image|endswith: '\\sh.exe'}
  filter: {User: SYSTEM}
  condition: parent and 1 of shell* and not filter
"""


@cache
def maps() -> Any:
    return load_maps()


def explained(path: Path, event: Fields, origin: str = "windows", *more: str) -> Explained:
    one, rule, written = choose_rule(str(path), more)
    assert isinstance(rule, EventRule)
    return explain(one, rule, written, ReadEvent("log", 1, origin, event), maps())


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "rule.yml"
    path.write_text(RULE, encoding="utf-8")
    return path


RULES = sorted(
    path
    for path in BUILTIN_RULES.rglob("*.yml")
    if not path.stem.endswith(".test") and path.parent.name != "correlation"
)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_agrees_with_the_matcher_on_the_examples_of_the_pack(path: Path) -> None:
    one, rule, written = choose_rule(str(path), [])
    assert isinstance(rule, EventRule)
    ruleset = haidang.load_rules(path, cache=False)
    of_each_origin, _ = read_examples(path.with_name(f"{path.stem}.test.yml"), DEFAULT_LIMITS)
    for examples in of_each_origin:
        for single in examples.singles:
            found = ReadEvent("log", 1, examples.origin, single.event)
            fires = bool(ruleset.match(single.event, origin=examples.origin))
            assert explain(one, rule, written, found, maps()).fires is fires is single.fires


def test_says_of_each_item_what_the_event_has(rule: Path) -> None:
    event = {**SYSMON, "ParentImage": "C:\\note.exe", "Image": "C:\\cmd.exe", "CommandLine": "cmd /c dir"}
    found = explained(rule, event)
    parent, shell, _ = found.selections
    assert parent.holds
    (item,) = parent.items
    assert (item.field, item.value) == ("ParentImage", "C:\\note.exe")
    assert (item.held, item.failed) == (("endswith '\\note.exe'",), ("endswith '\\edit.exe'",))
    assert not shell.holds
    command = shell.items[0].parts[1]
    assert command.every
    assert command.failed == ("contains 'del '",)


def test_shows_the_condition_with_what_holds(rule: Path) -> None:
    event = {**SYSMON, "ParentImage": "C:\\note.exe", "Image": "C:\\sh.exe", "User": "SYSTEM"}
    found = explained(rule, event)
    ((text, tree),) = found.conditions
    assert text == "parent and 1 of shell* and not filter"
    assert (tree.word, tree.holds) == ("and", False)
    assert [(part.word, part.holds) for part in tree.parts] == [
        ("parent", True),
        ("shell", True),
        ("not", False),
    ]
    assert not found.fires


def test_says_when_the_event_is_of_another_log_source(rule: Path) -> None:
    found = explained(rule, {"Channel": "Security", "EventID": 4624, "ParentImage": "C:\\note.exe"})
    assert not found.way.reached
    assert not found.fires
    assert "EventID" in found.way.message.text()


def test_says_when_the_event_is_of_another_family(rule: Path) -> None:
    found = explained(rule, {"ParentImage": "C:\\note.exe", "Image": "C:\\sh.exe"}, "auditd")
    assert not found.way.reached
    assert "auditd" in found.way.message.text()


def test_reads_fields_where_the_logsource_map_says(rule: Path) -> None:
    event = {"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\sh.exe"}
    found = explained(rule, {**event, "ParentProcessName": "C:\\edit.exe"})
    (item,) = found.selections[0].items
    assert item.value == "C:\\edit.exe"
    assert "ParentProcessName" in item.sources
    assert found.fires


def test_a_filter_of_the_ruleset_is_told(rule: Path, tmp_path: Path) -> None:
    filters = tmp_path / "filter.yml"
    filters.write_text(
        "title: Known good\nlogsource: {product: windows, category: process_creation}\n"
        "filter: {rules: any, known: {User: backup}, condition: not known}\n",
        encoding="utf-8",
    )
    event = {**SYSMON, "ParentImage": "C:\\note.exe", "Image": "C:\\sh.exe", "User": "backup"}
    assert explained(rule, event).fires
    found = explained(rule, event, "windows", str(filters))
    assert found.filtered
    assert not found.fires


def test_refuses_a_word_that_no_rule_goes_by() -> None:
    with pytest.raises(ConfigurationError, match="there is no rule"):
        choose_rule("no such rule", [])


def test_refuses_a_filter_and_names_the_rules_that_it_is_for(rule: Path, tmp_path: Path) -> None:
    filters = tmp_path / "filter.yml"
    filters.write_text(
        "title: Known good\nlogsource: {product: windows, category: process_creation}\n"
        "filter: {rules: [some_rule], known: {User: backup}, condition: not known}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError, match="is a filter") as refused:
        choose_rule(str(filters), [str(rule)])
    assert "some_rule" in refused.value.hint


def test_chooses_the_correlation_of_a_file_that_also_holds_what_it_refers_to(rule: Path) -> None:
    rule.write_text(
        RULE.replace("logsource", "name: shell\nlogsource", 1)
        + "---\ntitle: Many shells\ncorrelation: {type: event_count, rules: [shell], "
        "timespan: 5m, condition: {gte: 3}}\n",
        encoding="utf-8",
    )
    one, chosen, _ = choose_rule(str(rule), [])
    assert one.info.title == "Many shells"
    assert isinstance(chosen, CorrelationRule)


def test_says_where_the_rules_may_be_that_a_correlation_lacks() -> None:
    with pytest.raises(ConfigurationError, match="is not loaded") as refused:
        choose_rule(str(BUILTIN_RULES / "correlation" / "guessing_then_logon.yml"), [])
    assert "--rules" in refused.value.hint


@pytest.mark.parametrize("word", ["defender_weakened", "Microsoft Defender Weakened*"])
def test_finds_a_rule_by_its_file_or_a_pattern_of_its_title(word: str) -> None:
    one, _, _ = choose_rule(word, [])
    assert Path(one.info.path).stem == "defender_weakened"


def test_asks_which_rule_is_meant_where_several_fit() -> None:
    with pytest.raises(ConfigurationError, match="several"):
        choose_rule("*", [])
