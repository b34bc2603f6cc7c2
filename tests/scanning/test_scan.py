"""A scan gives the same findings, in the same order, whatever the processes and folders."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
import pytest

import haidang
from haidang.detect.regexes import timeouts
from haidang.errors import InputError
from haidang.events.times import parse_time
from haidang.findings.model import Finding, ScanSummary
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import ScanOptions, run

from .material import event, split_small, write_log, write_rules

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder of four logs; one has broken lines, one is empty."""
    folder = tmp_path / "logs"
    for name in "abc":
        found = [event(at, User=name, CommandLine=f"whoami {at}" if at % 3 else "x") for at in range(40)]
        write_log(folder / f"{name}.jsonl", found)
    with (folder / "b.jsonl").open("a") as stream:
        stream.write('{"broken\n')
    (folder / "empty.jsonl").write_text("")
    return folder


def scanned(rules: Path, *paths: Path, **options: Any) -> tuple[list[Finding], ScanSummary]:
    found: list[Finding] = []
    made = ScanOptions(tuple(map(str, paths)), rules=(str(rules),), cache=False, **options)
    return found, run(made, found.append)


def account(summary: ScanSummary) -> list[tuple[Any, ...]]:
    return [
        (file.path, file.format, file.records, file.skipped, file.size, sorted(file.problems.items()))
        for file in summary.files
    ]


@pytest.mark.parametrize("processes", [2, 3])
def test_findings_are_the_same_bytes_for_any_number_of_processes(
    tmp_path: Path, logs: Path, processes: int
) -> None:
    rules = write_rules(tmp_path)
    alone, one = scanned(rules, logs)
    together, several = scanned(rules, logs, processes=processes)
    assert len(alone) > 120
    assert msgspec.json.encode(together) == msgspec.json.encode(alone)
    assert account(several) == account(one)
    assert (several.events, several.size, several.findings) == (one.events, one.size, one.findings)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_split_file_is_reported_as_the_one_file_that_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    rules = write_rules(tmp_path)
    log = write_log(tmp_path / "big.jsonl", [event(at) for at in range(3000)])
    lines = log.read_bytes().split(b"\n")
    lines[2500] = b'{"broken'
    lines[2700] = b'{"broken again'
    log.write_bytes(b"\n".join(lines))
    expected, one = scanned(rules, log)
    split_small(monkeypatch)
    found, summary = scanned(rules, log, processes=processes)
    assert msgspec.json.encode(found) == msgspec.json.encode(expected)
    assert account(summary) == account(one)
    (file,) = summary.files
    assert [(one.where, one.count) for one in file.problems.values()] == [("record 2501", 2)]


def test_findings_come_in_the_order_of_files_and_records_and_correlations_last(
    tmp_path: Path, logs: Path
) -> None:
    found, _ = scanned(write_rules(tmp_path), logs)
    plain = [finding for finding in found if finding.origin != "correlation"]
    places = [(finding.source.path, finding.source.record) for finding in plain]
    assert places == sorted(places)
    assert {finding.origin for finding in found[len(plain) :]} == {"correlation"}
    times = [finding.time or "" for finding in found[len(plain) :]]
    assert times == sorted(times)


def test_a_moved_folder_gives_the_same_ids(tmp_path: Path, logs: Path) -> None:
    rules = write_rules(tmp_path)
    before, _ = scanned(rules, logs)
    shutil.move(logs, tmp_path / "elsewhere")
    after, _ = scanned(rules, tmp_path / "elsewhere")
    assert [finding.id for finding in after] == [finding.id for finding in before]
    assert len({finding.id for finding in after}) == len(after)


def test_identical_events_of_one_file_have_ids_of_their_own(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", [event(1)] * 5)
    found, _ = scanned(write_rules(tmp_path), log)
    plain = [finding for finding in found if finding.origin != "correlation"]
    assert len({finding.id for finding in plain}) == 5


@pytest.mark.parametrize(
    ("since", "until", "seconds"),
    [
        (None, None, [10, 20, 30]),
        (20, None, [20, 30]),
        (None, 20, [10, 20]),
        (20, 20, [20]),
        (11, 19, []),
        (31, None, []),
    ],
)
def test_the_moments_since_and_until_are_part_of_what_is_wanted(
    tmp_path: Path, since: int | None, until: int | None, seconds: list[int]
) -> None:
    def moment(second: int | None) -> int | None:
        return None if second is None else parse_time(f"2026-03-01T10:00:{second}Z")

    log = write_log(tmp_path / "log.jsonl", [event(at, User=str(at)) for at in (10, 20, 30)])
    found, _ = scanned(write_rules(tmp_path), log, since=moment(since), until=moment(until))
    assert [int((finding.time or "")[17:19]) for finding in found] == seconds


def test_an_event_without_a_time_is_wanted_whatever_the_moments(tmp_path: Path) -> None:
    timeless = {name: value for name, value in event(1).items() if name not in {"UtcTime", "@timestamp"}}
    log = write_log(tmp_path / "log.jsonl", [timeless])
    found, summary = scanned(write_rules(tmp_path), log, since=parse_time("2030-01-01T00:00:00Z"))
    assert [finding.time for finding in found] == [None]
    assert any("without a time" in notice for notice in summary.notices)


def test_a_full_event_has_all_fields_and_else_those_that_the_rule_looked_at(tmp_path: Path) -> None:
    rules = haidang.load_rules(write_rules(tmp_path), cache=False)
    log = write_log(tmp_path / "log.jsonl", [event(1)])
    (short,) = haidang.scan(log, rules=rules)
    (full,) = haidang.scan(log, rules=rules, full_event=True)
    assert short.event == {"Image": "C:\\x\\tool.exe"}
    assert full.event["User"] == "lan"
    assert full.id == short.id


def test_a_finding_for_other_tools_says_who_and_what_it_is_about(tmp_path: Path) -> None:
    more = {"ParentImage": "C:\\y\\host.exe", "IntegrityLevel": "High", "host": {"name": "a"}}
    log = write_log(tmp_path / "log.jsonl", [event(1, CommandLine="tool.exe -x", **more)])
    (short,), _ = scanned(write_rules(tmp_path), log)
    (found,), _ = scanned(write_rules(tmp_path), log, things=True)
    assert found.event.items() > short.event.items()
    assert found.event["User"] == "lan"
    assert found.event["CommandLine"] == "tool.exe -x"
    assert not found.event.keys() & {"IntegrityLevel", "host"}
    assert found.id == short.id


def test_the_account_of_a_scan_is_complete(tmp_path: Path, logs: Path) -> None:
    summary = ScanSummary()
    found = list(haidang.scan(logs, rules=haidang.load_rules(write_rules(tmp_path)), summary=summary))
    assert summary.findings == len(found)
    assert summary.events == 120
    assert summary.rules == 3
    assert summary.elapsed > 0
    assert {file.path.rsplit("/", 1)[1] for file in summary.files} == {
        "a.jsonl",
        "b.jsonl",
        "c.jsonl",
        "empty.jsonl",
    }
    assert {kind for file in summary.files for kind in file.problems} == {"broken-line", "empty"}


def test_a_path_that_does_not_exist_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        list(haidang.scan(tmp_path / "nothing", rules=haidang.load_rules(write_rules(tmp_path))))


HOSTILE = r"^(?=a)(a|aa|a?)+$"


@pytest.mark.parametrize("processes", [1, 2])
def test_an_expression_that_takes_too_long_is_named_in_the_account(tmp_path: Path, processes: int) -> None:
    text = (
        "title: Slow\nlogsource: {product: windows, category: process_creation}\n"
        f"detection: {{s: {{CommandLine|re: '{HOSTILE}'}}, condition: s}}\n"
    )
    timeouts.clear()
    rules = write_rules(tmp_path, text)
    for name in "ab":
        write_log(tmp_path / f"logs/{name}.jsonl", [event(1, CommandLine="a" * 60 + "!"), event(2)])
    found, summary = scanned(rules, tmp_path / "logs", processes=processes)
    assert found == []
    (notice,) = summary.notices
    assert repr(HOSTILE) in notice
    timeouts.clear()


def test_values_that_are_too_long_are_counted_in_the_account(tmp_path: Path) -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, value_chars=100)
    log = tmp_path / "log.json"
    long = {"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\a.exe", "CommandLine": "x" * 500}
    log.write_bytes(orjson.dumps(long) + b"\n")
    summary = haidang.ScanSummary()
    list(haidang.scan(log, rules=haidang.load_rules(limits=limits), summary=summary))
    assert any("longer than rules look at" in notice for notice in summary.notices)
