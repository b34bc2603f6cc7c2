"""Alerts in lines of text have the fields of Suricata's JSON, from files and from syslog."""

from __future__ import annotations

import pytest

from haidang.events.readers import syslog
from haidang.events.readers.suricata_alerts import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, feed_in_time, head, sample

FAST = sample("suricata_alerts", "fast.log")
SEEN = feed(READER, FAST)


def test_an_alert_is_that_of_eve() -> None:
    assert SEEN.report.complete
    assert SEEN.origins == ["suricata"] * 3
    event = dict(SEEN.events[0])
    assert event.pop("raw") == FAST.decode().splitlines()[0]
    assert event == {
        "timestamp": "2026-11-11T21:59:02.417000",
        "event_type": "alert",
        "proto": "TCP",
        "src_ip": "203.0.113.9",
        "src_port": 45678,
        "dest_ip": "10.20.0.3",
        "dest_port": 1433,
        "alert": {
            "gid": 1,
            "signature_id": 2010935,
            "rev": 3,
            "signature": "ET SCAN Suspicious inbound to MSSQL port 1433",
            "category": "Potentially Bad Traffic",
            "severity": 2,
        },
    }


def test_addresses_of_ipv6_have_their_ports_behind_a_colon() -> None:
    event = SEEN.events[1]
    assert (event["src_ip"], event["src_port"]) == ("2001:0db8:0077:0000:0000:0000:0000:0009", 5353)
    assert event["alert"]["signature"] == "Trang thử nghiệm"


def test_snort_has_no_year_and_maybe_no_ports() -> None:
    event = SEEN.events[2]
    assert (event["timestamp"], event["alert"]["signature"]) == ("Nov 11 21:59:04.5", "ICMP seen")
    assert parse_time(event["timestamp"]) is not None
    assert not {"src_port", "dest_port"} & event.keys()


@pytest.mark.parametrize("program", ["snort", "suricata"])
def test_alerts_through_syslog_have_its_time(program: str) -> None:
    message = FAST.splitlines()[0].partition(b"[**] ")[2].replace(b" [**] ", b" ")
    line = b"<33>Nov 11 21:59:02 hv-ids01 " + program.encode() + b"[812]: " + message
    seen = feed(syslog.READER, line)
    assert seen.origins == ["suricata"]
    (event,) = seen.events
    assert (event["hostname"], event["timestamp"]) == ("hv-ids01", "Nov 11 21:59:02")
    assert event["alert"] == SEEN.events[0]["alert"]


def test_is_recognised_and_what_is_no_alert_is_not() -> None:
    assert READER.recognises(head(FAST)) == 93
    for line in (
        b"[1:2:3] x",
        b"11/11/2026-21:59:02 x",
        b"13/40/2026-21:59:02.4 [**] [1:2:3] x [**] {TCP} 1.1 -> 1.1",
    ):
        assert READER.recognises(head(line)) == 0


@pytest.mark.parametrize(
    "line",
    [
        "[1:2:3] " + "a " * 300_000,
        "[1:2:3] a [Classification: " + "b" * 600_000,
        "[1:2:3] a {TCP} " + "1" * 600_000,
        "[" * 600_000,
    ],
    ids=range(4),
)
def test_hostile_lines_take_linear_time(line: str) -> None:
    assert feed_in_time(READER, line.encode()).events
