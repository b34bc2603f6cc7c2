"""Check Point's records in brackets are read, whatever their header."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.checkpoint import ORIGIN, READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

DATA = sample("checkpoint", "exporter.log")
SEEN = feed(READER, DATA)


def test_keys_and_values_are_as_written() -> None:
    event = SEEN.events[0]
    assert (event["action"], event["src"], event["service"]) == ("Accept", "10.20.0.31", "23")
    assert parse_time(event["time"]) == 1_794_409_137_000_000_000
    assert ORIGIN.host_fields[0] == "origin"
    assert event["origin"] == "10.20.0.2"


def test_escapes_are_undone_and_repeated_keys_are_lists() -> None:
    assert SEEN.events[0]["__policy_id_tag"].endswith("policy_name=Chuan]")
    assert SEEN.events[0]["layer_name"] == ["Network", "Ra ngoai"]
    assert SEEN.events[1]["rule_name"] == 'Chan "het"'


@pytest.mark.parametrize(
    "header",
    [
        "",
        "<134>1 2026-11-11T14:58:57Z hv-cplog CheckPoint 22103 - ",
        "<134>1 2026-11-11 14:58:57 hv-cplog CheckPoint 13752 - ",
        "Nov 11 21:58:57 hv-gw01 CheckPoint[22103]: ",
    ],
)
def test_the_header_may_be_of_any_version(header: str) -> None:
    line = f'{header}[action:"Drop"; src:"203.0.113.9"; src machine:"a b"; raw:"forged";]'
    (event,) = feed(syslog.READER, line.encode()).events
    assert (event["action"], event["src"], event["src machine"]) == ("Drop", "203.0.113.9", "a b")
    assert event["raw"] == line
    if header:
        assert event["hostname"] in {"hv-cplog", "hv-gw01"}


@pytest.mark.parametrize("line", ['[x:"y"]', "[action:Drop]", "1 2026-11-11 14:58:57 a b 1 - [action:", "["])
def test_other_brackets_are_not_its(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_a_file_of_it_is_recognised_and_one_of_a_collector_is_syslog() -> None:
    assert recognise(make_head("log", DATA), readers()) is READER
    header = b"<134>1 2026-11-11T14:58:57Z hv-cplog CheckPoint 22103 - "
    collected = b"".join(header + line + b"\n" for line in DATA.splitlines())
    assert recognise(make_head("log", collected), readers()) is syslog.READER
    assert set(feed(syslog.READER, collected).origins) == {"checkpoint"}
