"""The built-in rules on the sample logs tell the story, and nothing but the story."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import haidang
from haidang.findings.model import ScanSummary

if TYPE_CHECKING:
    from haidang.findings.model import Finding

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY / "samples"
EXPECTED = REPOSITORY / "tests" / "data" / "samples" / "expected.txt"
DAMAGED = "HV-DC01/security-2026-11-11.json.gz"


def line(finding: Finding) -> str:
    where = Path(finding.source.path).relative_to(SAMPLES / "logs").as_posix()
    when = (finding.time or "")[:19]
    return f"{when}  {finding.rule.level:<8}  {where}:{finding.source.record}  {finding.rule.title}"


@pytest.fixture(scope="module")
def summary() -> ScanSummary:
    return ScanSummary()


@pytest.fixture(scope="module")
def findings(summary: ScanSummary) -> list[Finding]:
    return list(haidang.scan(SAMPLES / "logs", summary=summary))


def test_rules_find_the_story_and_nothing_else(findings: list[Finding]) -> None:
    """To change the expectation on purpose, write ``sorted(map(line, findings))`` to the file and read it."""
    assert sorted(map(line, findings)) == EXPECTED.read_text("utf-8").splitlines()


def test_at_least_fifteen_rules_and_five_correlations_fire(findings: list[Finding]) -> None:
    assert len({finding.rule.id for finding in findings}) >= 15
    assert len({finding.rule.id for finding in findings if finding.origin == "correlation"}) >= 5


def test_story_goes_from_phishing_to_exfiltration(findings: list[Finding]) -> None:
    first: dict[str, str | None] = {}
    for finding in sorted(findings, key=lambda finding: finding.time or ""):
        for tag in finding.rule.tags:
            first.setdefault(tag, finding.time)
    steps = ["initial-access", "credential-access", "lateral-movement", "exfiltration"]
    times = [first[f"attack.{step}"] for step in steps]
    assert times == sorted(times, key=str)


def test_readme_names_each_finding_once_in_each_language(findings: list[Finding]) -> None:
    english, vietnamese = (SAMPLES / "README.md").read_text("utf-8").split("\n# ", 2)[0:2]
    for title in {finding.rule.title for finding in findings}:
        assert english.count(title) == vietnamese.count(title) == 1, title


def test_tutorial_quotes_what_the_scan_says(findings: list[Finding]) -> None:
    page = (REPOSITORY / "docs" / "tutorial" / "first-scan.md").read_text("utf-8")
    ordered = sorted(findings, key=lambda finding: finding.time or "")
    assert f"{len(findings)} by {len({finding.rule.id for finding in findings})} rules" in page
    for finding in ordered[:7]:
        assert f"    {finding.time} {finding.host} {finding.rule.title}\n" in page


def test_says_what_could_not_be_read(findings: list[Finding], summary: ScanSummary) -> None:
    assert findings
    broken = [file for file in summary.files if not file.complete]
    assert [Path(file.path).relative_to(SAMPLES / "logs").as_posix() for file in broken] == [DAMAGED]
    assert "truncated" in broken[0].problems
    assert broken[0].records > 20
