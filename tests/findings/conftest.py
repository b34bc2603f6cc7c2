"""Findings and accounts of runs, made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import RuleError
from haidang.events.model import FileReport
from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def make_finding() -> Callable[..., Finding]:
    """Makes a finding; the arguments are fields of the finding or, with ``rule_``, of its rule."""

    def make(**changes: Any) -> Finding:
        rule: dict[str, Any] = {
            "id": "11111111-2222-4333-8444-555555555555",
            "title": "Encoded PowerShell",
            "level": "high",
            "status": "test",
            "tags": ("attack.execution", "attack.t1059.001"),
            "description": "A command line that hides what it does.",
            "path": "rules/encoded.yml",
        }
        values: dict[str, Any] = {
            "id": "0123456789abcdef0123456789abcdef",
            "time": "2026-03-01T08:12:45.5Z",
            "host": "WS01",
            "source": Source("logs/ws01.json", 17),
            "event": {"Image": "C:\\Windows\\powershell.exe", "EventID": 1},
            "matched": (Match("Image", "C:\\Windows\\powershell.exe", "endswith '\\powershell.exe'"),),
            "origin": "windows",
        }
        for name, value in changes.items():
            (rule if name.startswith("rule_") else values)[name.removeprefix("rule_")] = value
        return Finding(rule=FindingRule(**rule), **values)

    return make


@pytest.fixture
def troubled_summary() -> ScanSummary:
    """A run in which one file was read in part, one not at all, and one rule was refused."""
    whole = FileReport("logs/ws01.json", "json", 1000, 20)
    partly = FileReport("logs/dc01.evtx", "evtx", 5000, 70)
    partly.note("corrupt", "record 812", "A chunk has a wrong checksum.", skipped=3)
    partly.note("broken-line", "line 1234567", "It is not JSON.", count=12)
    lost = FileReport("backup.zip!x\x1b]0;owned\x07.json")
    lost.note("encrypted", "", "The archive needs a password.")
    refused = RuleError("back-references are not supported", path="rules/odd.yml", line=12, rule="Odd rule")
    return ScanSummary(
        files=[whole, partly, lost],
        refused=[refused],
        notices=["One expression took too long."],
        rules=3742,
        events=989_642,
        size=2_280_000_000,
        findings=1,
        elapsed=41.23,
        cpu=40.0,
        processes=2,
    )
