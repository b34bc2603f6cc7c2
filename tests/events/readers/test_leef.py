"""LEEF is read in both versions, whatever delimits the attributes."""

from __future__ import annotations

import pytest

from haidang.events.readers.leef import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

SEEN = feed(READER, sample("leef", "products.leef"))


def test_header_and_attributes_are_fields() -> None:
    event = SEEN.events[0]
    assert (event["leefVersion"], event["deviceVendor"], event["eventId"]) == ("1.0", "Hai Van", "fw-1")
    assert (event["src"], event["dstPort"], event["action"]) == ("203.0.113.9", "23", "permit")
    assert parse_time(event["devTime"]) is not None


def test_version_2_names_its_delimiter_by_itself_or_by_its_code() -> None:
    _, caret, bar, tab = SEEN.events
    assert caret["url"] == "http://203.0.113.77/mau.exe?a=b"
    assert (caret["url_host"], caret["url_extension"]) == ("203.0.113.77", "exe")
    assert caret["userAgent"] == "Microsoft BITS/7.8"
    assert (bar["virusName"], bar["filePath"]) == ("Trojan.ThuNghiem.A", "C:\\Users\\hoa\\mau.exe")
    assert (tab["dstPort"], tab["action"]) == ("22", "deny")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("LEEF:2.0|a|b|c|d|0x5E|x=1^y=2", {"x": "1", "y": "2"}),
        ("LEEF:2.0|a|b|c|d||x=1\ty=2", {"x": "1", "y": "2"}),
        ("LEEF:2.0|a|b|c|d|\t|x=1\ty=2", {"x": "1", "y": "2"}),
        ("LEEF:1.0|a|b|c|d|x=1 and more y=2", {"x": "1 and more", "y": "2"}),
        ("LEEF:1.0|a|b|c|d|x=1\traw=forged", {"x": "1"}),
        ("LEEF:1.0|a|b|c|d|", {"eventId": "d"}),
        ("LEEF:2.0|a|b|c|d|^|x=1^^y=2^z", {"x": "1", "y": "2"}),
    ],
)
def test_odd_attributes_are_read(line: str, expected: dict[str, str]) -> None:
    event = feed(READER, line.encode()).events[0]
    assert expected.items() <= event.items()
    assert event["raw"] == line


@pytest.mark.parametrize("line", ["LEEF:1.0|a|b", "LEEF", "LEEF:x|a|b|c|d|", "Login failed"])
def test_what_is_no_leef_is_not_taken(line: str) -> None:
    assert feed(READER, line.encode()).origins == ["syslog"]
    assert READER.recognises(head(line.encode())) == 0


def test_the_header_of_syslog_is_kept() -> None:
    seen = feed(READER, b"<13>Nov 11 21:58:57 hv-qr01 LEEF:1.0|a|b|c|d|x=1")
    assert seen.origins == ["leef"]
    assert (seen.events[0]["hostname"], seen.events[0]["x"]) == ("hv-qr01", "1")


def test_a_file_of_leef_is_recognised() -> None:
    assert READER.recognises(head(sample("leef", "products.leef"))) == 93
