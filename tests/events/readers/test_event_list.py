"""What PowerShell lists of Windows events are these events, whatever properties it lists and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers import readers
from haidang.events.readers.event_list import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, feed_in_time, head, sample
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

LIST, ALL = sample("event_list", "list.txt"), sample("event_list", "all.txt")


def test_an_event_has_the_names_of_windows_and_what_its_message_says() -> None:
    seen = feed(READER, LIST)
    assert seen.records == [3, 26]
    failed, started = seen.events
    assert {
        "Channel": "Security",
        "EventID": "4625",
        "Provider_Name": "Microsoft-Windows-Security-Auditing",
        "EventTime": "2026-11-11 21:58:57",
        "TargetUserName": "quantri",
        "LogonType": "3",
        "IpAddress": "203.0.113.9",
    }.items() <= failed.items()
    assert failed["Message"].startswith("An account failed to log on.\n\nSubject:\n\tSecurity ID:")
    assert (started["Channel"], started["CommandLine"]) == (
        "Microsoft-Windows-Sysmon/Operational",
        "whoami /all",
    )


def test_a_list_of_all_properties_tells_channel_and_host() -> None:
    (event,) = feed(READER, ALL).events
    assert (event["Channel"], event["Computer"]) == (
        "Microsoft-Windows-Sysmon/Operational",
        "hv-dc01.haivan.example",
    )
    assert (event["Image"], event["EventRecordID"]) == ("C:\\Windows\\System32\\whoami.exe", "1234")
    assert "ActivityId" not in event


def test_the_older_command_has_other_names() -> None:
    data = (
        b"Index              : 77\nEntryType          : FailureAudit\nInstanceId         : 4625\n"
        b"Message            : x\nSource             : Microsoft-Windows-Security-Auditing\n"
        b"TimeGenerated      : 11/11/2026 9:58:57 PM\nEventID            : 4625\n"
    )
    assert recognise(make_head("log", data), readers()) is READER
    (event,) = feed(READER, data).events
    assert (event["Channel"], event["EventID"], event["EventRecordID"]) == ("Security", "4625", "77")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("11/12/2026 9:58:57 PM", "2026-11-12T21:58:57Z"),
        ("11/12/2026 12:58:57 AM", "2026-11-12T00:58:57Z"),
        ("12/11/2026 9:58:57 CH", "2026-11-12T21:58:57Z"),
        ("12/11/2026 9:58:57 SA", "2026-11-12T09:58:57Z"),
        ("12.11.2026 21:58:57", "2026-11-12T21:58:57Z"),
        ("13/11/2026 21:58:57", "2026-11-13T21:58:57Z"),
        ("2026-11-12 21:58:57", "2026-11-12T21:58:57Z"),
    ],
)
def test_a_time_is_read_as_the_region_writes_it(written: str, meant: str) -> None:
    data = LIST.replace(b"11/11/2026 9:58:57 PM", written.encode())
    assert parse_time(feed(READER, data).events[0]["EventTime"]) == parse_time(meant)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_it_is_recognised(encoding: str, end: str) -> None:
    for whole in (LIST, ALL):
        data = whole.decode().replace("\n", end).encode(encoding)
        assert recognise(make_head("log", data), readers()) is READER
        assert feed(READER, data).events == feed(READER, whole).events


def test_other_lists_are_not_its() -> None:
    assert READER.recognises(head(b"Name : x\nId : 7\n")) == 0
    assert READER.recognises(head(b"x\n" + LIST)) == 0


def test_what_comes_before_the_first_event_is_noted_and_an_event_without_its_number_kept() -> None:
    seen = feed(READER, b"oops\n" + LIST.replace(b"Id           : 1\n", b""))
    assert seen.problems == {"broken-line": ("line 1", 1)}
    assert (len(seen.events), seen.events[1]["ProviderName"]) == (2, "Microsoft-Windows-Sysmon")


def test_many_lines_of_one_value_take_linear_time() -> None:
    data = LIST + b"               " + b"a\n               " * 100_000
    assert len(feed_in_time(READER, data).events) == 2
    feed_in_time(READER, b"A" + b" " * 600_000)


def test_rules_on_windows_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        failed=("product: windows, service: security", "{EventID: 4625, TargetUserName: quantri}"),
        started=("product: windows, category: process_creation", "{CommandLine|contains: whoami}"),
    )
    assert fired(tmp_path, LIST, rules) == {("failed", "3"), ("started", "26")}
