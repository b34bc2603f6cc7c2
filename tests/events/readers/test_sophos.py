"""Sophos Firewall's pairs are read, of either of its formats, with the time of the device."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.sophos import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

DATA = sample("sophos", "sfos.log")
SEEN = feed(READER, DATA)


def test_keys_and_values_are_as_written() -> None:
    event = SEEN.events[0]
    assert (event["log_type"], event["log_subtype"], event["fw_rule_name"]) == (
        "Firewall",
        "Allowed",
        "Ra ngoài",
    )
    assert (event["src_ip"], event["dst_port"], event["protocol"]) == ("10.20.0.31", "23", "TCP")
    assert "user_name" not in event
    assert event["raw"] == DATA.decode().splitlines()[0]


@pytest.mark.parametrize(
    ("at", "time"),
    [
        (0, "2026-11-11T14:58:57Z"),
        (2, "2026-11-11T21:58:59Z"),
        (3, "2026-11-11T14:59:00Z"),
    ],
)
def test_the_time_has_the_zone_where_it_is_a_number(at: int, time: str) -> None:
    assert parse_time(SEEN.events[at]["time"]) == parse_time(time)


def test_the_url_is_taken_apart() -> None:
    event = SEEN.events[2]
    assert (event["url_host"], event["url_path"], event["url_extension"]) == (
        "203.0.113.81",
        "/tai/mau.exe",
        "exe",
    )


def test_a_line_of_syslog_is_read_with_its_host() -> None:
    for header in (b"<30>", b"Nov 11 21:58:57 10.20.0.1 ", b"<30>Nov 11 21:58:57 hv-fw01 "):
        seen = feed(syslog.READER, header + DATA.splitlines()[3])
        assert seen.origins == ["sophos"]
        assert seen.events[0]["dst_port"] == "21"


@pytest.mark.parametrize(
    "line", ['device="SFW" date=2026-11-11', "device_name=a b=c", 'device="X" log_type="Firewall"', "d"]
)
def test_other_pairs_are_not_its(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_a_file_of_it_is_recognised() -> None:
    assert recognise(make_head("log", DATA), readers()) is READER
