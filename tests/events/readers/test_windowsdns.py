"""The packets of Microsoft's DNS server are read, with the names in them as people write them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.windowsdns import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, head, sample

DATA = sample("windowsdns", "dns.log")
SEEN = feed(READER, DATA)
KEY = b"""DNS Server log file creation at 11/11/2026 9:58:50 PM
Log file wrap at 11/11/2026 9:58:50 PM

Message logging key (for packets - other items use a subset of these fields):
\tField #  Information         Values
\t-------  -----------         ------
\t   1     Date
\t   2     Time

"""
DETAILS = b"""UDP question info at 000001D2A83397A0
  Socket = 1044
  Message:
    XID       0x5b47
    Flags     0x0100
      QR        0 (QUESTION)
    QUESTION SECTION:
    Offset = 0x000c, RR count = 0
    Name      "(6)haivan(7)example(0)"
      QTYPE   A (1)
      QCLASS  1
"""
PACKET = (
    b"11/11/2026 9:58:57 PM 0E70 PACKET  000001D2A83397A0 UDP Rcv 10.20.0.31 5b47   Q [0001   D   NOERROR] A "
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "thread": "0E70",
                "context": "PACKET",
                "packet": "000001D2A83397A0",
                "protocol": "UDP",
                "direction": "Rcv",
                "client": "10.20.0.31",
                "xid": "5b47",
                "action": "query",
                "opcode": "Q",
                "flags": "D",
                "flags_hex": "0001",
                "record_type": "TXT",
                "query": "aaa.stage.1.haivan.example",
            },
        ),
        (1, {"action": "query", "direction": "Snd", "server": "198.51.100.53"}),
        (2, {"action": "response", "server": "198.51.100.53", "flags": "DR", "answer": "NOERROR"}),
        (3, {"action": "response", "client": "10.20.0.31", "flags": "ADR", "answer": "NXDOMAIN"}),
        (4, {"client": "2001:db8:20::31", "protocol": "TCP", "opcode": "U", "query": "haivan.local"}),
        (5, {"answer": "REFUSED", "flags": "D", "query": "."}),
        (6, {"context": "EVENT", "message": "The DNS server has finished the background loading of zones."}),
    ],
)
def test_each_line_says_who_asked_for_what(at: int, expected: dict[str, str]) -> None:
    event = SEEN.events[at]
    assert expected.items() <= event.items()
    assert not {"client", "server"} <= event.keys()
    assert parse_time(event["time"]) is not None


def test_a_query_that_goes_out_has_no_status() -> None:
    assert "answer" not in SEEN.events[0]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("(3)www(6)haivan(7)example(0)", "www.haivan.example"),
        ("(12)may-tram-001(0)", "may-tram-001"),
        ("(6)a(3)bc(2)vn(0)", "a(3)bc.vn"),
        ("(9)h\u1ea3iv\u00e2n(2)vn(0)", "h\u1ea3iv\u00e2n.vn"),
        ("(3)www(60)cut", "www.cut"),
        (".www.haivan.example.", "www.haivan.example"),
        ("(0)", "."),
    ],
)
def test_lengths_become_dots(written: str, name: str) -> None:
    assert feed(READER, PACKET + written.encode()).events[0]["query"] == name


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("11/5/2026 9:58:57 PM", "2026-11-05T21:58:57"),
        ("05/11/2026 9:58:57 CH", "2026-11-05T21:58:57"),
        ("25/11/2026 21:58:57", "2026-11-25T21:58:57"),
        ("05.11.2026 21:58:57", "2026-11-05T21:58:57"),
        ("05-11-2026 21.58.57", "2026-11-05T21:58:57"),
        ("2026/11/05 21:58:57", "2026-11-05T21:58:57"),
        ("2026-11-05 21:58:57", "2026-11-05T21:58:57"),
    ],
)
def test_the_time_is_in_the_order_of_its_region(written: str, time: str) -> None:
    line = f"{written} 0E70 EVENT   x".encode()
    assert parse_time(feed(READER, line).events[0]["time"]) == parse_time(time)


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["05/11/2026 21:58:57", "13/11/2026 21:58:57"], ["2026-11-05", "2026-11-13"]),
        (["05/11/2026 9:58:57 PM", "13/11/2026 9:58:57 PM"], ["2026-11-05", "2026-11-13"]),
        (["11/05/2026 21:58:57", "11/13/2026 21:58:57"], ["2026-11-05", "2026-11-13"]),
        (["11/05/2026 21:58:57", "11/06/2026 21:58:57"], ["2026-11-05", "2026-11-06"]),
    ],
)
def test_a_day_over_twelve_tells_how_all_of_a_file_is_written(dates: list[str], days: list[str]) -> None:
    lines = [f"{dates[0]} 0E70 EVENT   x\n"] * 5 + [f"{dates[1]} 0E70 EVENT   x\n"]
    for limits in (DEFAULT_LIMITS, replace(DEFAULT_LIMITS, batch_events=2)):
        seen = feed(READER, "".join(lines).encode(), limits=limits)
        assert seen.records == [1, 2, 3, 4, 5, 6]
        times = [parse_time(event["time"]) for event in seen.events]
        assert times == [parse_time(f"{day}T21:58:57Z") for day in [days[0]] * 5 + [days[1]]]


def test_what_is_too_far_on_does_not_tell() -> None:
    lines = b"05/11/2026 21:58:57 0E70 EVENT   x\n" * 5 + b"13/11/2026 21:58:57 0E70 EVENT   x\n"
    seen = feed(READER, lines, limits=replace(DEFAULT_LIMITS, batch_events=1, spool_bytes=100))
    assert parse_time(seen.events[0]["time"]) == parse_time("2026-05-11T21:58:57Z")
    assert parse_time(seen.events[5]["time"]) == parse_time("2026-11-13T21:58:57Z")


def test_a_whole_file_is_its_own_and_nothing_in_it_is_a_fault() -> None:
    data = KEY + (PACKET + b"(6)haivan(7)example(0)\r\n\r\n" + DETAILS) * 3
    assert recognise(make_head("dns.log", data), readers()) is READER
    seen = feed(READER, data)
    assert (seen.report.complete, seen.problems) == (True, {})
    assert seen.origins.count("windowsdns") == 3 + 2 * 3
    assert sum("query" in event for event in seen.events) == 3


def test_the_sample_is_recognised_without_its_key() -> None:
    assert recognise(make_head("dns.log", DATA), readers()) is READER


@pytest.mark.parametrize(
    "line",
    [
        "11/11/2026 9:58:57 PM started",
        "11/11/2026 21:58:57 0E70 error x",
        "Log file x",
        "2026-11-11 1 PACKET",
    ],
)
def test_what_is_no_line_of_it_is_not_taken(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_what_sshd_quotes_is_not_taken() -> None:
    line = b"Nov 11 21:58:57 hv-gw01 sshd[1]: " + PACKET + b"(1)a(0)"
    assert feed(syslog.READER, line).origins == ["syslog"]
