"""Error logs of Apache and nginx give who asked for what, and keep the message whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.events.readers.web_errors import READER, parse_line
from haidang.events.times import parse_time
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, feed_in_time, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)


def test_reads_both_forms_of_apache() -> None:
    seen = feed(READER, sample("web_errors", "apache.log"), limits=SMALL)
    assert seen.report.complete
    start, long, denied, old, crash = seen.events
    assert (start["module"], start["level"], start["pid"], start["tid"]) == (
        "mpm_event",
        "notice",
        812,
        139729,
    )
    assert (start["code"], "c-ip" in start) == ("AH00489", False)
    assert (long["c-ip"], long["c-port"], long["code"]) == ("198.51.100.9", 51188, "AH00036")
    assert (denied["c-ip"], denied["c-port"]) == ("2001:db8:0:0:0:0:0:17", 51189)
    assert old == {
        "time": "Wed Nov 11 21:58:44 2026",
        "server": "apache",
        "level": "error",
        "message": "[client 198.51.100.9] File does not exist: /srv/web/wp-login.php",
        "c-ip": "198.51.100.9",
    }
    assert "exit signal Segmentation fault" in crash["message"]
    assert all(parse_time(event["time"]) is not None for event in seen.events)


def test_reads_nginx_with_the_parts_of_the_request() -> None:
    seen = feed(READER, sample("web_errors", "nginx.log"))
    assert seen.report.complete
    start, missing, refused, crash, more = seen.events
    assert (start["pid"], start["server"], "connection" in start) == (70, "nginx", False)
    assert missing["connection"] == 77
    assert missing["cs-uri-query"] == ["/wp-login.php?x=%2e%2e", "x=%2e%2e", "/wp-login.php?x=.."]
    assert (missing["cs-host"], missing["server_name"]) == ("dvc.haivan.example", "dvc.haivan.example")
    assert missing["cs-referer"] == "https://haivan.example/"
    assert (refused["c-ip"], refused["upstream"]) == ("2001:db8::17", "http://192.0.2.30:9000/api")
    assert (refused["cs-method"], refused["cs-uri"]) == ("POST", "/api")
    assert crash["message"] == "worker process 71 exited on signal 6 (core dumped)"
    assert more == {"message": "\ta line that goes on"}


def test_takes_apart_what_modsecurity_says() -> None:
    (event,) = feed(READER, sample("web_errors", "modsecurity.log")).events
    assert event["modsecurity_id"] == "900110"
    assert event["modsecurity_tag"] == ["attack-lfi", "haivan"]
    assert event["c-ip"] == "198.51.100.9"


def test_a_client_cannot_give_itself_another_address() -> None:
    fields = parse_line(
        "2026/11/11 21:58:40 [error] 71#71: *77 open() failed, client: 198.51.100.9, server: _, "
        'request: "GET /, client: 192.0.2.1, server: x HTTP/1.1", host: "a"'
    )
    assert fields is not None
    assert (fields["c-ip"], fields["server_name"]) == ("198.51.100.9", "_")


def test_a_line_of_a_script_is_kept_as_text_and_noted() -> None:
    seen = feed(READER, sample("web_errors", "apache.log") + b"sh: 1: wget: not found\n\n")
    assert seen.events[-1] == {"message": "sh: 1: wget: not found"}
    assert seen.problems == {"broken-line": ("line 6", 1)}
    assert seen.report.skipped == 0


@pytest.mark.parametrize(
    "line",
    [
        b'192.0.2.1 - - [11/Nov/2026:21:58:01 +0700] "GET / HTTP/1.1" 200 1',
        b"[2026-11-11 21:58:01] production.ERROR: failed",
        b"2026/11/11 21:58:01 [Info] 70 started",
        b"[Wed Nov 11 21:58:44 2026] [login] hoa",
        b"Nov  3 04:05:06 h p: m",
    ],
)
def test_does_not_take_other_logs_for_error_logs(line: bytes) -> None:
    assert READER.recognises(head((line + b"\n") * 5)) == 0


@pytest.mark.parametrize(
    "line",
    [
        b"2026/11/11 21:58:40 [error] 71#71: *77 x, client: " + b', host: "' * 200_000,
        b"2026/11/11 21:58:40 [error] 71#71: *77 x" + b", client: " * 200_000,
        b"[Wed Nov 11 21:58:44 2026] [error] ModSecurity: " + b'[id "' * 200_000,
        b"[Wed Nov 11 21:58:44 2026] [error] (" + b"(a)b: " * 200_000,
        b"[" * 500_000,
    ],
)
def test_hostile_lines_take_linear_time(line: bytes) -> None:
    assert feed_in_time(READER, line + b"\n").events


def test_reads_the_error_logs_of_the_corpora(corpora: Path) -> None:
    for name, count in (
        ("baikal-logs__baikal-logs.log", 18),
        ("modsecurity-nginx__modsecurity-nginx.log", 2),
    ):
        data = (corpora / "logs" / name).read_bytes()
        assert READER.recognises(head(data, name)) > 80
        seen = feed(READER, data)
        assert seen.report.complete
        assert len(seen.events) == count
        assert all("c-ip" in event for event in seen.events)
