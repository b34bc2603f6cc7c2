"""Lines that a collector put into JSON are read as what they are."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from haidang.events.blocks import BlockSource
from haidang.events.model import DocumentBatch, EventBatch, FileReport
from haidang.events.readers import readers
from haidang.events.readers._collected import carried_lines
from haidang.events.readers.collected import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.stream import Stream
from haidang.inquiry.questions import Question
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import head, sample
from tests.events.readers.firing import fired, scan_bytes, write_rules
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

TRAIL_KEYS = {"eventVersion", "eventTime", "eventSource", "eventName", "awsRegion"}


def read(data: bytes) -> list[tuple[int, str, dict[str, Any]]]:
    report = FileReport("0.log")
    found: list[tuple[int, str, dict[str, Any]]] = []
    for batch in READER.read(Stream(BlockSource(iter([data])), report), report, DEFAULT_LIMITS):
        if isinstance(batch, DocumentBatch):
            some = [("json", orjson.loads(document)) for document in batch.documents]
        else:
            assert isinstance(batch, EventBatch)
            some = [(batch.origin, event) for event in batch.events]
        found += ((record, *one) for record, one in zip(batch.records, some, strict=True))
    assert not report.problems
    return sorted(found, key=lambda one: one[0])


@pytest.mark.parametrize("name", ["splunk.ndjson", "collectors.ndjson", "cloudwatch.json"])
def test_is_recognised_by_what_is_inside(name: str) -> None:
    reader = recognise(make_head(name, sample("collected", name)), readers())
    assert reader is not None
    assert reader.name == "collected"


def test_exports_of_splunk_are_read_as_what_is_inside() -> None:
    found = {record: (origin, event) for record, origin, event in read(sample("collected", "splunk.ndjson"))}
    assert {record: origin for record, (origin, _) in found.items()} == {
        1: "syslog",
        2: "webserver",
        3: "windows",
        4: "windows",
        5: "json",
        6: "json",
    }
    ssh = found[1][1]
    assert (ssh["program"], ssh["pid"], ssh["hostname"]) == ("sshd", "123", "web01")
    assert found[2][1]["cs-uri"] == "/.git/config"
    assert (found[3][1]["Channel"], found[3][1]["SubjectUserName"]) == ("Security", "lan")
    assert (found[4][1]["CommandLine"], found[4][1]["ComputerName"]) == ("whoami /all", "PC01")
    assert found[5][1].keys() == TRAIL_KEYS
    assert found[6][1]["result"]["_raw"] == "nothing that anybody knows"


def test_what_splunk_took_for_the_time_counts(tmp_path: Path) -> None:
    # The line says ten o'clock, in a zone that Splunk was told and the line does not name.
    file = tmp_path / "splunk.json"
    file.write_bytes(sample("collected", "splunk.ndjson").splitlines(keepends=True)[0])
    question = Question((str(file),))
    assert [question.time(event) for event in question.events()] == [1778469255_000000000]


def test_collectors_that_take_syslog_apart_are_put_together() -> None:
    found = {
        record: (origin, event) for record, origin, event in read(sample("collected", "collectors.ndjson"))
    }
    for record in range(1, 7):
        origin, event = found[record]
        assert (origin, event["program"], event["pid"], event["hostname"]) == (
            "syslog",
            "sshd",
            "123",
            "web01",
        )
        assert event["message"].startswith("Failed password for invalid user admin"), record
    assert found[1][1]["time"].startswith("2024-05-11T10:14:15")
    assert found[7][1].keys() == TRAIL_KEYS
    assert found[8] == (
        "json",
        {
            "@timestamp": "2026-05-11T10:14:17.000+07:00",
            "@version": "1",
            "message": "nothing that anybody knows",
        },
    )


def test_each_of_several_lines_in_one_object_counts() -> None:
    found = read(sample("collected", "cloudwatch.json"))
    assert [record for record, _, _ in found] == [1, 1, 1]
    assert {origin for _, origin, _ in found} == {"json", "webserver"}
    left = [event for _, _, event in found if event.get("message") == "nothing that anybody knows"]
    assert [event["timestamp"] for event in left] == ["1778469257000"]


def test_one_array_is_read_too(tmp_path: Path) -> None:
    lines = sample("collected", "splunk.ndjson").splitlines()
    rules = write_rules(
        tmp_path / "rules", stopped=("product: aws, service: cloudtrail", "eventName: StopLogging")
    )
    data = b"[\n" + b",\n".join(lines) + b"\n]\n"
    assert fired(tmp_path, data, rules) == {("stopped", "5")}


def test_a_search_result_of_splunk_is_opened(tmp_path: Path) -> None:
    lines = [json.loads(line)["result"] for line in sample("collected", "splunk.ndjson").splitlines()]
    rules = write_rules(
        tmp_path / "rules", stopped=("product: aws, service: cloudtrail", "eventName: StopLogging")
    )
    data = json.dumps({"preview": False, "messages": [], "results": lines}).encode()
    assert fired(tmp_path, data, rules) == {("stopped", "5")}


@pytest.mark.parametrize(
    "document",
    [
        {"@timestamp": "2026-05-11T03:14:15Z", "message": "hello", "level": "info"},
        {"message": "{broken}", "time": "x"},
        {"_raw": 3, "logEvents": "x", "message": None},
        {"logEvents": [1, {"message": 2}]},
        {"event": {"original": "text"}, "properties": {"log": 3}},
        {"winlog": {"channel": "Security", "event_id": 1}, "message": '{"a": 1}'},
    ],
)
def test_other_json_stays_json(document: dict[str, Any]) -> None:
    data = json.dumps(document).encode() + b"\n"
    assert READER.recognises(head(data)) == 0
    assert read(data) == [(1, "json", document)]


@pytest.mark.parametrize(
    "document",
    [
        {
            "tables": [
                {
                    "name": "PrimaryResult",
                    "columns": [{"name": "EventSource"}, {"name": "EventName"}, {"name": "AWSRegion"}],
                    "rows": [["x", "StopLogging", "a"], ["x", "Other", "a"], ["x", "StopLogging", "a"]],
                }
            ]
        },
        {
            "QueryStatus": "FINISHED",
            "QueryResultRows": [
                [{"eventSource": "x"}, {"eventName": name}, {"awsRegion": "a"}]
                for name in ("StopLogging", "Other", "StopLogging")
            ],
        },
        {
            "Stats": {"ExecutionTime": 1},
            "Schema": [{"Name": "EventName", "Type": "String"}],
            "Results": [
                {"EventSource": "x", "EventName": name, "AWSRegion": "a"}
                for name in ("StopLogging", "Other", "StopLogging")
            ],
        },
    ],
    ids=["log-analytics", "lake", "hunting"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_each_row_that_an_interface_answers_with_is_an_event(
    document: dict[str, Any], indent: int | None, tmp_path: Path
) -> None:
    rules = write_rules(
        tmp_path / "rules", stopped=("product: aws, service: cloudtrail", "eventName: StopLogging")
    )
    data = json.dumps(document, indent=indent).encode()
    findings = scan_bytes(tmp_path, data, rules)
    assert len(findings) == 2
    assert {event.origin for event in Question((str(tmp_path / "log"),)).events()} == {"cloudtrail"}


def test_a_row_that_is_nested_too_deep_ends_nothing() -> None:
    deep = "[" * 500 + "]" * 500
    data = f'{{"columns":[{{"name":"a"}}],"rows":[[{deep}]]}}\n'.encode()
    assert len(read(data)) == 1


AUDIT = read_bytes(READER, sample("collected", "audit.ndjson"))


def audited(number: int) -> dict[str, Any]:
    """Return the event of the audit log that begins on a line of the sample."""
    (event,) = (one for at, one in zip(AUDIT.records, AUDIT.events, strict=True) if at == number)
    return dict(event)


def test_records_of_the_audit_log_are_put_together_for_each_host() -> None:
    assert AUDIT.report.complete
    assert sorted(AUDIT.records) == [1, 2, 5, 6]
    first, second = audited(1), audited(2)
    assert (first["type"], first["node"], first["key"]) == (["SYSCALL", "EXECVE"], "hv-web01", "chay")
    assert first["CommandLine"] == "base64 -d /tmp/x"
    assert (second["type"], second["node"], second["CommandLine"]) == ("EXECVE", "hv-web02", "id")


def test_records_that_wazuh_has_joined_to_a_line_are_taken_apart() -> None:
    event = audited(5)
    assert (event["type"], event["node"]) == (["SYSCALL", "EXECVE", "PROCTITLE"], "hv-web03")
    assert (event["exe"], event["CommandLine"]) == ("/usr/bin/nc", "nc -l")


def test_an_object_of_laurel_kept_as_text_is_an_event_of_the_audit_log() -> None:
    event = audited(6)
    assert (event["type"], event["node"], event["a0"]) == (["SYSCALL", "EXECVE"], "hv-web04", "id")


def test_records_of_the_audit_log_in_a_table_are_put_together() -> None:
    table = (
        b"_time,host,_raw\n"
        b'2026-11-11T14:58:57Z,hv-web01,"type=SYSCALL msg=audit(1.000:1): exe=""/bin/a"" key=""k"""\n'
        b'2026-11-11T14:58:57Z,hv-web01,"type=EXECVE msg=audit(1.000:1): argc=1 a0=""a"""\n'
    )
    reader = recognise(make_head("log", table), readers())
    assert reader is readers()["csv"]
    (event,) = read_bytes(reader, table).events
    assert (event["exe"], event["CommandLine"], event["node"]) == ("/bin/a", "a", "hv-web01")


def published(data: bytes) -> dict[str, Any]:
    """Return a message of Pub/Sub as it is pushed."""
    text = base64.b64encode(data).decode()
    return {"message": {"data": text, "messageId": "7", "publishTime": "2026-11-11T14:58:58Z"}}


def test_what_google_publishes_is_read_as_what_it_is() -> None:
    line = b"Nov 11 14:58:57 hv-web01 sshd[7]: Failed password for root from 203.0.113.9 port 1 ssh2"
    entry = {"textPayload": line.decode(), "timestamp": "2026-11-11T14:58:57Z"}
    for data in (line, orjson.dumps(entry), orjson.dumps({"_raw": orjson.dumps(entry).decode()})):
        ((_, origin, event),) = read(orjson.dumps(published(data)))
        assert (origin, event["client_ip"], event["time"]) == ("syslog", "203.0.113.9", "2026-11-11T14:58:57")


def test_a_machine_that_google_names_is_the_host_of_a_line_without_one() -> None:
    payload = {"message": "%ASA-4-106023: Deny tcp src outside:203.0.113.9/5 dst dmz:10.20.0.8/23", "x": 1}
    for around in (
        {"labels": {"compute.googleapis.com/resource_name": "hv-gw01"}},
        {"resource": {"labels": {"instance_id": "hv-gw01"}}},
    ):
        ((_, origin, event),) = read(orjson.dumps({"jsonPayload": payload, **around}))
        assert (origin, event["hostname"]) == ("cisco", "hv-gw01")


@pytest.mark.parametrize(
    "message",
    [
        {"data": "%%%", "messageId": "7"},
        {"data": 7, "messageId": "7"},
        {"data": "eA", "messageId": "7"},
        {"data": "x", "other": 1},
        {"messageId": "7"},
        "text",
    ],
)
def test_what_is_no_such_message_stays_as_it_is(message: Any) -> None:
    document = {"message": message, "subscription": "s"}
    assert read(orjson.dumps(document)) == [(1, "json", document)]


def test_messages_of_which_nothing_is_known_are_not_lost_beside_others() -> None:
    line = b"Nov 11 14:58:57 hv-web01 sshd[7]: x"
    pulled = {"receivedMessages": [published(line), published(b"only text")], "other": 1}
    found = read(orjson.dumps(pulled))
    assert [origin for _, origin, _ in found] == ["json", "syslog"]
    assert found[0][2]["message"] == "only text"


def test_objects_in_one_another_are_looked_into_up_to_a_depth() -> None:
    text = "Nov 11 14:58:57 hv-web01 sshd[7]: x"
    for _ in range(4):
        text = orjson.dumps({"_raw": text}).decode()
    assert [origin for _, origin, _ in read(text.encode())] == ["syslog"]
    for _ in range(2):
        text = orjson.dumps({"_raw": text}).decode()
    assert [origin for _, origin, _ in read(text.encode())] == ["json"]


def test_an_envelope_of_splunk_lends_an_event_the_time_and_host_that_it_lacks() -> None:
    around = {"time": 1794409137.417, "host": "hv-app01", "sourcetype": "app"}
    for event, host in (
        ({"action": "login"}, "hv-app01"),
        ({"action": "login", "host": "hv-app02"}, "hv-app02"),
    ):
        assert read(orjson.dumps({**around, "event": event})) == [
            (1, "json", {"_time": 1794409137.417, "host": host, "action": "login"})
        ]
    line = "Nov 11 21:58:57 sshd[7]: Failed password for root from 203.0.113.9 port 1 ssh2"
    ((_, origin, found),) = read(orjson.dumps({**around, "event": line}))
    assert (origin, found["client_ip"], found["hostname"]) == ("syslog", "203.0.113.9", "hv-app01")


def test_an_event_of_a_hook_that_is_too_deep_is_not_lost() -> None:
    deep: dict[str, object] = {"eventType": "user.session.start"}
    for _ in range(300):
        deep = {"a": deep}
    plain = {"eventType": "user.session.end"}
    hook = {"eventType": "com.okta.event_hook", "data": {"events": [plain, deep]}}
    assert list(carried_lines(hook)) == []
    hook["data"] = {"events": [plain, plain]}
    assert [one.text for one in carried_lines(hook)] == ['{"eventType":"user.session.end"}'] * 2
