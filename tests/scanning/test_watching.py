"""Indicators in a scan: findings like any other, within their time, with their source in the evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import haidang
from haidang.findings.model import ScanSummary
from haidang.intel.loading import load_intel
from haidang.intel.model import Indicator
from haidang.intel.store import Source, compile_sources
from haidang.scanning import ScanOptions, run
from haidang.scanning._ruleset import Selection, load_rules
from tests.scanning.material import CHANNEL, split_small, write_log, write_rules

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from haidang.findings.model import Finding
    from haidang.intel.store import Intel

DAY = 86_400
JANUARY = 1_767_225_600  # 2026-01-01


def connection(address: str, day: int | None = 1) -> dict[str, Any]:
    time = {} if day is None else {"@timestamp": f"2026-01-{day:02}T12:00:00Z"}
    return {"Channel": CHANNEL, "EventID": 3, "Hostname": "h1", "DestinationIp": address, **time}


def start(image: str, minute: int = 0) -> dict[str, Any]:
    return {
        "Channel": CHANNEL, "EventID": 1, "Hostname": "h1", "Image": image, "CommandLine": "x",
        "@timestamp": f"2026-01-01T12:{minute:02}:00Z",
    }  # fmt: skip


def intel(*indicators: Indicator, source: str = "feed") -> Intel:
    return compile_sources([(Source(source, "list", "/x"), indicators)])


def found(folder: Path, events: list[dict[str, Any]], known: Intel, **more: Any) -> list[Finding]:
    path = write_log(folder / "log.ndjson", events)
    rules = load_rules(write_rules(folder), cache=False, intel=known, **more)
    return list(haidang.scan(path, rules=rules))


def test_a_hit_is_a_finding_that_names_source_level_tags_and_indicator(tmp_path: Path) -> None:
    one = Indicator(
        "ip", "198.51.100.7", "C2 of X", "indicator--1", 80, "amber", None, None, ("attack.t1071",)
    )
    (finding,) = found(tmp_path, [connection("198.51.100.7"), connection("198.51.100.8")], intel(one))
    assert finding.rule.title == "Known address of an attack (feed)"
    assert (finding.rule.level, finding.rule.tags) == ("high", ("attack.t1071", "tlp.amber"))
    assert (finding.host, finding.time, finding.origin) == ("h1", "2026-01-01T12:00:00.000Z", "windows")
    (match,) = finding.matched
    assert (match.field, match.value) == ("DestinationIp", "198.51.100.7")
    assert match.test == (
        "indicator address '198.51.100.7' (C2 of X; indicator--1; confidence 80; TLP:AMBER)"
    )
    assert finding.event == {"DestinationIp": "198.51.100.7"}


def test_ids_are_the_same_on_every_run_and_of_every_set_of_other_indicators(tmp_path: Path) -> None:
    one, other = Indicator("ip", "198.51.100.7"), Indicator("domain", "evil.example")
    first = found(tmp_path, [connection("198.51.100.7")], intel(one))
    second = found(tmp_path, [connection("198.51.100.7")], intel(other, one))
    assert [finding.id for finding in first] == [finding.id for finding in second]
    assert first[0].rule.id == second[0].rule.id


def test_an_indicator_holds_up_to_its_end(tmp_path: Path) -> None:
    ends = Indicator("ip", "198.51.100.7", valid_from=JANUARY + 3 * DAY, valid_until=JANUARY + 5 * DAY)
    events = [connection("198.51.100.7", day) for day in (1, 4, 6, 9)]
    # Known from the 4th, ended on the 6th: the event of the 1st was an attack that nobody knew of yet.
    assert [finding.time for finding in found(tmp_path, events, intel(ends))] == [
        "2026-01-01T12:00:00.000Z",
        "2026-01-04T12:00:00.000Z",
    ]


def test_an_indicator_of_the_future_does_not_count_and_no_time_is_now(tmp_path: Path) -> None:
    future = Indicator("ip", "198.51.100.7", valid_from=JANUARY + 100_000 * DAY)
    past = Indicator("ip", "198.51.100.8", valid_until=JANUARY)
    events = [connection("198.51.100.7"), connection("198.51.100.8", None), connection("198.51.100.8")]
    assert found(tmp_path, events, intel(future, past)) == []


def test_of_two_indicators_only_the_one_that_holds_is_evidence(tmp_path: Path) -> None:
    over = Indicator("ip", "198.51.100.7", "over", valid_until=JANUARY)
    holds = Indicator("ip", "198.51.100.7", "holds")
    (finding,) = found(tmp_path, [connection("198.51.100.7")], intel(over, holds))
    assert ["holds" in match.test for match in finding.matched] == [True]


def test_rules_and_indicators_fire_on_one_event(tmp_path: Path) -> None:
    event = {**start("C:\\x\\tool.exe"), "CommandLine": "run http://evil.example/"}
    titles = [
        finding.rule.title for finding in found(tmp_path, [event], intel(Indicator("domain", "evil.example")))
    ]
    assert titles == ["Tool", "Known domain name of an attack (feed)"]


def test_indicators_are_selected_like_rules(tmp_path: Path) -> None:
    low = Indicator("ip", "198.51.100.7", confidence=10)
    events = [connection("198.51.100.7")]
    assert len(found(tmp_path, events, intel(low))) == 1
    for selection in (
        Selection(min_level="high"),
        Selection(include=("Tool",)),
        Selection(exclude=("Known address *",)),
        Selection(tags=("attack.*",)),
    ):
        assert found(tmp_path, events, intel(low), selection=selection) == []


PATTERN = "[file:name = 'tool.exe' AND process:command_line = 'x']"
SEQUENCE = "([ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [file:name = 'tool.exe']) WITHIN 600 SECONDS"


def test_a_pattern_is_a_rule_of_its_own_name(tmp_path: Path) -> None:
    one = Indicator("pattern", PATTERN, "Tool with x", "indicator--7", valid_until=JANUARY + DAY)
    events = [start("C:\\x\\Tool.exe"), start("C:\\x\\other.exe")]
    (finding,) = [one for one in found(tmp_path, events, intel(one)) if one.rule.title != "Tool"]
    assert finding.rule.title == "Tool with x (feed)"
    assert finding.rule.description == PATTERN
    assert {match.field for match in finding.matched} == {"file", "command_line"}


def test_a_pattern_that_has_ended_does_not_hold(tmp_path: Path) -> None:
    one = Indicator("pattern", PATTERN, "Tool with x", valid_until=JANUARY)
    assert [item.rule.title for item in found(tmp_path, [start("C:\\x\\Tool.exe")], intel(one))] == ["Tool"]


def test_observations_in_order_make_one_finding(tmp_path: Path) -> None:
    one = Indicator("pattern", SEQUENCE, "Call, then tool")
    events = [connection("198.51.100.7"), start("C:\\x\\tool.exe", 5)]
    joined = [item for item in found(tmp_path, events, intel(one)) if item.origin == "correlation"]
    assert [(item.rule.title, item.count) for item in joined] == [("Call, then tool (feed)", 2)]
    titles = {item.rule.title for item in found(tmp_path, [start("C:\\x\\tool.exe", 5)], intel(one))}
    assert titles == {"Tool"}, "a part reports nothing by itself"
    backwards = [
        start("C:\\x\\tool.exe"),
        {**connection("198.51.100.7"), "@timestamp": "2026-01-01T12:05:00Z"},
    ]
    assert not [item for item in found(tmp_path, backwards, intel(one)) if item.origin == "correlation"]
    late = [connection("198.51.100.7"), start("C:\\x\\tool.exe", 11)]
    assert not [item for item in found(tmp_path, late, intel(one)) if item.origin == "correlation"]


def test_two_processes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split_small(monkeypatch)
    path = write_log(tmp_path / "log.ndjson", [connection(f"198.51.100.{at % 20}") for at in range(4000)])
    known = intel(Indicator("ip", "198.51.100.7"), Indicator("network", "198.51.100.16/30"))
    ids = []
    for processes in (1, 2):
        some: list[str] = []
        options = ScanOptions(
            (str(path),), rules=(str(write_rules(tmp_path)),), intel=known, processes=processes, cache=False
        )
        run(options, lambda finding, some=some: some.append(finding.id))  # type: ignore[misc]
        ids.append(some)
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4000 // 20 * 5


def test_the_account_says_what_was_looked_for_and_what_is_old(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.ndjson", [connection("192.0.2.1")])
    sources = [(Source("old", "list", "/x", updated=1, counts={"why": 3}), [Indicator("ip", "198.51.100.7")])]
    guard = json.dumps({"name": "ours", "type": "string", "version": 1, "list": ["198.51.100.7"]}).encode()
    rules = load_rules(write_rules(tmp_path), cache=False, intel=compile_sources(sources, [("g", guard)]))
    summary = ScanSummary()
    list(haidang.scan(path, rules=rules, summary=summary))
    text = "\n".join(summary.notices)
    for said in (
        "0 indicators of 1 sources",
        "3 entries",
        "1 indicators are on the warninglist 'ours'",
        "days old",
    ):
        assert said in text
    assert summary.rules == 3, "indicators are no rules to the account"


def test_a_program_matches_one_event(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("evil.example\n")
    rules = load_rules(write_rules(tmp_path), cache=False, intel=load_intel(tmp_path / "l.txt"))
    assert [one.rule.title for one in rules.match({"dns": {"question": {"name": "a.evil.example"}}})] == [
        "Known domain name of an attack (l.txt)"
    ]


def test_a_part_of_a_pattern_is_nothing_by_itself(tmp_path: Path) -> None:
    rules = load_rules(
        write_rules(tmp_path), cache=False, intel=intel(Indicator("pattern", SEQUENCE, "Call, then tool"))
    )
    assert rules.match(connection("198.51.100.7")) == []


def test_a_pattern_of_another_version_is_counted(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.ndjson", [connection("192.0.2.1")])
    rules = load_rules(
        write_rules(tmp_path), cache=False, intel=intel(Indicator("pattern", "[future:x = 1]"))
    )
    summary = ScanSummary()
    list(haidang.scan(path, rules=rules, summary=summary))
    assert any("1 patterns cannot be used" in notice for notice in summary.notices)
