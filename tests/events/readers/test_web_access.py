"""Access logs are read in all their forms, and a request is seen as it travelled and in the clear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.events.readers.web_access import READER, parse_line
from haidang.events.times import format_time, parse_time
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, feed_in_time, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)


def request(text: str) -> dict[str, object]:
    """Return the fields of a line with that request."""
    fields = parse_line(f'192.0.2.1 - - [11/Nov/2026:21:58:01 +0700] "{text}" 200 1')
    assert fields is not None
    return fields


def test_reads_the_combined_format() -> None:
    seen = feed(READER, sample("web_access", "combined.log"), limits=SMALL)
    assert seen.report.complete
    assert seen.records == list(range(1, 8))
    assert seen.events[1] == {
        "time": "11/Nov/2026:21:58:07 +0700",
        "c-ip": "203.0.113.24",
        "cs-username": "hoa.nt",
        "cs-method": "GET",
        "cs-version": "HTTP/2.0",
        "cs-uri": "/mot-cua/ho-so?ma=HV-2026-11&trang=2",
        "cs-uri-stem": "/mot-cua/ho-so",
        "cs-uri-query": ["/mot-cua/ho-so?ma=HV-2026-11&trang=2", "ma=HV-2026-11&trang=2"],
        "sc-status": 200,
        "sc-bytes": 18211,
        "cs-referer": "https://dvc.haivan.example/",
        "cs-user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
    }
    moment = parse_time(seen.events[1]["time"])
    assert moment is not None
    assert format_time(moment) == "2026-11-11T14:58:07.000Z"


def test_reads_the_common_format_and_users_with_blanks() -> None:
    seen = feed(READER, sample("web_access", "common.log"))
    assert seen.report.complete
    assert seen.events[1]["cs-username"] == "van thu"
    assert "sc-bytes" not in seen.events[1]
    assert not any("cs-user-agent" in event or "cs-referer" in event for event in seen.events)


def test_reads_a_virtual_host_before_and_more_behind() -> None:
    first, second = feed(READER, sample("web_access", "vhost.log")).events
    assert (first["cs-host"], first["s-port"], first["c-ip"]) == ("dvc.haivan.example", 443, "203.0.113.24")
    assert second["cs-username"] == "hoa.nt"
    assert second["extra"] == '"198.51.100.77"'


def test_what_is_written_as_a_dash_is_absent() -> None:
    seen = feed(READER, sample("web_access", "combined.log"))
    assert seen.events[6] == {"time": "11/Nov/2026:21:59:04 +0700", "c-ip": "198.51.100.9", "sc-status": 408}


def test_a_path_alone_is_one_form() -> None:
    fields = request("GET /a/b HTTP/1.1")
    assert fields["cs-uri"] == "/a/b"
    assert "cs-uri-query" not in fields
    assert "cs-uri-stem" not in fields


@pytest.mark.parametrize(
    ("target", "forms", "stem"),
    [
        ("/a?b=1", ["/a?b=1", "b=1"], "/a"),
        ("/a?", None, "/a"),
        ("/%61/b", ["/%61/b", "/a/b"], ["/%61/b", "/a/b"]),
        ("/a?b=%2e%2e", ["/a?b=%2e%2e", "b=%2e%2e", "/a?b=.."], "/a"),
        ("/a?b=1+2", ["/a?b=1+2", "b=1+2", "/a?b=1 2"], "/a"),
        ("/a+b", None, None),
        ("/%252e%252e", ["/%252e%252e", "/%2e%2e", "/.."], ["/%252e%252e", "/%2e%2e"]),
        ("/100%", None, None),
        ("/%ff", ["/%ff", "/\ufffd"], ["/%ff", "/\ufffd"]),
        ("http://a.example/x?y", ["http://a.example/x?y", "y"], "http://a.example/x"),
    ],
)
def test_a_target_has_each_form_that_rules_look_for_once(target: str, forms: object, stem: object) -> None:
    fields = request(f"GET {target} HTTP/1.1")
    assert fields["cs-uri"] == target
    assert fields.get("cs-uri-query") == forms
    assert fields.get("cs-uri-stem") == stem


def test_takes_off_the_escapes_of_the_server() -> None:
    event = feed(READER, sample("web_access", "combined.log")).events[4]
    assert event["cs-user-agent"] == 'a "quoted" agent đ\\'
    assert request("GET /a\\x22b\\x5c HTTP/1.1")["cs-uri"] == '/a"b\\'
    assert request("GET /\\x00\\xff HTTP/1.1")["cs-uri"] == "/\\x00\\xff"


@pytest.mark.parametrize("text", ["\\x16\\x03\\x01", "Gh0st\\xAD x", "x", "12 /a HTTP/1.1", "GET"])
def test_what_is_no_request_line_is_kept_as_it_is(text: str) -> None:
    fields = request(text)
    assert fields["request"] == text
    assert "cs-uri" not in fields


def test_a_request_may_have_blanks_in_it_and_no_version() -> None:
    assert request("GET /a b c HTTP/1.1")["cs-uri"] == "/a b c"
    assert request("GET /a")["cs-uri"] == "/a"


def test_a_line_of_something_else_is_kept_as_text_and_noted() -> None:
    data = sample("web_access", "common.log") + b"PHP Warning: mkdir() failed\n\n\x00\x00\n"
    seen = feed(READER, data)
    assert seen.events[-1] == {"message": "PHP Warning: mkdir() failed"}
    assert seen.problems == {"broken-line": ("line 4", 1)}
    assert seen.report.skipped == 0


def test_survives_carriage_returns_a_byte_order_mark_and_latin_1() -> None:
    line = b'192.0.2.1 - - [11/Nov/2026:21:58:01 +0700] "GET /\xe9 HTTP/1.1" 200 1 "-" "a"'
    seen = feed(READER, b"\xef\xbb\xbf" + line + b"\r\n" + line + b"\r\n")
    assert [event["cs-uri"] for event in seen.events] == ["/\ufffd"] * 2
    assert [event["c-ip"] for event in seen.events] == ["192.0.2.1"] * 2
    assert seen.problems == {"invalid-utf8": ("line 1", 2)}


@pytest.mark.parametrize(
    "line",
    [
        b"Nov  3 04:05:06 h nginx[1]: restarted",
        b"2026/11/11 21:58:01 [notice] 70#70: signal process started",
        b'[Wed Nov 11 21:58:44 2026] [error] [client 198.51.100.9] "GET / HTTP/1.1" 200 1',
        b'{"message": "192.0.2.1 - - [11/Nov/2026:21:58:01 +0700]"}',
        b'192.0.2.1 - - [11/Nov/2026:21:58:01] "GET / HTTP/1.1" 200 1',
    ],
)
def test_does_not_take_other_logs_for_access_logs(line: bytes) -> None:
    assert READER.recognises(head((line + b"\n") * 5)) == 0


_BEGIN = b'192.0.2.1 - - [11/Nov/2026:21:58:01 +0700] "'


@pytest.mark.parametrize(
    "line",
    [
        _BEGIN + b"\\x" * 500_000,
        _BEGIN + b'GET /" 200 1 "' * 100_000,
        _BEGIN + b"GET /" + b"%25" * 300_000 + b' HTTP/1.1" 200 1',
        _BEGIN + b"GET /?" + b"a=b+" * 300_000 + b' HTTP/1.1" 200 1',
        b"a " * 500_000,
        b"- " * 500_000 + b"[11/Nov/2026:21:58:01 +0700] ",
    ],
)
def test_hostile_lines_take_linear_time(line: bytes) -> None:
    assert feed_in_time(READER, line + b"\n").events


def test_reads_the_access_logs_of_the_corpora(corpora: Path) -> None:
    for pattern, count in (("nginx-http*", 4), ("apache2*", 2), ("zoneminder_cve*", 3), ("bunkerweb*", 3)):
        paths = sorted((corpora / "logs").glob(pattern))
        assert len(paths) == count, pattern
        for path in paths:
            data = path.read_bytes()
            assert READER.recognises(head(data, path.name)) > 80, path
            seen = feed(READER, data)
            assert seen.report.complete, path
            assert len(seen.events) == sum(bool(line.strip()) for line in data.split(b"\n"))
            assert all("c-ip" in event and "sc-status" in event for event in seen.events), path


BALANCERS = feed(READER, sample("web_access", "balancers.log"))


def test_load_balancers_of_aws_write_the_whole_address() -> None:
    assert BALANCERS.report.complete
    first, second, third = BALANCERS.events[:3]
    assert (
        first.items()
        >= {
            "time": "2026-11-11T14:58:02.186641Z",
            "c-ip": "203.0.113.9",
            "c-port": 2817,
            "cs-host": "www.example",
            "s-port": 443,
            "cs-method": "GET",
            "cs-uri": "/.git/config?x=%2e",
            "cs-uri-stem": "/.git/config",
            "sc-status": 404,
            "sc-bytes": 57,
            "cs-user-agent": "curl/8.5",
        }.items()
    )
    assert (second["c-ip"], second["cs-uri"], second["sc-status"]) == ("2001:db8:77::9", "/", 400)
    assert third["c-ip"] == "203.0.113.9"
    assert "cs-host" not in third


def test_nginx_proxy_manager_writes_the_client_behind_the_request() -> None:
    assert BALANCERS.events[3] == {
        "time": "11/Nov/2026:21:58:05 +0700",
        "c-ip": "203.0.113.9",
        "cs-method": "GET",
        "cs-host": "www.example",
        "cs-uri": "/x?a=1",
        "cs-uri-stem": "/x",
        "cs-uri-query": ["/x?a=1", "a=1"],
        "sc-status": 404,
        "sc-bytes": 192,
        "cs-user-agent": "curl/8.5",
        "cs-referer": "https://from.example/",
    }
    assert (BALANCERS.events[4]["sc-status"], BALANCERS.events[4]["cs-uri"]) == (444, "/.env")


@pytest.mark.parametrize(
    "line",
    [
        "https " + "a" * 600_000,
        "2026-11-11T14:58:02Z a 1.1.1.1:1 - " + "1 " * 300_000,
        '2026-11-11T14:58:02Z a 1.1.1.1:1 - 1 1 1 200 200 0 0 "' + "\\" * 600_001,
        "[11/Nov/2026:21:58:05 +0700] " + "[" * 600_000,
        '[11/Nov/2026:21:58:05 +0700] 200 - GET https a "/" [Client a] [Length 1]' + " [Gzip -]" * 60_000,
    ],
    ids=range(5),
)
def test_hostile_lines_of_balancers_take_linear_time(line: str) -> None:
    assert feed_in_time(READER, line.encode()).events


def test_errors_in_the_same_file_are_errors() -> None:
    access = b'192.0.2.1 - - [11/Nov/2026:21:58:01 +0700] "GET / HTTP/1.1" 200 1'
    error = b'2026/11/11 21:58:02 [error] 31#31: *7 open() "/x" failed, client: 192.0.2.1, server: w'
    seen = feed(READER, b"\n".join([access, error, access, b"oops"]))
    assert dict(zip(seen.records, seen.origins, strict=True)) == {
        1: "webserver",
        2: "weberror",
        3: "webserver",
        4: "webserver",
    }
    assert seen.problems == {"broken-line": ("line 4", 1)}
