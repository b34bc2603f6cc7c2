"""Arrays, pretty-printed and wrapped objects are read event by event."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from haidang.events.readers.json_documents import READER
from haidang.events.recognition import HEAD_BYTES
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import head, sample
from tests.events.reading import read_bytes


@pytest.mark.parametrize("block", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("name", "count", "path", "last"),
    [
        ("array.json", 3, ["action"], "sign-out"),
        ("records.json", 2, ["eventName"], "GetObject"),
        ("hits.json", 2, ["_source", "winlog", "event_id"], 4624),
        ("pretty.json", 2, ["process", "name"], "cmd.exe"),
    ],
)
def test_each_layout_is_cut_into_its_events(
    name: str, count: int, path: list[str], last: object, block: int
) -> None:
    file = read_bytes(READER, sample("json_documents", name), block=block)
    assert file.report.complete
    assert file.records == list(range(1, count + 1))
    value = file.events[-1]
    for key in path:
        value = value[key]
    assert value == last


def test_batches_are_bounded_in_events_and_bytes() -> None:
    data = json.dumps([{"a": number} for number in range(100)]).encode()
    for limits in (replace(DEFAULT_LIMITS, batch_events=7), replace(DEFAULT_LIMITS, batch_bytes=50)):
        file = read_bytes(READER, data, limits=limits)
        assert file.records == list(range(1, 101))


def test_a_broken_object_is_noted_with_its_number_and_skipped() -> None:
    data = sample("json_documents", "array.json").replace(b'"sign-in"', b'"sign-in')
    file = read_bytes(READER, data)
    assert file.records == [2, 3]
    assert file.problems == {"broken-record": ("record 1", 1)}
    assert file.report.skipped == 1


@pytest.mark.parametrize(
    ("data", "sure"),
    [
        (b'[{"a":1}]', True),
        (b"[\n  [\n  {", True),
        (b"[]", True),
        (b'{\n  "a": 1\n}\n', True),
        (b'{"a":"' + b"x" * HEAD_BYTES, True),
        (b'\xef\xbb\xbf[{"a":1}]', True),
        (b"[08:00:00] text", False),
        (b"[client 192.0.2.1] text", False),
        (b"{text}", False),
        (b"text", False),
        (b"", False),
    ],
)
def test_what_begins_like_json_is_recognised(data: bytes, sure: bool) -> None:  # noqa: FBT001
    assert bool(READER.recognises(head(data))) is sure


ANSWERS = [
    '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[%s]}',
    '{"kind":"admin#reports#activities","etag":"\\"x\\"","items":[%s],"nextPageToken":"n"}',
    '{"@odata.context":"https://graph.example/v1.0/$metadata","@odata.nextLink":"https://x","value":[%s]}',
    '{"value":[%s],"nextLink":"https://x"}',
    '{"status":{"error":false,"code":200},"pagination":{"next":null},"data":[%s]}',
    '{"stat":"OK","response":[%s]}',
    '{"stat":"OK","response":{"authlogs":[%s],"metadata":{"total_objects":2}}}',
    '{"response":{"metadata":{"total_objects":2},"authlogs":[%s]},"stat":"OK"}',
    '{"pagingInfo":{"lastPage":true},"entities":[%s]}',
    '{"entries":[%s],"nextPageToken":"n"}',
    '{"Records":[%s]}',
    '{"records":[%s]}',
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("block", [1, 100_000])
def test_the_answers_of_interfaces_are_opened(answer: str, block: int) -> None:
    events = [{"a": 1, "items": [{"b": 2}]}, {"a": 2, "data": {"value": [{"c": 3}]}}]
    data = (answer % ",".join(map(json.dumps, events))).encode()
    assert READER.recognises(head(data)) == 75
    file = read_bytes(READER, data, block=block)
    assert file.report.complete
    assert file.events == events


def test_each_line_that_wraps_events_is_opened() -> None:
    data = b'{"records":[{"a":1},{"a":2}]}\n{"records":[{"a":3}]}\n'
    assert READER.recognises(head(data)) == 75
    assert [event["a"] for event in read_bytes(READER, data).events] == [1, 2, 3]


def test_lines_that_hold_lists_of_their_own_are_lines() -> None:
    from haidang.events.readers.ndjson import READER as LINES

    data = b'{"kind":"Event","items":[{"a":1}]}\n{"kind":"Event","items":[{"a":2}]}\n'
    assert READER.recognises(head(data)) < LINES.recognises(head(data))
