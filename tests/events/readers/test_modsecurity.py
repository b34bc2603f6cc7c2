"""Each transaction of an audit log is one event, whatever is in its body."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from haidang.events.readers.modsecurity import READER
from haidang.events.times import parse_time
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, feed_in_time, head, sample
from tests.events.readers.tearing import samples, torn

SMALL = replace(DEFAULT_LIMITS, batch_events=1)


def test_reads_request_response_and_what_the_engine_said() -> None:
    seen = feed(READER, sample("modsecurity", "serial.log"), limits=SMALL)
    assert seen.report.complete
    assert seen.records == [1, 34]
    event = seen.events[0]
    assert parse_time(event["time"]) is not None
    expected = {
        "unique_id": "Z9sKqX8AAQEAAB",
        "c-ip": "198.51.100.9",
        "c-port": 51188,
        "s-ip": "192.0.2.10",
        "s-port": 443,
        "cs-method": "POST",
        "cs-uri-stem": "/tai-ve",
        "cs-host": "dvc.haivan.example",
        "cs-user-agent": "curl/8.5.0",
        "cs-content-type": "application/x-www-form-urlencoded",
        "request_body": "lenh=whoami&\ndong=2",
        "sc-status": 403,
        "response_headers": {"content-type": "text/html"},
        "response_body": "<html>Từ chối</html>",
        "action": "Intercepted (phase 2)",
        "engine_mode": '"ENABLED"',
        "modsecurity_id": ["900110", "900111"],
        "modsecurity_severity": "CRITICAL",
    }
    assert expected.items() <= event.items()
    assert event["request_headers"]["x-forwarded-for"] == ["203.0.113.5", "203.0.113.6"]
    assert "/tai-ve?tep=../../etc/passwd" in event["cs-uri-query"]
    assert len(event["messages"]) == 2
    assert (seen.events[1]["cs-uri"], seen.events[1]["sc-status"]) == ("/tin-tuc", 200)


def test_reads_what_version_3_writes() -> None:
    (event,) = feed(READER, sample("modsecurity", "version3.log")).events
    assert (event["sc-status"], event["modsecurity_id"]) == (403, "900120")
    assert event["cs-uri"] == "/?q=<script>alert(1)</script>"


def test_a_mark_of_another_transaction_in_a_body_belongs_to_the_body() -> None:
    data = sample("modsecurity", "serial.log").replace(b"lenh=whoami&", b"--deadbeef-Z--")
    seen = feed(READER, data)
    assert seen.report.complete
    assert seen.events[0]["request_body"] == "--deadbeef-Z--\ndong=2"
    assert seen.events[0]["sc-status"] == 403


def test_a_transaction_without_end_is_handed_over_and_noted() -> None:
    data = sample("modsecurity", "serial.log")
    seen = feed(READER, data[: data.index(b"--c7036611-H--")])
    assert [event["sc-status"] for event in seen.events] == [403]
    assert seen.problems == {"truncated": ("line 1", 1)}
    seen = feed(READER, data.replace(b"--c7036611-Z--\n", b""))
    assert [event["sc-status"] for event in seen.events] == [403, 200]
    assert seen.problems == {"truncated": ("line 1", 1)}


def test_what_is_outside_of_a_transaction_is_noted_and_skipped() -> None:
    data = sample("modsecurity", "serial.log")
    seen = feed(READER, b"junk\n" + data[data.index(b"--c7036611-B--") :])
    assert [event["cs-uri"] for event in seen.events] == ["/tin-tuc"]
    assert seen.problems["broken-line"][0] == "line 1"
    assert seen.report.skipped == seen.problems["broken-line"][1]


def test_a_transaction_without_part_a_is_skipped() -> None:
    seen = feed(READER, b"--c7036611-A--\nnothing\n--c7036611-Z--\n")
    assert not seen.events
    assert seen.report.skipped == 1


def test_a_long_transaction_is_cut_and_noted() -> None:
    limits = replace(DEFAULT_LIMITS, line_bytes=2000)
    data = sample("modsecurity", "serial.log").replace(b"lenh=whoami&\n", b"lenh=whoami&\n" * 1000)
    seen = feed(READER, data, limits=limits)
    assert [event["unique_id"] for event in seen.events] == ["Z9sKqX8AAQEAAB", "Z9sKqX8AAQEAAC"]
    assert len(seen.events[0]["request_body"]) < 2000
    assert seen.problems["oversized-line"][1] == 1


def test_is_recognised_by_its_first_part_alone() -> None:
    assert READER.recognises(head(sample("modsecurity", "serial.log"))) == 94
    assert READER.recognises(head(b"--c7036611-A--\nfoo\n")) == 0
    assert READER.recognises(head(b"--c7036611-B--\nGET / HTTP/1.1\n")) == 0


@given(torn(samples("modsecurity")))
def test_whatever_it_is_fed_it_ends_and_counts(data: bytes) -> None:
    seen = feed(READER, data, limits=SMALL)
    assert seen.report.skipped <= sum(problem.count for problem in seen.report.problems.values())
    assert seen.records == sorted(seen.records)
    READER.recognises(head(data))
    begun = data.count(b"-A--")
    assert len(seen.events) <= begun


@pytest.mark.parametrize(
    "data",
    [
        b"--c7036611-A--\n" * 100_000,
        b"--c7036611-A--\n[" + b"a" * 1_000_000 + b"\n",
        b"--c7036611-A--\n[t] i c 1 s 2\n--c7036611-B--\n" + b"GET / HTTP/1.1\n" + b"a: b\n" * 200_000,
        b"--c7036611-A--\n[t] i c 1 s 2\n--c7036611-H--\nMessage: "
        + b'[id "' * 200_000
        + b"\n--c7036611-Z--\n",
        b"---" * 400_000,
    ],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    assert feed_in_time(READER, data).report.size == len(data)
