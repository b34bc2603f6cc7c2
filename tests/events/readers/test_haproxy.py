"""Requests that HAProxy passed on are events of a web server; what else it says stays syslog."""

from __future__ import annotations

import pytest

from haidang.events.readers import syslog
from haidang.events.readers.haproxy import READER
from tests.events.readers.feeding import feed, head, sample

LINES = sample("haproxy", "http.log").splitlines()
HEADER = b"Nov 11 21:58:04 hv-lb01 haproxy[812]: "
SEEN = feed(syslog.READER, b"\n".join(HEADER + line for line in LINES))


def test_requests_are_those_of_a_web_server_and_the_rest_is_syslog() -> None:
    assert sorted(zip(SEEN.records, SEEN.origins, strict=True)) == [
        (1, "webserver"),
        (2, "webserver"),
        (3, "syslog"),
        (4, "syslog"),
    ]


def test_a_request_is_taken_apart() -> None:
    event = {name: value for name, value in SEEN.events[0].items() if name != "raw"}
    assert event == {
        "hostname": "hv-lb01",
        "program": "haproxy",
        "pid": "812",
        "time": "11/Nov/2026:21:58:01.113",
        "c-ip": "203.0.113.9",
        "c-port": 51234,
        "frontend": "www",
        "backend": "app",
        "server": "app1",
        "time-taken": 13,
        "sc-status": 404,
        "sc-bytes": 1234,
        "termination": "----",
        "captured": ["www.example", "curl/8.5"],
        "cs-method": "GET",
        "cs-version": "HTTP/1.1",
        "cs-uri": "/.git/config?x=%2e",
        "cs-uri-stem": "/.git/config",
        "cs-uri-query": ["/.git/config?x=%2e", "x=%2e", "/.git/config?x=."],
    }


def test_what_was_no_request_has_a_client_and_an_end() -> None:
    event = SEEN.events[1]
    assert (event["c-ip"], event["c-port"], event["sc-status"]) == ("2001:db8:77::9", 51235, 400)
    assert (event["termination"], event["captured"]) == ("PR--", ["nginx"])
    assert not {"server", "cs-method", "request"} & event.keys()


@pytest.mark.parametrize(
    "line",
    [
        "203.0.113.9:1 [11/Nov/2026:21:58:01.113] www~ app/app1 0/0/1/12/13 404 1234 - - ---- 1/1/0/0/0 0/0",
        'x 203.0.113.9:1 [11/Nov/2026:21:58:01.113] a b/c 0/0/1/12/13 404 1 - - ---- 1/1/0/0/0 0/0 "GET / H"',
    ],
)
def test_what_is_no_whole_request_is_not_taken(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert READER.parse_message({"message": line, "raw": line}) is None


def test_lines_without_a_header_are_read_too() -> None:
    assert READER.recognises(head(b"\n".join(LINES))) == 93
    (event,) = feed(READER, LINES[0]).events
    assert "hostname" not in event
    assert event["cs-uri-stem"] == "/.git/config"
