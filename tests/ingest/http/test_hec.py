"""The HTTP Event Collector, by what its clients send."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from haidang.ingest.model import Source
from tests.ingest.serving import TOKEN, Answer, Book, Service, post, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLLECTOR = "/services/collector"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as service:
        yield service


def send(service: Service, body: bytes, path: str = "/event", **headers: str) -> Answer:
    return post(f"{service.url}{COLLECTOR}{path}", body, token=f"Splunk {TOKEN}", **headers)


def batches(service: Service) -> list[tuple[str, bytes]]:
    spool = service.intake._spool
    return [(one.arrival.format, one.arrival.data) for one in spool.take()]


@pytest.mark.parametrize("path", ["", "/event", "/event/1.0"])
@pytest.mark.parametrize("between", [b"", b"\n", b" \r\n\r\n"], ids=["nothing", "line feed", "blank lines"])
def test_envelopes_behind_one_another_are_events(service: Service, path: str, between: bytes) -> None:
    envelopes = [{"event": {"n": n}, "index": "main"} for n in range(3)]
    answer = send(service, between.join(json.dumps(one).encode() for one in envelopes), path)
    assert (answer.status, answer.json) == (200, {"text": "Success", "code": 0})
    assert [json.loads(line) for line in service.spooled()] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_what_the_envelope_says_stands_before_the_fields_of_the_event(service: Service) -> None:
    envelope = {
        "time": 1433188255.5,
        "host": "máy-7",
        "source": "app",
        "sourcetype": "_json",
        "fields": {"zone": "dmz"},
        "event": {"host": "own", "n": 1},
    }
    send(service, json.dumps(envelope, indent=1).encode())
    send(service, b'{"event": {}, "time": "1433188255"}')
    first, second = (json.loads(line) for line in service.spooled())
    assert first == {
        "_time": 1433188255.5,
        "host": "own",
        "source": "app",
        "sourcetype": "_json",
        "fields": {"zone": "dmz"},
        "n": 1,
    }
    assert second == {"_time": "1433188255"}


def test_events_that_are_texts_are_lines_of_the_sources_format(tmp_path: Path) -> None:
    with serving(tmp_path, Book({TOKEN: Source("s1", "fw", format="syslog")})) as service:
        send(service, b'{"event": "<13>Oct 11 h su: \\"x\\""}{"event": {"n": 1}}{"event": "{\\"n\\": 2}"}')
        assert batches(service) == [("ndjson", b'{"n": 1}\n{"n": 2}'), ("syslog", b'<13>Oct 11 h su: "x"')]


def test_raw_lines_are_taken_as_they_are(tmp_path: Path) -> None:
    with serving(tmp_path, Book({TOKEN: Source("s1", "fw", format="syslog")})) as service:
        assert send(service, gzip.compress(b"a\nb\n"), "/raw", Content_Encoding="gzip").json["code"] == 0
        assert send(service, b"c", "/raw/1.0").json["code"] == 0
        assert batches(service) == [("syslog", b"a\nb"), ("syslog", b"c")]


def test_broken_envelopes_go_to_the_quarantine_and_the_rest_is_taken(service: Service) -> None:
    body = (
        b'{"event": {"n": 1}}\n{"event": \n{"time": 1}\n{"event": ""}{"event": {"n": 2}}\n"x" {"event": null}'
    )
    assert send(service, body).status == 200
    assert [json.loads(line) for line in service.spooled()] == [{"n": 1}, {"n": 2}]
    kept = {one.line for one in service.quarantine().lines()}
    assert kept == {b'{"event":', b'{"time":1}', b'{"event":""}', b'"x"', b'{"event":null}'}


@pytest.mark.parametrize(("body", "code"), [(b"", 5), (b"\n ", 5), (b"no json", 6), (b'{"time": 1}', 6)])
def test_nothing_to_take_is_said(service: Service, body: bytes, code: int) -> None:
    answer = send(service, body)
    assert (answer.status, answer.json["code"]) == (400, code)
    assert service.spooled() == []


def test_text_that_is_no_unicode_is_kept_with_what_can_be_read(service: Service) -> None:
    assert send(service, b'{"event": "caf\xe9 7"}').status == 200
    assert service.spooled() == ["caf\ufffd 7".encode()]


def test_acknowledgements_are_given_to_those_who_name_a_channel(service: Service) -> None:
    channel = "FE0ECFAD-13D5-401B-847D-77833BD77131"
    event = b'{"event": "x"}'
    first = send(service, event, X_Splunk_Request_Channel=channel).json
    second = send(service, event, f"/event?channel={channel}").json
    assert "ackId" not in send(service, event).json
    assert first["ackId"] != second["ackId"]
    asked = {"acks": [first["ackId"], second["ackId"]]}
    answer = send(service, json.dumps(asked).encode(), f"/ack?channel={channel}")
    assert answer.json == {"acks": {str(one): True for one in asked["acks"]}}
    assert send(service, b"[]", "/ack").status == 400


@pytest.mark.parametrize(("token", "code"), [("", 2), ("Splunk other", 4), ("Bearer other", 4)])
def test_tokens_are_refused_in_splunks_words(service: Service, token: str, code: int) -> None:
    answer = post(f"{service.url}{COLLECTOR}", b'{"event": "x"}', token=token)
    assert (answer.status, answer.json["code"]) == (401, code)


def test_health_needs_no_token_and_says_when_events_cannot_be_kept(service: Service) -> None:
    def health() -> Answer:
        return post(f"{service.url}{COLLECTOR}/health", None, token="", method="GET")

    assert (health().status, health().json["code"]) == (200, 17)
    for file in service.folder.iterdir():
        file.unlink()
    (service.folder / "spool.sqlite3").mkdir()
    answer = send(service, b'{"event": "x"}')
    assert (answer.status, answer.json["code"]) == (503, 9)
    assert int(answer.headers["retry-after"]) >= 1
    assert (health().status, health().json["code"]) == (503, 18)
    (service.folder / "spool.sqlite3").rmdir()
    assert send(service, b'{"event": "x"}').status == 200
    assert health().status == 200


def test_other_paths_and_methods_are_refused(service: Service) -> None:
    assert send(service, b"{}", "/other").status == 404
    answer = post(f"{service.url}{COLLECTOR}", None, method="GET")
    found: Any = answer.json
    assert answer.status == 405
    assert found["text"]
