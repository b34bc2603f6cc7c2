"""Statistics: what is counted, which silence is unusual, and bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haidang.events.times import format_time
from haidang.inquiry import Question, Statistics, statistics
from haidang.inquiry.statistics import REST
from haidang.limits import DEFAULT_LIMITS
from tests.inquiry.making import SECURITY, SYSMON, windows, write

if TYPE_CHECKING:
    from pathlib import Path


def count(*paths: str, **options: Any) -> Statistics:
    return statistics(Question(paths, **options))


def every_minute(first: int, last: int) -> list[str]:
    return [windows(SECURITY, 4624, f"{m // 60:02}:{m % 60:02}:00") for m in range(first, last)]


def test_events_are_counted_by_source_host_and_id(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        windows(SECURITY, 4624, "08:00:00"),
        windows(SECURITY, 4624, "09:00:00"),
        windows(SYSMON, 1, "08:30:00", host="WS02"),
    )
    found = count(path)
    assert found.events == 3
    group = found.groups["windows", SECURITY, "WS01.haivan.example"]
    assert (group.events, group.untimed) == (2, 0)
    assert format_time(group.first or 0) == "2026-03-01T08:00:00.000Z"
    assert format_time(group.last or 0) == "2026-03-01T09:00:00.000Z"
    assert found.ids == {("windows", SECURITY, "4624"): 2, ("windows", SYSMON, "1"): 1}
    assert found.formats() == {"ndjson": 1}


def test_programs_types_and_unknown_files(tmp_path: Path) -> None:
    syslog = write(
        tmp_path / "messages", "Mar  1 08:00:00 web01 sshd[1]: x", "Mar  1 08:00:01 web01 cron[2]: y"
    )
    audit = write(tmp_path / "audit.log", "type=USER_LOGIN msg=audit(1772352000.000:1): pid=9 uid=0")
    (tmp_path / "junk.bin").write_bytes(bytes(range(256)) * 8)
    found = count(syslog, audit, str(tmp_path / "junk.bin"))
    assert {key[:2] for key in found.groups} == {("syslog", "sshd"), ("syslog", "cron"), ("auditd", "")}
    assert found.ids == {("auditd", "", "USER_LOGIN"): 1}
    junk = [report for report in found.reports if not report.complete]
    assert [(report.path, report.size) for report in junk] == [(str(tmp_path / "junk.bin"), 256 * 8)]


def test_a_channel_spelled_in_two_ways_is_one_source(tmp_path: Path) -> None:
    lines = [windows(name, 4624, "08:00:00") for name in ("Security", "security", "SECURITY")]
    found = count(write(tmp_path / "a.json", *lines))
    assert [(key[1], group.events) for key, group in found.groups.items()] == [("Security", 3)]
    assert found.ids == {("windows", "Security", "4624"): 3}


def test_a_silence_that_is_unusual_is_a_gap(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", *every_minute(480, 540), *every_minute(660, 720))
    (group,) = count(path).groups.values()
    (gap,) = group.gaps
    assert (format_time(gap.start), format_time(gap.end)) == (
        "2026-03-01T09:00:00.000Z",
        "2026-03-01T11:00:00.000Z",
    )


def test_a_source_that_is_always_slow_or_hardly_known_has_no_gaps(tmp_path: Path) -> None:
    hourly = [windows(SECURITY, 4624, f"{hour:02}:00:00") for hour in (*range(14), *range(16, 24))]
    (group,) = count(write(tmp_path / "a.json", *hourly)).groups.values()
    assert group.gaps == []
    few = [windows(SECURITY, 4624, "08:00:00"), windows(SECURITY, 4624, "20:00:00")]
    (group,) = count(write(tmp_path / "b.json", *few)).groups.values()
    assert group.gaps == []


def test_slots_grow_to_fit_stats_slots_and_gaps_are_still_found(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", *every_minute(0, 360), *every_minute(900, 1260))
    (group,) = count(path, limits=replace(DEFAULT_LIMITS, stats_slots=100)).groups.values()
    assert len(group.slots) <= 100
    (gap,) = group.gaps
    assert gap.end - gap.start > 8 * 3600 * 10**9


def test_stats_slots_are_shared_and_the_fuller_sources_give_way(tmp_path: Path) -> None:
    few = [windows(SECURITY, 4624, f"{hour:02}:00:00", host="QUIET") for hour in range(20)]
    path = write(tmp_path / "a.json", *few, *every_minute(0, 600), *every_minute(0, 600))
    quiet, busy = count(path, limits=replace(DEFAULT_LIMITS, stats_slots=200)).groups.values()
    assert len(quiet.slots) == 20
    assert len(busy.slots) <= 180
    assert (quiet.events, busy.events) == (20, 1200)
    many = [
        windows(SECURITY, 4624, "08:00:00", host=f"H{n}").replace("2026", year)
        for n in range(9)
        for year in ("1969", "2026")
    ]
    found = count(write(tmp_path / "b.json", *many), limits=replace(DEFAULT_LIMITS, stats_slots=3))
    assert len(found.groups) == 9


def test_more_groups_than_stats_groups_are_counted_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", *(windows(SECURITY, 4624, "08:00:00", host=f"H{n}") for n in range(9)))
    found = count(path, limits=replace(DEFAULT_LIMITS, stats_groups=3))
    assert len(found.groups) == 4
    assert found.groups["windows", REST, REST].events == 6


def test_more_ids_than_stats_ids_are_counted_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", *(windows(SECURITY, 4600 + n, "08:00:00") for n in range(9)))
    found = count(path, limits=replace(DEFAULT_LIMITS, stats_ids=3))
    assert found.ids["windows", REST, REST] == 6
    assert sum(found.ids.values()) == 9


def test_times_and_hosts_bound_what_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", *every_minute(480, 540), windows(SECURITY, 4624, "08:00:00", host="X"))
    assert count(path, hosts=("x",)).events == 1
    assert count(path, since=1_772_352_060_000_000_000).events == 59
