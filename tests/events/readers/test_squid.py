"""Squid's requests are read in both formats, and their URLs taken apart."""

from __future__ import annotations

import pytest

from haidang.events.readers._urls import url_parts
from haidang.events.readers.squid import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

NATIVE = feed(READER, sample("squid", "access.log"))
COMBINED = feed(READER, sample("squid", "combined.log"))


def test_the_native_format_is_read() -> None:
    line = sample("squid", "access.log").decode().splitlines()[0]
    assert NATIVE.events[0] == {
        "raw": line,
        "timestamp": "1794409137.417",
        "duration": "123",
        "client": "10.20.0.31",
        "result": "TCP_MISS",
        "status": "200",
        "bytes": "48112",
        "method": "GET",
        "url": "http://tai-lieu.haivan.top/mau/Don-Xin.EXE?id=7",
        "user": "hoa.nt",
        "hierarchy": "HIER_DIRECT",
        "peer": "203.0.113.77",
        "content_type": "application/octet-stream",
        "host": "tai-lieu.haivan.top",
        "uri": "/mau/Don-Xin.EXE?id=7",
        "path": "/mau/Don-Xin.EXE",
        "query": "id=7",
        "extension": "exe",
    }
    assert parse_time(NATIVE.events[0]["timestamp"]) == 1_794_409_137_417_000_000


def test_a_tunnel_has_host_and_port() -> None:
    event = NATIVE.events[1]
    assert (event["host"], event["port"], event["peer"]) == ("api.telegram.org", "443", "203.0.113.78")
    assert "user" not in event
    assert "path" not in event


def test_what_was_no_request_has_no_host() -> None:
    assert "host" not in NATIVE.events[3]
    assert "peer" not in NATIVE.events[3]


def test_the_combined_format_has_the_user_agent() -> None:
    event = COMBINED.events[0]
    assert (event["user_agent"], event["host"], event["extension"]) == (
        "Microsoft BITS/7.8",
        "203.0.113.81",
        "zip",
    )
    assert (event["status"], event["result"], event["user"]) == ("200", "TCP_MISS", "hoa.nt")
    assert COMBINED.events[1]["host"] == "mot-cua.haivan.example"
    assert all(parse_time(event["timestamp"]) for event in COMBINED.events)


def test_a_web_server_s_log_is_not_squid_s() -> None:
    line = b'203.0.113.7 - - [11/Nov/2026:21:58:57 +0700] "GET / HTTP/1.1" 200 12 "-" "curl/8"'
    assert READER.recognises(head(line)) == 0
    assert READER.recognises(head(b"1794409137.417 something 1 2 3")) == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.vn", {"host": "a.vn"}),
        (
            "HTTPS://A.vn:8443/x/y.PDF#z",
            {"host": "a.vn", "port": "8443", "path": "/x/y.PDF", "extension": "pdf"},
        ),
        (
            "http://user:secret@a.vn/?q=a/b.c",
            {"host": "a.vn", "path": "/", "uri": "/?q=a/b.c", "query": "q=a/b.c"},
        ),
        ("http://[2001:db8::1]:80/a", {"host": "2001:db8::1", "port": "80", "path": "/a"}),
        ("a.vn:443", {"host": "a.vn", "port": "443"}),
        ("a.vn/x.zip", {"host": "a.vn", "path": "/x.zip", "extension": "zip"}),
        ("http://a.vn?q", {"host": "a.vn", "query": "q"}),
        ("http://a.vn/..%2f.x-y", {"host": "a.vn", "path": "/..%2f.x-y"}),
        ("", {}),
        ("/only/a/path.exe", {}),
        ("http://a b/", {}),
    ],
)
def test_a_url_is_taken_apart(url: str, expected: dict[str, str]) -> None:
    parts = dict(url_parts(url))
    assert {name: parts.get(name) for name in parts if name in expected or name != "uri"} == expected
    assert dict(url_parts(url, "x_")) == {f"x_{name}": value for name, value in parts.items()}
