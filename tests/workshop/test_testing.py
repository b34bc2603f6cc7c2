"""Running the examples of rules: each kind of example can pass, can fail, and says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from haidang.errors import ConfigurationError
from haidang.workshop.testing import FAILED, PASSED, SKIPPED, Outcome, run_tests

if TYPE_CHECKING:
    from pathlib import Path

RULE = """title: Shell started by an editor
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001
name: editor_shell
logsource: {product: windows, category: process_creation}
detection:
  selection: {ParentImage|endswith: '\\edit.exe', Image|endswith: '\\cmd.exe'}
  condition: selection
---
title: Many shells started by an editor
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a002
correlation:
  type: event_count
  rules: [editor_shell]
  group-by: [Computer]
  timespan: 5m
  condition: {gte: 3}
"""
EVENT = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "ParentImage": "C:\\edit.exe",
    "Image": "C:\\Windows\\cmd.exe",
}
BASE = "base: {Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1, ParentImage: 'C:\\edit.exe'}\n"
HEAD = "rule: editor_shell\norigin: windows\n" + BASE
SEQUENCE = """rule: Many shells started by an editor
origin: windows
base: {{Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1, ParentImage: 'C:\\edit.exe', Computer: A}}
sequences:
  - name: shells
    fires: {fires}
    events:
      - {{event: {{Image: 'C:\\cmd.exe'}}, times: {times}, every: {every}}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "shell.yml").write_text(RULE, encoding="utf-8")
    return folder


def outcomes(rules: Path, examples: str) -> list[Outcome]:
    (rules / "shell.test.yml").write_text(examples, encoding="utf-8")
    return run_tests([str(rules)], cache=False).outcomes


@pytest.mark.parametrize(
    ("examples", "status"),
    [
        ("fires: [{Image: 'C:\\cmd.exe'}]", PASSED),
        ("fires: [{Image: 'C:\\calc.exe'}]", FAILED),
        ("quiet: [{Image: 'C:\\calc.exe'}]", PASSED),
        ("quiet: [{Image: 'C:\\cmd.exe'}]", FAILED),
    ],
)
def test_single_events_must_fire_or_be_quiet(rules: Path, examples: str, status: str) -> None:
    (outcome,) = outcomes(rules, HEAD + examples)
    assert outcome.status == status
    assert outcome.line == 4
    assert outcome.rule == "Shell started by an editor"


def test_says_by_what_a_rule_fires_that_should_not(rules: Path) -> None:
    (outcome,) = outcomes(rules, HEAD + "quiet: [{Image: 'C:\\cmd.exe'}]")
    assert outcome.message is not None
    assert "Image endswith '\\cmd.exe'" in outcome.message.text()


@pytest.mark.parametrize(
    ("fires", "times", "every", "status"),
    [
        ("true", 3, "20s", PASSED),
        ("true", 2, "20s", FAILED),
        ("false", 2, "20s", PASSED),
        ("false", 3, "20s", FAILED),
        ("false", 3, "5m", PASSED),
    ],
)
def test_sequences_run_in_the_time_that_they_say(
    rules: Path, fires: str, times: int, every: str, status: str
) -> None:
    (outcome,) = outcomes(rules, SEQUENCE.format(fires=fires, times=times, every=every))
    assert outcome.status == status


@pytest.mark.parametrize(("wanted", "status"), [(2, PASSED), (3, FAILED), (0, FAILED)])
def test_logs_give_at_least_as_many_findings_as_wanted(rules: Path, wanted: int, status: str) -> None:
    (rules / "a.json").write_text(f"{json.dumps(EVENT)}\n" * 2, encoding="utf-8")
    (outcome,) = outcomes(rules, f"rule: editor_shell\nlogs: [{{path: a.json, fires: {wanted}}}]")
    assert outcome.status == status


@pytest.mark.parametrize(
    ("form", "fires", "status"),
    [("", 1, PASSED), ("ndjson", 1, PASSED), ("", 0, FAILED), ("text", 1, FAILED), ("nosuch", 1, FAILED)],
)
def test_logs_may_be_written_in_the_examples(rules: Path, form: str, fires: int, status: str) -> None:
    log = {"text": json.dumps(EVENT), "fires": fires, **({"format": form} if form else {})}
    (outcome,) = outcomes(rules, f"rule: editor_shell\nlogs: [{json.dumps(log)}]")
    assert outcome.status == status


def test_a_log_that_is_not_there_fails(rules: Path) -> None:
    (outcome,) = outcomes(rules, "rule: editor_shell\nlogs: [{path: a.json, fires: 0}]")
    assert outcome.status == FAILED


def test_a_rule_that_is_not_loaded_fails(rules: Path) -> None:
    (outcome,) = outcomes(rules, "rule: nobody\nfires: [{Image: x}]")
    assert outcome.status == FAILED


def test_a_file_with_several_rules_wants_the_rule_named(rules: Path) -> None:
    (outcome,) = outcomes(rules, "fires: [{Image: x}]")
    assert outcome.status == FAILED


def test_examples_without_a_rule_beside_them_fail(rules: Path) -> None:
    (rules / "gone.test.yml").write_text("fires: [{Image: x}]", encoding="utf-8")
    (outcome,) = run_tests([str(rules)], cache=False).outcomes
    assert (outcome.status, outcome.name) == (FAILED, "gone.test.yml")


def test_a_refused_rule_fails_the_run(rules: Path) -> None:
    (rules / "broken.yml").write_text(
        RULE.partition("---")[0].replace("endswith", "nosuch"), encoding="utf-8"
    )
    assert run_tests([str(rules)], cache=False).failed


def test_names_the_rules_without_example(rules: Path) -> None:
    (rules / "shell.test.yml").write_text(HEAD + "quiet: [{Image: x}]", encoding="utf-8")
    run = run_tests([str(rules / "shell.test.yml")], cache=False)
    assert [info.title for info in run.untested] == ["Many shells started by an editor"]


INFO = """id: 00000000-0000-4000-8000-000000000001
date: 2026-11-30
rule_metadata:
    - id: {rule}
      title: Shell started by an editor
regression_tests_info:
    - name: Positive Detection Test
      type: json
      match_count: {count}
      path: regression_data/rules/windows/shell/{log}
"""


def regression(folder: Path, count: object = 2, rule: str = "", log: str = "shell.json") -> str:
    place = folder / "regression_data" / "rules" / "windows" / "shell"
    place.mkdir(parents=True)
    rule = rule or "6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001"
    (place / "info.yml").write_text(INFO.format(rule=rule, count=count, log=log), encoding="utf-8")
    (place / "shell.json").write_text(f"{json.dumps(EVENT)}\n" * 2, encoding="utf-8")
    return str(folder / "regression_data")


@pytest.mark.parametrize(("count", "status"), [(1, PASSED), (2, PASSED), (3, FAILED), ("null", PASSED)])
def test_regression_data_counts_are_a_minimum(
    rules: Path, tmp_path: Path, count: object, status: str
) -> None:
    run = run_tests([str(rules)], regression=[regression(tmp_path, count)], cache=False)
    assert [one.status for one in run.outcomes] == [status]


def test_regression_data_of_a_rule_that_is_not_loaded_is_skipped(rules: Path, tmp_path: Path) -> None:
    folder = regression(tmp_path, rule="00000000-0000-4000-8000-0000000000ff")
    run = run_tests([str(rules)], regression=[folder], cache=False)
    assert [one.status for one in run.outcomes] == [SKIPPED]
    assert not run.failed


def test_regression_data_cannot_lead_out_of_its_folder(rules: Path, tmp_path: Path) -> None:
    run = run_tests([str(rules)], regression=[regression(tmp_path, log="../../../../a.json")], cache=False)
    assert [one.status for one in run.outcomes] == [FAILED]


def test_recorded_regression_data_agrees(corpora: Path, tmp_path: Path) -> None:
    """The recorded logs, laid out as upstream does it; the first fifteen, for time's sake."""
    expected = json.loads((corpora / "regression" / "expected.json").read_text("utf-8"))[:15]
    for one in expected:
        folder = tmp_path / "regression_data" / "rules" / one["file"].removesuffix(".evtx")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / one["file"]).symlink_to(corpora / "regression" / one["file"])
        info = INFO.format(rule=one["rule"], count=one["match_count"] or "null", log=one["file"])
        (folder / "info.yml").write_text(info, encoding="utf-8")
    run = run_tests([str(corpora / "sigma_all_rules.zip")], regression=[str(tmp_path / "regression_data")])
    assert [one.status for one in run.outcomes] == [PASSED] * len(expected)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (
            "{Image: 'C:\\b.exe', CommandLine: x}",
            "Image endswith '\\a.exe'; CommandLine contains 'y' or contains 'z'",
        ),
        ("{Image: 'C:\\a.exe', CommandLine: y, User: SYSTEM}", "not (User equals 'SYSTEM')"),
        (
            "{EventID: 3, Image: 'C:\\a.exe', CommandLine: y}",
            "no: windows process_creation has EventID '1', and the event has 3",
        ),
    ],
)
def test_says_why_a_rule_does_not_fire(tmp_path: Path, event: str, why: str) -> None:
    (tmp_path / "a.yml").write_text(
        "title: A\nid: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a0a1\n"
        "logsource: {product: windows, category: process_creation}\n"
        "detection:\n  a: {Image|endswith: '\\a.exe', CommandLine|contains: [y, z]}\n  b: {User: SYSTEM}\n"
        "  condition: a and not b\n",
        encoding="utf-8",
    )
    (tmp_path / "a.test.yml").write_text(
        "origin: windows\nbase: {Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1}\n"
        f"fires: [{event}]\n",
        encoding="utf-8",
    )
    (outcome,) = run_tests([str(tmp_path)], cache=False).outcomes
    assert outcome.message is not None
    said = outcome.message.text()
    assert said == f"the rule does not fire on this event, and should: {why}"


def test_a_run_of_no_rule_at_all_does_not_pass(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no rule"):
        run_tests([str(tmp_path)], cache=False)
