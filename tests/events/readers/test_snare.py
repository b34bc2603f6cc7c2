"""What Snare made of a Windows event is that event again, with what its message says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.snare import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.rendered_messages import unfolded
from tests.events.readers.feeding import feed, feed_in_time, head, sample
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

DATA = sample("snare", "snare.log")
SEEN = feed(READER, DATA)
RECORD = (
    "MSWinEventLog\t1\tSecurity\t9\tWed Nov 11 21:58:57 2026\t4634\tP\tN/A\tN/A\tSuccess Audit\t"
    "hv-dc01\tLogoff\t"
)


def test_a_logon_that_failed_has_the_fields_of_windows() -> None:
    assert {
        "Channel": "Security",
        "EventID": "4625",
        "Provider_Name": "Microsoft-Windows-Security-Auditing",
        "Computer": "hv-dc01.haivan.example",
        "EventTime": "Wed Nov 11 21:58:57 2026",
        "SubjectUserName": "HV-DC01$",
        "TargetUserName": "quantri",
        "TargetDomainName": "HAIVAN",
        "LogonType": "3",
        "IpAddress": "203.0.113.9",
        "IpPort": "51234",
    }.items() <= SEEN.events[0].items()
    assert "UserName" not in SEEN.events[0]


def test_an_event_of_sysmon_has_its_fields_blanks_in_values_included() -> None:
    event = SEEN.events[1]
    assert (event["Image"], event["ParentCommandLine"]) == (
        "C:\\Windows\\System32\\whoami.exe",
        'cmd /c "a  b"',
    )
    assert event["UtcTime"] == "2026-11-11 14:58:57.000"


def test_a_folded_message_gets_its_lines_back() -> None:
    message = (
        "A new process has been created.\n\nCreator Subject:\n\tSecurity ID:\t\tS-1-5-18\n\tLogon ID:"
        "\t\t0x3E7\n\nProcess Information:\n\tNew Process ID:\t\t0x1f4\n\tProcess Command Line:\tcmd /c a"
    )
    folded = message.replace("\n\n", "    ").replace("\n", "  ").replace("\t", " ")
    assert [line.split(":")[0] for line in unfolded(folded).split("\n")] == [
        line.split(":")[0] for line in message.split("\n")
    ]


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("<13>Nov 11 21:58:57 hv-dc02 ", "hv-dc01"),
        ("<13>1 2026-11-11T14:58:57Z hv-dc02 - - - - ", "hv-dc01"),
        ("hv-dc02\t", "hv-dc01"),
        ("", "hv-dc01"),
    ],
)
def test_the_header_may_be_of_any_kind(header: str, host: str) -> None:
    for mark in (RECORD, RECORD.replace("\t", "#011")):
        text = header.replace("\t", "#011") if "#011" in mark else header
        seen = feed(syslog.READER, f"{text}{mark}\tAn account was logged off.\t9".encode())
        assert seen.origins == ["windows"]
        event = seen.events[0]
        assert (event["EventID"], event["Computer"]) == ("4634", host)
        assert event["Message"].startswith("An account was logged off.")


def test_the_host_of_the_header_stands_for_one_that_is_not_told() -> None:
    line = "<13>Nov 11 21:58:57 hv-dc02 " + RECORD.replace("hv-dc01", "") + "\tx\t9"
    assert feed(syslog.READER, line.encode()).events[0]["Computer"] == "hv-dc02"


def test_a_relay_may_take_the_mark_for_a_program() -> None:
    line = f"Nov 11 21:58:57 hv-dc02 MSWinEventLog: {RECORD.partition(chr(9))[2]}\tx\t9"
    assert feed(syslog.READER, line.encode()).events[0]["EventID"] == "4634"


@pytest.mark.parametrize(
    "line",
    [
        "MSWinEventLog\t1\tSecurity",
        RECORD.replace("4634", "x") + "\ty",
        "Nov 11 21:58:57 hv-gw01 sshd[7]: " + RECORD + "\tx",
        "hv-dc01 " + RECORD.replace("MSWinEventLog", "Other"),
    ],
)
def test_other_lines_are_not_its(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_a_file_of_it_is_recognised() -> None:
    assert recognise(make_head("log", DATA), readers()) is READER


@pytest.mark.parametrize(
    "text", ["  Aa: " * 100_000, "A " * 300_000, " " * 600_000, "  A b c d e f" * 50_000]
)
def test_hostile_messages_take_linear_time(text: str) -> None:
    for record in (RECORD, RECORD.replace("Security", "Microsoft-Windows-Sysmon/Operational")):
        assert len(feed_in_time(READER, f"{record}\t{text}\t9".encode()).events) == 1


def test_rules_on_windows_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        failed=(
            "product: windows, service: security",
            "{EventID: 4625, TargetUserName: quantri, LogonType: 3}",
        ),
        started=("product: windows, category: process_creation", "{CommandLine|contains: whoami}"),
    )
    assert fired(tmp_path, DATA, rules) == {("failed", "1"), ("started", "2")}
