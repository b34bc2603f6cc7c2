"""CoreDNS's queries are read, from its output, out of syslog and inside what containers write."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.coredns import READER
from haidang.events.recognition import make_head, recognise
from tests.events.readers.feeding import feed, head, sample

DATA = sample("coredns", "log.txt")
LINES = DATA.splitlines()
SEEN = feed(READER, DATA)


def test_a_query_is_taken_apart() -> None:
    assert SEEN.events[0] == {
        "level": "INFO",
        "action": "query",
        "client": "10.20.0.31",
        "client_port": "51234",
        "xid": "29008",
        "query": "aaa.stage.1.haivan.example",
        "record_type": "TXT",
        "record_class": "IN",
        "protocol": "udp",
        "answer": "NOERROR",
        "flags": "qr,rd,ra",
        "size": "68",
        "duration": "0.037990251s",
        "raw": LINES[0].decode(),
    }


def test_addresses_of_ipv6_lose_their_brackets() -> None:
    event = SEEN.events[1]
    assert (event["client"], event["client_port"], event["answer"]) == (
        "2001:db8:20::31",
        "51235",
        "NXDOMAIN",
    )


def test_the_root_keeps_its_dot() -> None:
    assert SEEN.events[2]["query"] == "."


@pytest.mark.parametrize(
    "header", [b"2026-11-11T21:58:57.417Z ", b"Nov 11 21:58:57 hv-k8s01 coredns[7]: ", b"<30>", b""]
)
def test_a_header_may_be_before_it(header: bytes) -> None:
    seen = feed(syslog.READER, header + LINES[0])
    assert seen.origins == ["coredns"]
    assert seen.events[0]["query"] == "aaa.stage.1.haivan.example"


def test_inside_what_a_container_writes_it_is_read_with_the_time_of_the_container() -> None:
    seen = feed(readers()["containers"], b"2026-11-11T21:58:57.417000123Z stdout F " + LINES[0])
    assert seen.origins == ["coredns"]
    assert "2026-11-11T21:58:57.417000123Z" in seen.events[0].values()


@pytest.mark.parametrize(
    "line",
    [
        "[INFO] plugin/reload: Running configuration SHA512 = 7a",
        "[ERROR] plugin/errors: 2 haivan.example. A: read udp 10.20.0.31:1->8.8.8.8:53: i/o timeout",
        "[INFO] 10.20.0.31:51234 - started",
    ],
)
def test_what_else_it_says_is_not_taken(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_its_output_is_recognised() -> None:
    assert recognise(make_head("log", DATA), readers()) is READER
