"""Unbound's queries, replies and local zones are read from its own file and out of syslog."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.unbound import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

DATA = sample("unbound", "unbound.log")
SEEN = feed(READER, DATA)
QUERY = {"action": "query", "client": "10.20.0.31", "query": "a.haivan.example", "record_type": "A"}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "time": "1794409137",
                "pid": "812",
                "thread": "0",
                "level": "info",
                "action": "query",
                "client": "10.20.0.31",
                "query": "aaa.stage.1.haivan.example",
                "record_type": "TXT",
                "record_class": "IN",
            },
        ),
        (1, {"action": "response", "answer": "NOERROR", "duration": "0.012345", "cached": "0", "size": "61"}),
        (2, {"action": "query", "level": "query", "client": "2001:db8:20::31", "record_type": "AAAA"}),
        (3, {"action": "response", "level": "reply", "answer": "NXDOMAIN", "cached": "1"}),
        (
            4,
            {
                "action": "always_nxdomain",
                "zone": "quang-cao.example",
                "client": "10.20.0.31",
                "client_port": "51234",
                "query": "a.quang-cao.example",
            },
        ),
        (5, {"timestamp": "Nov 11 21:59:00", "query": ".", "record_type": "NS"}),
    ],
)
def test_each_line_says_what_was_asked_or_answered(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_the_time_is_that_of_the_line() -> None:
    assert parse_time(SEEN.events[0]["time"]) == 1_794_409_137_000_000_000


@pytest.mark.parametrize(
    "header",
    [
        "Nov 11 21:58:57 hv-gw01 unbound: [812:0] info: ",
        "<30>Nov 11 21:58:57 hv-gw01 unbound[812]: [812:0] info: ",
        "2026-11-11T21:58:57.062143+07:00 hv-gw01 unbound[812]: [1794409137] unbound[812:0] info: ",
        "2026-11-11T21:58:57.417+07:00 unbound[812:0] info: query: ",
    ],
)
def test_lines_through_syslog_are_read(header: str) -> None:
    seen = feed(syslog.READER, f"{header}10.20.0.31 a.haivan.example. A IN".encode())
    assert seen.origins == ["unbound"]
    assert QUERY.items() <= seen.events[0].items()


def test_what_else_it_says_is_its_own_in_its_file_and_syslog_elsewhere() -> None:
    text = b"[812:0] info: start of service (unbound 1.22.0)."
    own = feed(READER, b"[1794409137] unbound" + text)
    assert own.origins == ["unbound"]
    assert own.events[0]["message"] == "start of service (unbound 1.22.0)."
    assert feed(syslog.READER, b"Nov 11 21:58:57 hv-gw01 unbound: " + text).origins == ["syslog"]


@pytest.mark.parametrize(
    "text", ["resolving haivan.example. A IN", "response for haivan.example. A IN", "a b c d e f", "1 A IN"]
)
def test_what_it_does_on_its_own_is_nobodys_query(text: str) -> None:
    (event,) = feed(READER, f"[1794409137] unbound[812:0] info: {text}".encode()).events
    assert (event["message"], "query" in event) == (text, False)


def test_its_own_file_is_recognised() -> None:
    assert recognise(make_head("log", DATA), readers()) is READER
    assert READER.recognises(head(b"[1794409137] khac[812:0] info: 10.20.0.31 a. A IN")) == 0
    assert READER.recognises(head(b"Nov 11 21:58:57 hv-gw01 unbound: [8:0] info: 10.0.0.1 a. A IN")) == 0
