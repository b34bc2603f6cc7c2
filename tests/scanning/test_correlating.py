"""Correlations over a whole run: what they report, and that the disk changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

import haidang
from haidang.findings.model import MemberSource, NamedRule
from haidang.scanning import _correlating

from .material import event, write_log, write_rules

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.findings.model import Finding
    from haidang.scanning import Ruleset


@pytest.fixture
def rules(tmp_path: Path) -> Ruleset:
    return haidang.load_rules(write_rules(tmp_path), cache=False)


def joined(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.origin == "correlation"]


def test_a_correlation_names_the_findings_that_it_joins(tmp_path: Path, rules: Ruleset) -> None:
    log = write_log(tmp_path / "log.jsonl", [event(at) for at in (1, 2, 3)])
    found = list(haidang.scan(log, rules=rules))
    (one,) = joined(found)
    assert one.members == tuple(finding.id for finding in found if finding.rule.title == "Tool")
    assert one.member_sources == tuple(
        MemberSource(
            finding.source.path, finding.source.record, finding.time or "", NamedRule(finding.rule.id, "Tool")
        )
        for finding in found
        if finding.rule.title == "Tool"
    )
    assert (one.group, one.count, one.host) == ({"User": "lan"}, 3, "h1")
    assert one.event["first"] == "2026-03-01T10:00:01.000Z"
    assert one.time == one.event["last"] == "2026-03-01T10:00:03.000Z"
    assert one.source.path == str(log)
    assert [(match.field, match.value) for match in one.matched] == [("User", "lan")]


def test_a_correlation_has_the_same_id_on_every_run(tmp_path: Path, rules: Ruleset) -> None:
    log = write_log(tmp_path / "log.jsonl", [event(at, User=str(at % 2)) for at in range(10)])
    runs = [joined(list(haidang.scan(log, rules=rules))) for _ in range(2)]
    assert msgspec.json.encode(runs[0]) == msgspec.json.encode(runs[1])
    assert len({finding.id for finding in runs[0]}) == len(runs[0]) == 2


def test_events_of_several_files_meet_in_order_of_time(tmp_path: Path, rules: Ruleset) -> None:
    write_log(tmp_path / "logs/1.jsonl", [event(30), event(5)])
    write_log(tmp_path / "logs/2.jsonl", [event(10, Hostname="h2")])
    found = list(haidang.scan(tmp_path / "logs", rules=rules))
    (one,) = joined(found)
    by_time = sorted((f for f in found if f.rule.title == "Tool"), key=lambda finding: finding.time or "")
    assert one.members == tuple(finding.id for finding in by_time)
    assert one.host == ""


@pytest.mark.parametrize("bound", [1, 3, 50])
def test_hits_that_go_to_disk_give_the_same_findings(
    tmp_path: Path, rules: Ruleset, monkeypatch: pytest.MonkeyPatch, bound: int
) -> None:
    events = [event((at * 37) % 200, User=str(at % 5)) for at in range(200)]
    log = write_log(tmp_path / "log.jsonl", events)
    in_memory = list(haidang.scan(log, rules=rules))
    monkeypatch.setattr(_correlating, "_MOST_IN_MEMORY", bound)
    on_disk = list(haidang.scan(log, rules=rules))
    assert joined(in_memory)
    assert msgspec.json.encode(on_disk) == msgspec.json.encode(in_memory)


@pytest.mark.parametrize("bound", [2, 50])
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2300-01-01T00:00:00Z"])
def test_a_log_may_claim_any_year(
    tmp_path: Path, rules: Ruleset, monkeypatch: pytest.MonkeyPatch, bound: int, moment: str
) -> None:
    monkeypatch.setattr(_correlating, "_MOST_IN_MEMORY", bound)
    far = [event(1, **{"UtcTime": moment, "@timestamp": moment}) for _ in range(3)]
    log = write_log(tmp_path / "log.jsonl", [*far, *(event(at) for at in range(3))])
    one, other = joined(list(haidang.scan(log, rules=rules)))
    assert {one.count, other.count} == {3}
