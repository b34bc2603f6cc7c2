"""JSON lines go through as they are, with their numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest

from haidang.events.blocks import BlockSource
from haidang.events.model import DocumentBatch, FileReport
from haidang.events.readers import syslog
from haidang.events.readers.ndjson import READER
from haidang.events.recognition import HEAD_BYTES
from haidang.events.streams import Stream
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, head, sample
from tests.events.readers.firing import fired, write_rules
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path


def test_each_line_is_an_event_with_its_number() -> None:
    file = read_bytes(READER, sample("ndjson", "windows.json"))
    assert [event["EventID"] for event in file.events] == [1, 4624, 1102]
    assert file.records == [1, 2, 3]
    assert file.report.complete
    assert file.report.lines == 3


def test_lines_are_handed_over_undecoded_with_their_numbers_as_a_range() -> None:
    report = FileReport("log")
    stream = Stream(BlockSource(iter([b'{"a":1}\n\n{"b": broken\n'])), report)
    (batch,) = READER.read(stream, report, DEFAULT_LIMITS)
    assert isinstance(batch, DocumentBatch)
    assert list(batch.documents) == [b'{"a":1}\n', b"\n", b'{"b": broken\n']
    assert batch.records == range(1, 4)


def test_padding_before_an_object_is_removed() -> None:
    file = read_bytes(READER, b'{"a":1}\n' + bytes(100) + b'{"a":2}\n' + bytes(100))
    assert (file.events, file.records) == ([{"a": 1}, {"a": 2}], [1, 2])


def test_a_line_of_more_than_line_bytes_is_no_event() -> None:
    data = b'{"a":1}\n{"a":"%s"}\n{"a":3}\n' % (b"x" * 100)
    file = read_bytes(READER, data, limits=replace(DEFAULT_LIMITS, line_bytes=50))
    assert (file.events, file.records) == ([{"a": 1}, {"a": 3}], [1, 3])
    assert file.problems == {"oversized-line": ("line 2", 1)}


@pytest.mark.parametrize(
    ("data", "sure"),
    [
        (b'{"a":1}', True),
        (b'\xef\xbb\xbf{"a":1}\r\n{"b":2}\r\n', True),
        (b'broken\n{"a":1}\n{"a":\n', True),
        (b'{"a":1}\n'.decode().encode("utf-16"), True),
        (bytes(300) + b'{"a":1}\n', True),
        (b'{\n  "a": 1\n}\n', False),
        (b'[{"a":1}]', False),
        (b"text\n" * 10 + b'{"a":1}\n', False),
        (b'{"a":"' + b"x" * HEAD_BYTES, False),
        (b"", False),
    ],
)
def test_a_third_of_the_first_lines_must_be_objects(data: bytes, sure: bool) -> None:  # noqa: FBT001
    assert bool(READER.recognises(head(data))) is sure


WINDOWS_EVENT = '{"EventID": 1102, "Channel": "Security", "Hostname": "DC01", "UserName": "lan"}'
TRAIL_EVENT = (
    '{"eventVersion": "1.09", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging"}'
)


@pytest.mark.parametrize(
    "line",
    [
        "<14>May 11 10:14:15 DC01 {}",
        "<14>May 11 10:14:15 DC01 nxlog[22]: {}",
        "<14>1 2026-05-11T10:14:15+07:00 DC01 nxlog 22 - - {}",
        "May 11 10:14:15 DC01 nxlog: @cee: {}",
        "2026-05-11T03:14:15.000Z {}",
    ],
)
@pytest.mark.parametrize("event", [WINDOWS_EVENT, TRAIL_EVENT, WINDOWS_EVENT.replace(": ", ":")])
def test_an_object_that_says_all_by_itself_is_taken_out_of_syslog(line: str, event: str) -> None:
    seen = feed(syslog.READER, line.format(event).encode() + b"\n")
    assert (seen.origins, seen.events) == (["json"], [orjson.loads(event)])


@pytest.mark.parametrize(
    "message", ['{"level": "info", "msg": "started"}', '{"EventID": 1, "Channel"', "{}", "{x}"]
)
def test_any_other_object_stays_a_message_of_syslog(message: str) -> None:
    seen = feed(syslog.READER, b"<14>May 11 10:14:15 web01 app[22]: " + message.encode() + b"\n")
    assert seen.origins == ["syslog"]
    assert (seen.events[0]["program"], seen.events[0]["message"]) == ("app", message)


def test_what_windows_sends_through_syslog_meets_its_rules(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", cleared=("product: windows, service: security", "EventID: 1102"))
    data = f"<14>May 11 10:14:15 DC01 {WINDOWS_EVENT}\n".encode()
    assert fired(tmp_path, data, rules) == {("cleared", "1")}
