"""Windows events that tools print as text have the fields of Windows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.events.readers.event_text import READER
from haidang.events.times import parse_time
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, feed_in_time, head, sample
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, line_bytes=100)


@pytest.mark.parametrize("name", ["wevtutil.txt", "splunk.txt"])
def test_each_event_has_its_header_and_what_its_message_says(name: str) -> None:
    data = sample("event_text", name)
    assert READER.recognises(head(data)) == 91
    seen = feed(READER, data)
    assert (seen.problems, seen.records, set(seen.origins)) == ({}, [1, 2], {"windows"})
    process, sysmon = seen.events
    assert (process["Channel"], process["EventID"], process["SubjectUserName"]) == ("Security", "4688", "lan")
    assert process["CommandLine"] == "vssadmin delete shadows /all"
    assert (sysmon["CommandLine"].split("\n")[0], sysmon["UtcTime"]) == (
        "whoami /all",
        "2026-05-11 03:14:16.500",
    )


def test_times_are_those_of_the_tool() -> None:
    process, sysmon = feed(READER, sample("event_text", "wevtutil.txt")).events
    assert parse_time(process["TimeCreated"]) == 1778469255_123000000
    assert sysmon["EventTime"] == "2026-05-11T10:14:16.500"
    rendered = feed(READER, sample("event_text", "splunk.txt")).events
    assert parse_time(rendered[0]["EventTime"]) == 1778494455_000000000


@pytest.mark.parametrize("name", ["wevtutil.txt", "splunk.txt", "copied.txt"])
def test_rules_fire_whatever_tool_wrote_it(name: str, tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        shadows=(
            "product: windows, category: process_creation",
            "Image|endswith: '\\vssadmin.exe'\nCommandLine|contains: delete shadows",
        ),
    )
    assert fired(tmp_path, sample("event_text", name), rules, name) == {("shadows", "1")}


def test_a_message_is_kept_up_to_its_bound() -> None:
    data = sample("event_text", "wevtutil.txt")
    seen = feed(READER, data + b"x" * 90 + b"\n" + b"y" * 90 + b"\n", limits=SMALL)
    assert len(seen.events) == 2
    assert set(seen.problems) == {"oversized-line"}
    assert all(len(event.get("Message", "")) <= 100 for event in seen.events)


def test_what_comes_before_the_first_event_is_text() -> None:
    seen = feed(READER, b"exported by somebody\n" + sample("event_text", "wevtutil.txt"))
    assert seen.origins.count("text") == 1
    assert seen.problems == {"broken-line": ("line 1", 1)}


def test_hostile_text_takes_linear_time() -> None:
    for part in (b"Event[0]:\n", b"LogName=\n", b"05/11/2026 10:14:15 AM\n", b"Log Name: x\n", b"  A: \n"):
        feed_in_time(READER, part * 30_000)
