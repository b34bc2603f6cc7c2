"""Suricata's events are handed over undecoded from files, decoded from syslog."""

from __future__ import annotations

import orjson
import pytest

from haidang.events.readers import syslog
from haidang.events.readers.suricata import READER
from tests.events.readers.feeding import feed, head, sample
from tests.events.reading import read_bytes

EVE = sample("suricata", "eve.json")


def test_a_file_is_handed_over_as_it_is() -> None:
    file = read_bytes(READER, EVE)
    assert file.events == [orjson.loads(line) for line in EVE.splitlines()]
    assert file.records == [1, 2, 3, 4, 5, 6]


def test_eve_is_told_from_other_json() -> None:
    assert READER.recognises(head(EVE)) == 85
    assert READER.recognises(head(b'{"event_type":"authentication","txid":"x"}\n')) == 0
    assert READER.recognises(head(b'{"a":"\\"event_type\\":","b":1}\n')) == 0


def test_an_event_through_syslog_is_decoded() -> None:
    line = EVE.splitlines()[1]
    for mark in (b"", b"@cee: ", b"@cee:"):
        seen = feed(syslog.READER, b"Nov 11 21:58:58 hv-ids01 suricata[7]: " + mark + line)
        assert seen.origins == ["suricata"]
        assert seen.events == [{**orjson.loads(line), "hostname": "hv-ids01"}]


@pytest.mark.parametrize(
    "message",
    [
        '{"event_type":"dns","flow_id":1',
        '{"event_type":"dns","flow_id":1}x',
        '{"event_type":"dns"}',
        '{"event_type":"dns","flow_id":' + "[" * 100_000,
        '{"event_type":"dns","flow_id":' + "[" * 200 + "]" * 200 + "}",
        "rotating logs",
    ],
)
def test_what_is_no_event_stays_syslog(message: str) -> None:
    seen = feed(syslog.READER, f"Nov 11 21:58:58 hv-ids01 suricata[7]: {message}".encode())
    assert seen.origins == ["syslog"]


def test_an_event_with_many_objects_is_none_that_is_deep() -> None:
    message = '{"event_type":"stats","stats":{"threads":[' + ",".join(["{}"] * 500) + "]}}"
    seen = feed(syslog.READER, f"Nov 11 21:58:58 hv-ids01 suricata[7]: {message}".encode())
    assert seen.origins == ["suricata"]
    assert len(seen.events[0]["stats"]["threads"]) == 500
