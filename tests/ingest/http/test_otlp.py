"""OTLP/HTTP, by the official exporter and by what the standard allows."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from haidang.ingest.http._otlp_json import read_json
from haidang.ingest.http._otlp_protobuf import read_protobuf
from haidang.ingest.http.exchange import RequestError
from haidang.ingest.model import Source
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.serving import TOKEN, Book, Service, post, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROTOBUF = "application/x-protobuf"
VALUES: dict[str, Any] = {
    "stringValue": "số",
    "intValue": "9007199254740993",
    "doubleValue": 1.5,
    "boolValue": False,
    "bytesValue": "/w==",
    "arrayValue": {"values": [{"intValue": 1}, {"stringValue": "x"}, {}]},
    "kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]},
}
READ = {
    "stringValue": "số",
    "intValue": 9007199254740993,
    "doubleValue": 1.5,
    "boolValue": False,
    "bytesValue": "/w==",
    "arrayValue": [1, "x", None],
    "kvlistValue": {"k": True},
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as service:
        yield service


def request(*records: dict[str, Any], resource: dict[str, str] | None = None) -> bytes:
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in (resource or {}).items()]
    scope_logs = [{"scope": {"name": "scope"}, "logRecords": list(records)}]
    return json.dumps(
        {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": scope_logs}]}
    ).encode()


def as_protobuf(body: bytes) -> bytes:
    from google.protobuf.json_format import Parse

    found: bytes = Parse(body, ExportLogsServiceRequest()).SerializeToString()
    return found


def read(body: bytes, format_: str = "") -> list[dict[str, Any]]:
    """Return the records of a request, which must be the same in both encodings."""
    by_json, broken = read_json(body, format_, DEFAULT_LIMITS)
    by_protobuf, broken_too = read_protobuf(as_protobuf(body), format_, DEFAULT_LIMITS)
    assert not broken.count
    assert not broken_too.count
    assert by_json == by_protobuf
    return [json.loads(line) for one in by_json for line in one.data.split(b"\n")]


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_the_official_exporter_sends_log_records(service: Service, compression: Compression) -> None:
    exporter = OTLPLogExporter(
        f"{service.url}/v1/logs", headers={"Authorization": f"Bearer {TOKEN}"}, compression=compression
    )
    provider = LoggerProvider(Resource({"host.name": "máy-7", "service.name": "web"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    record = LogRecord(
        timestamp=1433188255000000001,
        severity_text="WARN",
        body="sign-in of an failed",
        attributes={"source.ip": "203.0.113.7"},
    )
    provider.get_logger("haidang.test").emit(record)
    provider.shutdown()
    (event,) = (json.loads(line) for line in service.spooled())
    assert event["message"] == "sign-in of an failed"
    assert event["host.name"] == "máy-7"
    assert event["source.ip"] == "203.0.113.7"
    assert event["severity_text"] == "WARN"
    assert event["@timestamp"] == "2015-06-01T19:50:55.000000001Z"


def test_every_kind_of_value_is_read_in_both_encodings() -> None:
    attributes = [{"key": key, "value": {key: value}} for key, value in VALUES.items()]
    (event,) = read(request({"attributes": attributes}))
    assert event == {**READ, "otel.scope.name": "scope"}


def test_body_goes_over_attributes_and_those_over_the_resource() -> None:
    pairs = [
        {"key": "b", "value": {"stringValue": "body"}},
        {"key": "@timestamp", "value": {"intValue": "1"}},
    ]
    record = {
        "timeUnixNano": "1433188255123456789",
        "severityNumber": 9,
        "eventName": "login",
        "attributes": [{"key": key, "value": {"stringValue": "attribute"}} for key in "ab"],
        "body": {"kvlistValue": {"values": pairs}},
    }
    (event,) = read(request(record, resource={"a": "resource", "c": "resource"}))
    assert event == {
        "a": "attribute",
        "b": "body",
        "c": "resource",
        "@timestamp": 1,
        "severity_number": 9,
        "event.name": "login",
        "otel.scope.name": "scope",
    }


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"stringValue": "a line"}, {"message": "a line"}),
        ({"stringValue": '{"EventID": 1}'}, {"EventID": 1}),
        ({"stringValue": '{"EventID": '}, {"message": '{"EventID": '}),
        ({"arrayValue": {"values": [{"intValue": "7"}]}}, {"body": [7]}),
        ({"intValue": "7"}, {"body": 7}),
    ],
)
def test_a_body_is_a_message_or_an_object_or_itself(body: dict[str, Any], fields: dict[str, Any]) -> None:
    (event,) = read(request({"body": body, "observedTimeUnixNano": "1433188255000000001"}))
    assert event == {**fields, "otel.scope.name": "scope", "@timestamp": "2015-06-01T19:50:55.000000001Z"}


def test_from_a_source_of_lines_a_text_is_the_record(tmp_path: Path) -> None:
    with serving(tmp_path, Book({TOKEN: Source("s1", "auth", format="syslog")})) as service:
        body = request({"body": {"stringValue": "<13>Oct 11 h su: x"}}, {"body": {"intValue": "1"}})
        answer = post(f"{service.url}/v1/logs", body, Content_Type="application/json")
        assert (answer.status, answer.json) == (200, {})
        assert service.spooled() == [b'{"body":1,"otel.scope.name":"scope"}', b"<13>Oct 11 h su: x"]


def test_a_number_that_is_none_is_null() -> None:
    (event,) = read(request({"body": {"doubleValue": "NaN"}}))
    assert event == {"body": None, "otel.scope.name": "scope"}


def test_numbers_that_are_none_are_kept_as_they_stand() -> None:
    pairs = [{"key": key, "value": {key: "?!"}} for key in ("intValue", "doubleValue", "bytesValue")]
    (portion,), _ = read_json(request({"attributes": pairs, "timeUnixNano": "soon"}), "", DEFAULT_LIMITS)
    found = json.loads(portion.data)
    assert [found[key] for key in ("intValue", "doubleValue")] == ["?!", "?!"]
    assert "@timestamp" not in found


def test_a_record_that_is_nested_too_deeply_is_refused_alone(tmp_path: Path) -> None:
    value: dict[str, Any] = {"intValue": "1"}
    for _ in range(11):
        value = {"arrayValue": {"values": [value]}}
    body = request({"body": value}, {"body": {"intValue": "2"}})
    with serving(tmp_path, limits=replace(DEFAULT_LIMITS, json_depth=10)) as service:
        answer = post(f"{service.url}/v1/logs", body, Content_Type="application/json")
        partial: Any = answer.json["partialSuccess"]
        assert (answer.status, partial["rejectedLogRecords"]) == (200, "1")
        assert [json.loads(line)["body"] for line in service.spooled()] == [2]
        (kept,) = service.quarantine().lines()
        assert kept.reason == "too-deep"
        assert json.loads(kept.line) == {"body": value}


@pytest.mark.parametrize("media_type", [PROTOBUF, "application/json"])
def test_what_is_no_request_is_refused(service: Service, media_type: str) -> None:
    answer = post(f"{service.url}/v1/logs", b"\xff{", Content_Type=media_type)
    assert answer.status == 400
    assert answer.headers["content-type"] == media_type
    assert b"no OTLP request" in answer.body


def test_hostile_nesting_is_refused() -> None:
    deep = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + b'{"arrayValue":{"values":[' * 50_000
    with pytest.raises(RequestError):
        read_json(deep, "", DEFAULT_LIMITS)
    with pytest.raises(RequestError):
        read_protobuf(b"\x0a\x80\x80\x80\x80\x08", "", DEFAULT_LIMITS)


def test_the_answer_is_of_the_kind_that_was_sent(service: Service) -> None:
    body = as_protobuf(request({"body": {"stringValue": "x"}}))
    answer = post(f"{service.url}/v1/logs", body, Content_Type=PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportLogsServiceResponse.FromString(answer.body) == ExportLogsServiceResponse()
    assert post(f"{service.url}/v1/logs", body, Content_Type="text/plain").status == 415
    assert post(f"{service.url}/v1/logs", None, method="GET").status == 405


def test_an_unknown_token_is_said_as_a_status_of_grpc(service: Service) -> None:
    answer = post(f"{service.url}/v1/logs", b"", token="Bearer other", Content_Type=PROTOBUF)
    assert answer.status == 401
    assert answer.body == b"\x08\x10\x12\x0dunknown token"


def test_a_body_past_its_own_limit_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, limits=replace(DEFAULT_LIMITS, ingest_otlp_bytes=100)) as service:
        body = as_protobuf(request({"body": {"stringValue": "x" * 100}}))
        assert post(f"{service.url}/v1/logs", body, Content_Type=PROTOBUF).status == 413


def test_without_the_extra_the_sender_is_told_to_come_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.logs.v1.logs_service_pb2", None)
    answer = post(f"{service.url}/v1/logs", b"", Content_Type=PROTOBUF)
    assert answer.status == 503
    assert b"not installed" in answer.body
