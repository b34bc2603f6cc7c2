"""A profile counts what a scan finds, and tells dear rules from cheap ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import haidang
from haidang.workshop.profiling import profile

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "logs"
RULE = """title: {title}
logsource: {{product: windows, category: process_creation}}
detection:
  selection: {{{selection}}}
  condition: selection
---
"""
RULES = {
    "exact": "Image: C:\\a.exe",
    "gated": "CommandLine|re: 'needle[0-9]+$'",
    "ungated": "CommandLine|re: '[0-9]{2}'",
    "slow": "CommandLine|re: '(?<!a)needle'",
    "everything": "CommandLine|re: '.'",
}


def test_counts_what_a_scan_finds() -> None:
    ruleset = haidang.load_rules(cache=False)
    found = profile(ruleset, [str(SAMPLES)])
    scanned = Counter(
        finding.rule.title
        for finding in haidang.scan(SAMPLES, rules=ruleset.outspoken())
        if finding.origin != "correlation"
    )
    assert {cost.info.title: cost.held for cost in found.costs if cost.held} == scanned
    assert sum(scanned.values()) > 100
    assert found.events > 5000


def test_says_how_often_a_rule_is_looked_at_and_by_what(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "".join(RULE.format(title=title, selection=one) for title, one in RULES.items()), encoding="utf-8"
    )
    events = [
        {
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "EventID": 1,
            "Image": "C:\\b.exe",
            "CommandLine": text,
        }
        for text in ("needle1", "hay", "hay", "17x")
    ]
    log = tmp_path / "log.json"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    found = profile(haidang.load_rules(rules, cache=False), [str(log)])
    costs = {cost.info.title: cost for cost in found.costs}
    assert {title: cost.held for title, cost in costs.items()} == {
        "exact": 0,
        "gated": 1,
        "ungated": 1,
        "slow": 1,
        "everything": 4,
    }
    assert all(cost.events == 4 for cost in costs.values())
    assert costs["exact"].looked_at == costs["exact"].decider_runs == 0
    # A value that is seen twice is decided once.
    assert (costs["gated"].decider_runs, costs["ungated"].decider_runs) == (1, 3)
    assert costs["slow"].slow_expressions == ("(?<!a)needle",)
    assert costs["gated"].slow_expressions == ()
    assert costs["everything"].anchors.most_common(1) == [("CommandLine re '.'", 4)]


def test_stops_after_so_many_events() -> None:
    assert profile(haidang.load_rules(), [str(SAMPLES)], most_events=10).events == 10
