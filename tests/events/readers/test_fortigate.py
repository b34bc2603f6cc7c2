"""FortiGate's pairs are read as written, quoted or not."""

from __future__ import annotations

import pytest

from haidang.events.readers.fortigate import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

SEEN = feed(READER, sample("fortigate", "traffic.log"))
RECORD = 'date=2026-11-11 time=21:58:58 devname="fw" devid="FGT1" logid="0000000014" '


def test_keys_and_values_are_as_written() -> None:
    event = SEEN.events[0]
    assert event["type"] == "traffic"
    assert event["policyname"] == "Ra ngoài"
    assert (event["srcip"], event["dstport"], event["action"]) == ("10.20.0.31", "23", "close")
    assert event["date_time"] == "2026-11-11T21:58:57+0700"
    assert event["raw"] == sample("fortigate", "traffic.log").decode().splitlines()[0]


def test_the_time_is_that_of_the_event() -> None:
    event = SEEN.events[0]
    assert parse_time(event["eventtime"]) == 1_794_409_137_417_000_123
    assert parse_time(event["date_time"]) == 1_794_409_137_000_000_000


def test_a_quote_inside_a_value_is_escaped() -> None:
    assert SEEN.events[2]["msg"] == 'Add system.admin "ho-tro"'


def test_the_url_is_taken_apart() -> None:
    event = SEEN.events[4]
    assert (event["url_host"], event["url_uri"], event["url_extension"]) == (
        "tai-lieu.example",
        "/mau.exe",
        "exe",
    )


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ('a="" b=1', {"a": "", "b": "1"}),
        ('a="x y" b=', {"a": "x y", "b": ""}),
        ('a="never closed b=1', {"a": "never closed b=1"}),
        ('raw="forged"', {"raw": RECORD + 'raw="forged"'}),
        ('msg="c:\\\\x" b=2', {"b": "2"}),
    ],
)
def test_odd_pairs_are_read(pairs: str, expected: dict[str, str]) -> None:
    seen = feed(READER, (RECORD + pairs).encode())
    assert expected.items() <= seen.events[0].items()


@pytest.mark.parametrize(
    "line",
    [
        "date=2026-11-11 time=21:58:58 level=info msg=started",
        "devname=fw devid=FGT1 logid=1",
        "time=1 level=error msg=x",
        'timestamp=1 logid=2 msg="no device"',
    ],
)
def test_other_pairs_are_not_fortigates(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_each_record_is_an_event() -> None:
    assert len(SEEN.events) == 6
    assert SEEN.report.complete
    assert READER.recognises(head(sample("fortigate", "traffic.log"))) == 93


PAIRS = {"date": "2026-11-11", "time": "21:58:58", "tz": "+0700", "srcip": "203.0.113.9"}
QUOTED = {"devname": "fw 1", "devid": "FGT1", "logid": "0013", "msg": "a b"}


def _joined(between: str, quote: str = '"', around: str = "") -> str:
    bare = [f"{around}{key}={value}{around}" for key, value in PAIRS.items()]
    return between.join(
        [*bare, *(f"{around}{key}={quote}{value}{quote}{around}" for key, value in QUOTED.items())]
    )


@pytest.mark.parametrize(
    "line",
    [
        "<189>" + _joined(" "),
        "<189>" + _joined(","),
        _joined(","),
        _joined(",", quote='""', around='"'),
        _joined(",", quote="", around='"'),
    ],
)
def test_commas_may_be_between_pairs(line: str) -> None:
    assert READER.recognises(head(line.encode() + b"\n"))
    event = feed(READER, line.encode()).events[0]
    assert (event["devname"], event["srcip"], event["msg"]) == ("fw 1", "203.0.113.9", "a b")
    assert event["date_time"] == "2026-11-11T21:58:58+0700"


def test_a_comma_inside_a_value_ends_nothing() -> None:
    line = 'date=2026-11-11,time=21:58:58,devid="FGT1",logid="0013",msg="a, b=c",user="x"'
    event = feed(READER, line.encode()).events[0]
    assert (event["msg"], event["user"], "b" in event) == ("a, b=c", "x", False)
