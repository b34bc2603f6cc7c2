"""CEF is read with its escapes, and custom fields also stand under their labels."""

from __future__ import annotations

import pytest

from haidang.events.readers.cef import ORIGIN, READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

SEEN = feed(READER, sample("cef", "products.cef"))
HEADER = "CEF:0|a|b|c|d|e|5|"


def test_header_and_extension_are_fields() -> None:
    event = SEEN.events[0]
    assert (event["cefVersion"], event["deviceVendor"], event["deviceProduct"]) == (
        "0",
        "Hải Vân",
        "Cổng web",
    )
    assert (event["signatureId"], event["name"], event["severity"]) == ("210", "Yêu cầu bị chặn", "7")
    assert (event["src"], event["dpt"], event["act"]) == ("10.20.0.31", "80", "blocked")
    assert event["request"] == "http://203.0.113.77/mau.exe?id=7"
    assert event["requestClientApplication"] == "Microsoft BITS/7.8"
    assert (event["request_host"], event["request_extension"]) == ("203.0.113.77", "exe")


def test_custom_fields_stand_under_their_labels_too() -> None:
    event = SEEN.events[1]
    assert (event["cs2"], event["Virus Name"], event["Số lần"]) == (
        "Trojan.ThuNghiem.A",
        "Trojan.ThuNghiem.A",
        "3",
    )
    assert SEEN.events[0]["Nhóm chính sách"] == "Văn phòng"


def test_escapes_are_undone() -> None:
    event = SEEN.events[1]
    assert event["name"] == "Phát hiện | cách ly"
    assert event["fname"] == "C:\\Users\\hoa\\Downloads\\mau.exe"
    assert event["msg"] == "dòng một\ndòng hai"


def test_every_event_has_a_time_where_it_says_one() -> None:
    for event in (SEEN.events[0], SEEN.events[1], SEEN.events[3]):
        assert any(parse_time(event[name]) for name in ORIGIN.time_fields if name in event)


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a= b=2", {"a": "", "b": "2"}),
        ("a=one two  b=2", {"a": "one two", "b": "2"}),
        (" a=x=y b=2", {"a": "x=y", "b": "2"}),
        ("a=1 a=2", {"a": "2"}),
        ("a=x raw=forged", {"a": "x"}),
        ("cs1Label=name cs1=forged", {"name": "e"}),
        ("cs1Label=X", {"cs1Label": "X"}),
        ("ad.x[0]=1", {"ad.x[0]": "1"}),
    ],
)
def test_odd_extensions_are_read(extension: str, expected: dict[str, str]) -> None:
    line = HEADER + extension
    event = feed(READER, line.encode()).events[0]
    assert expected.items() <= event.items()
    assert event["raw"] == line


@pytest.mark.parametrize(
    "line",
    [
        "Nov 11 21:58:57 hv-av01 " + HEADER + "a=1",
        "<134>Nov 11 21:58:57 hv-av01 " + HEADER + "a=1",
        "Nov 11 21:58:57 hv-av01 agent[7]: " + HEADER + "a=1",
        "Nov 11 21:58:57 hv-av01 CEF: 0|a|b|c|d|e|5|a=1",
        "<134>1 2026-11-11T21:58:57Z hv-av01 agent 7 - - " + HEADER + "a=1",
    ],
)
def test_the_header_of_syslog_is_kept(line: str) -> None:
    seen = feed(READER, line.encode())
    assert seen.origins == ["cef"]
    assert seen.events[0]["hostname"] == "hv-av01"
    assert seen.events[0]["severity"] == "5"
    assert READER.recognises(head(line.encode())) == 0


@pytest.mark.parametrize(
    "line", ["CEF:0|a|b", "CEF", "CEF:x|a|b|c|d|e|f|", "cef:0|a|b|c|d|e|f|", "Connection closed"]
)
def test_what_is_no_cef_is_not_taken(line: str) -> None:
    assert feed(READER, line.encode()).origins == ["syslog"]
    assert READER.recognises(head(line.encode())) == 0
