"""SARIF says where each issue is, in the words of the standard (OASIS SARIF 2.1.0, sections 3.19 to 3.30)."""

from __future__ import annotations

from haidang.workshop.checks import Issue
from haidang.workshop.messages import Message
from haidang.workshop.sarif import as_sarif


def test_each_result_points_at_its_rule_and_line() -> None:
    issues = [
        Issue("whitespace", "note", Message("spaces"), "rules/a b.yml", 3, "A"),
        Issue("refused", "error", Message("no: {reason}", {"reason": "x"}), "/tmp/b.yml", 0),
    ]
    (run,) = as_sarif(issues)["runs"]
    rules = run["tool"]["driver"]["rules"]
    first, second = run["results"]
    for result in (first, second):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert first["message"]["text"] == "A: spaces"
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "rules/a%20b.yml"}, "region": {"startLine": 3}}
    # A line is counted from 1: one that is not known is left out.
    assert second["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "file:///tmp/b.yml"}}
    assert (first["level"], second["level"]) == ("note", "error")


def test_no_issue_is_a_run_without_results() -> None:
    (run,) = as_sarif([])["runs"]
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
