"""Each check finds what it is for, with the line, and is quiet on a rule that is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.workshop.checking import check
from haidang.workshop.checks import SEVERITIES, checks

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.workshop.checks import Issue

RIGHT = """title: Shell started by an editor
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001
status: test
description: What it is for.
references:
  - https://one.example/a
date: 2026-11-30
tags:
  - attack.execution
  - attack.t1059.003
logsource:
  product: windows
  category: process_creation
detection:
  selection:
    ParentImage|endswith: '\\edit.exe'
    Image|endswith: '\\cmd.exe'
  filter:
    CommandLine|contains: 'update'
  condition: selection and not filter
level: medium
"""
TEST = """origin: windows
fires:
  - {Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1, Image: 'a\\cmd.exe'}
"""

# Code to what is replaced in the right rule, by what, and the line on which the issue is then.
CASES: dict[str, tuple[str, str, int]] = {
    "refused": ("Image|endswith: '\\cmd.exe'", "Image|nosuch: x", 17),
    "id-format": ("6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001", "not-an-id", 2),
    "no-route": ("product: windows", "product: nobody", 11),
    "logsource-spelling": (
        "  product: windows\n  category: process_creation",
        "  category: proces_creation",
        12,
    ),
    "unknown-field": ("    Image|endswith", "    Imgae|endswith", 17),
    "regex-not-linear": ("Image|endswith: '\\cmd.exe'", "Image|re: '(?<!a)cmd'", 17),
    "regex-hostile": ("Image|endswith: '\\cmd.exe'", "Image|re: '(?<!a)(?:x+)+y'", 17),
    "keyword-wildcard": ("    CommandLine|contains: 'update'", "    - '*update'", 19),
    "keyword-anything": ("    CommandLine|contains: 'update'", "    - '*'", 19),
    "attack-tag": ("attack.execution", "attack.excution", 9),
    "attack-no-tactic": ("  - attack.execution\n", "", 8),
    "selection-never-holds": (
        "ParentImage|endswith: '\\edit.exe'",
        "Image: 'C:\\a.exe'",
        15,
    ),
    "rule-never-holds": ("CommandLine|contains: 'update'", "Image|endswith: '\\cmd.exe'", 20),
    "unused-selection": ("selection and not filter", "selection", 18),
    "whitespace": ("status: test\n", "status: test  \n", 3),
    "tag-case": ("attack.t1059.003", "attack.T1059.003", 10),
    "date-format": ("2026-11-30", "2026/11/30", 7),
    "id-missing": ("id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001\n", "", 1),
    "level-spelling": ("level: medium", "level: Medium", 21),
    "status-spelling": ("status: test", "status: Test", 3),
    "all_of_them_condition": ("selection and not filter", "all of them", 20),
    "cartag": ("  - attack.execution\n", "  - attack.execution\n  - car.2016\n", 10),
    "control_character": ("'update'", '"\\bupdate"', 19),
    "metadata-kind": ("references:\n  - https://one.example/a\n", "references: https://one.example/a\n", 5),
    "date-invalid": ("2026-11-30", "2026-13-30", 7),
    "date-order": ("date: 2026-11-30\n", "date: 2026-11-30\nmodified: 2026-11-29\n", 8),
    "key-spelling": ("level: medium", "level: medium\nfalsepositive:\n  - none", 22),
    "related": ("tags:\n", "related:\n  - {id: x, type: derived}\ntags:\n", 9),
    "attack-unknown": ("attack.t1059.003", "attack.t1999", 10),
    "attack-withdrawn": ("attack.t1059.003", "attack.t1086", 10),
    "tag-namespace": ("  - attack.execution\n", "  - attack.execution\n  - CVE-2026-1\n", 10),
    "value-anything": ("CommandLine|contains: 'update'", "CommandLine|contains: ['update', '']", 19),
    "cvetag": ("  - attack.execution\n", "  - attack.execution\n  - cve.2026.1\n", 10),
    "dangling_condition": ("selection and not filter", "selection and not nothing", 20),
    "detection_tag": ("  - attack.execution\n", "  - attack.execution\n  - detection.nothing\n", 10),
    "double_wildcard": ("'update'", "'up**date'", 19),
    "duplicate_references": ("  - https://one.example/a\n", "  - https://one.example/a\n" * 2, 5),
    "duplicate_tag": ("  - attack.execution\n", "  - attack.execution\n" * 2, 9),
    "escaped_wildcard": ("'update'", "'up\\*date'", 19),
    "fieldname_logsource": ("  product: windows\n", "  product: windows\n  produkt: x\n", 13),
    "invalid_modifier_combinations": ("CommandLine|contains: 'update'", "CommandLine|all: [a, b]", 19),
    "namespace_tag": ("  - attack.execution\n", "  - attack.execution\n  - nothing.known\n", 10),
    "number_as_string": ("CommandLine|contains: 'update'", "EventID: '1'", 19),
    "specific_instead_of_generic_logsource": (
        "  category: process_creation\ndetection:\n  selection:\n",
        "  service: sysmon\ndetection:\n  selection:\n    EventID: 1\n",
        16,
    ),
    "stptag": ("  - attack.execution\n", "  - attack.execution\n  - stp.9x\n", 10),
    "tag_format": ("  - attack.execution\n", "  - attack.execution\n  - tlp.am_ber+x\n", 10),
    "them_condition_with_single_detection": (
        "  filter:\n    CommandLine|contains: 'update'\n  condition: selection and not filter",
        "  condition: 1 of them",
        18,
    ),
    "tlptag": ("  - attack.execution\n", "  - attack.execution\n  - tlp.purple\n", 10),
    "wildcards_instead_of_modifiers": ("CommandLine|contains: 'update'", "CommandLine: '*update*'", 19),
}
ELSEWHERE = {
    "alias-unsaid",
    "correlation-field",
    "correlation-never-holds",
    "no-rule",
    "duplicate-id",
    "duplicate-title",
    "no-test",
    "test-broken",
    "odd",
    "tlpv1_tag",
    "tlpv2_tag",
}
"""Codes that need more than one changed rule; the two of TLP are not run, for either version is right."""


def issues(folder: Path, text: str) -> list[Issue]:
    (folder / "rule.yml").write_text(text, encoding="utf-8")
    (folder / "rule.test.yml").write_text(TEST, encoding="utf-8")
    return check([str(folder)]).issues


def test_a_rule_that_is_right_has_no_issue(tmp_path: Path) -> None:
    assert issues(tmp_path, RIGHT) == []


@pytest.mark.parametrize("code", sorted(CASES))
def test_finds_what_it_is_for_and_where(tmp_path: Path, code: str) -> None:
    old, new, line = CASES[code]
    assert old in RIGHT
    found = {issue.code: issue for issue in issues(tmp_path, RIGHT.replace(old, new, 1))}
    if code == "dangling_condition":
        # Loading refuses it before a validator can see it.
        code = "refused"
    assert code in found, sorted(found)
    assert found[code].line == line
    assert found[code].path == str(tmp_path / "rule.yml")
    assert found[code].message.text()


def test_every_check_has_its_case() -> None:
    assert set(CASES) | ELSEWHERE == set(checks())


@pytest.mark.parametrize("code", sorted(checks()))
def test_every_check_says_what_it_finds(code: str) -> None:
    known = checks()[code]
    assert known.severity in SEVERITIES
    assert known.summary


def test_names_the_other_rule_with_the_same_id_and_title(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(RIGHT, encoding="utf-8")
    found = {issue.code: issue for issue in issues(tmp_path, RIGHT)}
    for code, line in (("duplicate-id", 2), ("duplicate-title", 1)):
        assert found[code].path == str(tmp_path / "rule.yml")
        assert found[code].line == line
        assert str(tmp_path / "a.yml") in found[code].message.text()
    assert "refused" not in found


def test_tells_every_fault_of_a_detection_at_once(tmp_path: Path) -> None:
    text = RIGHT.replace("Image|endswith: '\\cmd.exe'", "Image|ends: a\n    User|cidr: 10.0.0.1/8")
    text = text.replace("CommandLine|contains: 'update'", "CommandLine|contains: 5")
    text = text.replace("selection and not filter", "(selection and not filter")
    lines = [issue.line for issue in issues(tmp_path, text) if issue.code == "refused"]
    assert lines == [17, 18, 20, 21]


@pytest.mark.parametrize(
    "fault",
    [
        "  product: windows\n  category: process_creation",
        "    ParentImage|endswith: '\\edit.exe'\n    Image|endswith: '\\cmd.exe'",
        "  condition: selection and not filter",
    ],
)
def test_tells_of_what_is_missing_once(tmp_path: Path, fault: str) -> None:
    assert fault in RIGHT
    found = [issue for issue in issues(tmp_path, RIGHT.replace(f"{fault}\n", "")) if issue.code == "refused"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("logsource", "told"),
    [
        (
            "category: proces_creation",
            "no log source has the category proces_creation; is process_creation meant?",
        ),
        ("service: audid", "no log source has the service audid; is auditd meant?"),
        ("category: cash_register", ""),
        ("category: process_creation", ""),
    ],
)
def test_a_misspelt_log_source_without_product_is_told_with_the_name_that_is_like_it(
    tmp_path: Path, logsource: str, told: str
) -> None:
    text = RIGHT.replace("  product: windows\n  category: process_creation", f"  {logsource}")
    found = [one.message.text() for one in issues(tmp_path, text) if one.code == "logsource-spelling"]
    assert found == ([told] if told else [])


BROKEN_CORRELATION = """---
title: Many shells
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a002
correlation:
  type: evnt_count
  rules: [shell, missing, gone]
  group_by: [User]
  group-by: [1]
  timespan: 5 minutes
  aliases: {x: {nope: f}}
  generate: maybe
  condition:
    gte: "5"
    often: 3
"""


def refusals(folder: Path, correlation: str) -> list[tuple[int, str]]:
    rule = RIGHT.replace("status: test\n", "name: shell\nstatus: test\n", 1)
    found = [one for one in issues(folder, rule + correlation) if one.code == "refused"]
    return [(one.line, str(one.message.values["reason"])) for one in found]


def test_tells_every_fault_of_a_correlation_at_once(tmp_path: Path) -> None:
    found = refusals(tmp_path, BROKEN_CORRELATION)
    assert [line for line, _ in found] == [27, 28, 28, 29, 30, 31, 32, 33, 35, 36]
    assert [reason for line, reason in found if line == 28] == [
        "the rule 'missing' is not loaded",
        "the rule 'gone' is not loaded",
    ]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{type: value_count, rules: [shell], timespan: 5m, condition: {gte: x}}", 2),
        ("{type: value_percentile, rules: [shell], timespan: 5m, condition: {gte: 1, field: a}}", 1),
        ("{type: event_count, rules: [shell], condition: {gte: 1, field: a}}", 2),
        ("{type: temporal, rules: [shell, other], timespan: 5m, condition: shell and}", 2),
        ("{type: temporal, timespan: 5m, condition: shell and other}", 1),
        ("{rules: [1], timespan: x}", 3),
        ("{type: event_count, rules: [], condition: {}, 5: a, timespan: 1m}", 3),
        ("nothing", 1),
        ("{}", 3),
    ],
)
def test_each_fault_of_a_correlation_is_told_once(tmp_path: Path, section: str, told: int) -> None:
    text = f"---\ntitle: Many\nid: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a002\ncorrelation: {section}\n"
    found = refusals(tmp_path, text)
    assert len(found) == told, found


def test_a_correlation_that_names_itself_or_a_refused_one_is_still_told(tmp_path: Path) -> None:
    text = (
        "---\ntitle: Loop\nname: loop\nid: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a002\n"
        "correlation: {type: event_count, rules: [loop], timespan: 1m, condition: {gte: 1}}\n"
    )
    assert [reason for _, reason in refusals(tmp_path, text)] == [
        "the correlation names itself, by way of 'loop'"
    ]


def test_a_text_in_place_of_a_list_is_told_once_and_not_character_by_character(tmp_path: Path) -> None:
    text = RIGHT.replace("references:\n  - https://one.example/a\n", "references: https://one.example/a\n")
    assert [issue.code for issue in issues(tmp_path, text)] == ["metadata-kind"]


CORRELATION = """---
title: Many shells
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a002
status: test
date: 2026-11-30
correlation:
  type: value_count
  rules: [shell]
  group-by: [Computer]
  timespan: 5m
  condition: {field: User, gte: 5}
level: high
"""


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("group-by: [Computer]", "group-by: [Compputer]", "correlation-field", 31),
        ("field: User", "field: Usr", "correlation-field", 33),
        ("gte: 5}", "gte: 5, lt: 5}", "correlation-never-holds", 33),
        ("gte: 5}", "eq: 5, neq: 6}", "", 0),
        (
            "rules: [shell]\n  group-by: [Computer]",
            "rules: [shell, other]\n  group-by: [User]\n  aliases: {User: {shell: User}}",
            *("alias-unsaid", 32),
        ),
    ],
)
def test_tells_what_keeps_a_correlation_silent(
    tmp_path: Path, old: str, new: str, code: str, line: int
) -> None:
    rule = RIGHT.replace("status: test\n", "name: shell\nstatus: test\n", 1)
    other = (
        RIGHT.replace("8a001", "8a003")
        .replace("Shell", "Other shell")
        .replace("status", "name: other\nstatus")
    )
    (tmp_path / "other.yml").write_text(other, encoding="utf-8")
    assert old in CORRELATION
    found = issues(tmp_path, rule + CORRELATION.replace(old, new))
    told = [(issue.code, issue.line) for issue in found if issue.code != "no-test"]
    assert told == ([(code, line)] if code else [])


@pytest.mark.parametrize("value", ["re: ''", "re: '.*'", "re: '^.*$'", "startswith: ''"])
def test_a_value_that_matches_anything_is_told(tmp_path: Path, value: str) -> None:
    found = issues(tmp_path, RIGHT.replace("contains: 'update'", value))
    assert "value-anything" in {issue.code for issue in found}


@pytest.mark.parametrize("modifiers", ["wide", "utf16le|contains"])
def test_a_text_in_utf_16_lost_no_backslash(tmp_path: Path, modifiers: str) -> None:
    found = issues(
        tmp_path, RIGHT.replace("CommandLine|contains: 'update'", f"CommandLine|{modifiers}: update")
    )
    assert "control_character" not in {issue.code for issue in found}


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("category: process_creation", "category: proces_creation", "windows process_creation"),
        ("product: windows", "product: window", "windows process_creation"),
        ("category: process_creation", "category: unicorn", ""),
    ],
)
def test_says_which_log_source_may_be_meant(tmp_path: Path, old: str, new: str, meant: str) -> None:
    found = {issue.code: issue for issue in issues(tmp_path, RIGHT.replace(old, new))}
    said = found["no-route"].message.text()
    assert said.endswith(f"is {meant} meant?") if meant else "meant" not in said


def test_a_yaml_file_that_holds_no_rule_is_told(tmp_path: Path) -> None:
    (tmp_path / "list.yml").write_text("- a\n- b\n", encoding="utf-8")
    (issue,) = issues(tmp_path, RIGHT)
    assert (issue.code, issue.path) == ("no-rule", str(tmp_path / "list.yml"))


def test_misses_an_example(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RIGHT, encoding="utf-8")
    assert [issue.code for issue in check([str(tmp_path)]).issues] == ["no-test"]


def test_tells_of_examples_that_cannot_be_understood(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "rule.test.yml").write_text("fires: [{Image: a}]\nfireworks: []\n", encoding="utf-8")
    (issue,) = check([str(tmp_path)]).issues
    assert (issue.code, issue.line) == ("test-broken", 2)


def test_tells_of_a_filter_that_fits_no_rule(tmp_path: Path) -> None:
    text = (
        "title: Known good\nid: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a0ff\n"
        "logsource: {product: windows, category: process_creation}\n"
        "filter:\n  rules: [6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a0aa]\n  selection: {Image: a}\n"
        "  condition: not selection\n"
    )
    assert [issue.code for issue in issues(tmp_path, text)] == ["odd"]


def test_a_checked_rule_can_be_ignored_by_code(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RIGHT, encoding="utf-8")
    assert check([str(tmp_path)], ignore=["no-test"]).issues == []


def test_the_built_in_pack_has_neither_error_nor_warning() -> None:
    found = check([])
    assert found.rules > 80
    assert [issue.message.text() for issue in found.issues if issue.severity != "note"] == []


def test_published_rules_have_few_issues_and_none_that_is_ours(corpora: Path) -> None:
    """SigmaHQ's own checks are strict: what ours find beyond placeholders should be next to nothing."""
    found = check([str(corpora / "sigma_all_rules.zip")], ignore=["no-test", "no-route"])
    errors = [issue for issue in found.issues if issue.severity == "error"]
    assert found.rules > 3700
    assert all("placeholder" in issue.message.text() for issue in errors)
    assert len(found.issues) < 200
