"""CSV."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from haidang.intel.feeds import feeds, read_feed
from haidang.intel.model import Indicator
from haidang.limits import DEFAULT_LIMITS


def test_a_header_names_the_columns() -> None:
    data = (
        b"ioc,type,confidence,tlp,valid_until,description,technique\n"
        b'198.51.100.7,ip,85,amber,2027-01-01T00:00:00Z,"C2, main",T1071.001\n'
        b"evil.example,domain,low,TLP:RED,,,\n"
        b"nonsense,ip,,,,,\n"
    )
    name, reading = read_feed(data, DEFAULT_LIMITS)
    assert name == "csv"
    assert reading.indicators == [
        Indicator("ip", "198.51.100.7", "C2, main", "", 85, "amber", None, 1798761600, ("attack.t1071.001",)),
        Indicator("domain", "evil.example", "", "", 15, "red"),
    ]
    assert [refused.what for refused in reading.refused] == ["nonsense"]


def test_a_header_may_be_the_last_comment() -> None:
    data = b'# terms\n# "first_seen_utc","ioc_value","threat"\n"2026-01-01","evil.example","bad"\n'
    _, reading = read_feed(data, DEFAULT_LIMITS)
    assert [(one.value, one.name, one.valid_from) for one in reading.indicators] == [
        ("evil.example", "bad", 1767225600)
    ]


def values(text: str) -> list[tuple[str, str]]:
    _, reading = read_feed(text.encode(), DEFAULT_LIMITS)
    return [(one.kind, one.value) for one in reading.indicators]


def test_every_column_that_is_named_for_a_kind_counts() -> None:
    digests = {name: digit * length for name, digit, length in (("MD5", "a", 32), ("SHA-256", "b", 64))}
    header = '"first_seen","MD5","SHA-256","imphash","signature"'
    row = f'"2026-01-01","{digests["MD5"]}","{digests["SHA-256"]}","n/a","bad"'
    assert values(f"# {header}\n{row}\n") == [("hash", digests["MD5"]), ("hash", digests["SHA-256"])]
    assert values("url,domain,ip\nhttp://files.example/x,files.example,198.51.100.7\n") == [
        ("ip", "198.51.100.7"),
        ("url", "files.example/x"),
    ]
    assert values("ip,hostname\n198.51.100.7,host.cloud.example\n") == [("ip", "198.51.100.7")]
    assert values("rank;hostname\n1;a.example\n") == [("domain", "a.example")]


def test_a_vietnamese_column_may_say_more_and_an_english_one_may_not() -> None:
    assert values("Tên miền độc hại,Thời gian\nevil[.]example,01/11/2026\n") == [("domain", "evil.example")]
    assert values("url,url_status,ip_country\nhttp://evil.example/x,online,VN\n") == [
        ("url", "evil.example/x")
    ]


def test_a_warning_in_vietnamese_is_read() -> None:
    text = (
        "\ufeffSTT;Địa chỉ IP;Tên miền;Mã băm (SHA256);Ghi chú\r\n"
        f"1;198.51.100.7, 198.51.100.8;evil[.]example;;Máy chủ điều khiển\r\n2;;;{'c' * 64};Mã độc\r\n"
    )
    _, reading = read_feed(text.encode(), DEFAULT_LIMITS)
    assert [(one.value, one.name) for one in reading.indicators] == [
        ("198.51.100.7", "Máy chủ điều khiển"),
        ("198.51.100.8", "Máy chủ điều khiển"),
        ("evil.example", "Máy chủ điều khiển"),
        ("c" * 64, "Mã độc"),
    ]
    assert not reading.refused


def test_attributes_of_misp_in_csv_are_read_as_those_in_json_are() -> None:
    text = (
        "uuid,event_id,category,type,value,comment,to_ids,date,attribute_tag\n"
        'u1,1,x,"ip-dst|port","198.51.100.7|443","c2",1,1700000000,"tlp:red,T1071"\n'
        'u2,1,x,"filename|sha256","a.exe|' + "d" * 64 + '","",1,1700000000,"tlp:green"\n'
        'u3,1,x,"link","https://report.example/1","",0,1700000000,""\n'
        'u4,1,x,"mutex","Global\\x","",1,1700000000,""\n'
    )
    _, reading = read_feed(text.encode(), DEFAULT_LIMITS)
    assert [(one.value, one.tlp, one.tags) for one in reading.indicators] == [
        ("198.51.100.7", "red", ("attack.t1071",)),
        ("d" * 64, "green", ()),
    ]
    assert [one.reason for one in reading.refused] == [
        "not meant for detection (to_ids)",
        "no address, name, URL, hash or mail address",
    ]


def test_comments_of_a_list_with_semicolons_are_no_rows() -> None:
    text = (
        "; List 2026/11/30\n; https://lists.example/drop.txt\n198.51.100.0/24 ; SBL1\n203.0.113.0/24 ; SBL2\n"
    )
    assert values(text) == [("network", "198.51.100.0/24"), ("network", "203.0.113.0/24")]


def test_without_a_header_the_shape_tells_the_column() -> None:
    name, reading = read_feed(b"1;evil.example;x\n2;other.example;y\n3;none;z\n", DEFAULT_LIMITS)
    assert name == "csv"
    assert [one.value for one in reading.indicators] == ["evil.example", "other.example"]
    assert len(reading.refused) == 1


@given(st.text(alphabet='a.,;"\n#1ip\0', max_size=200))
def test_no_table_breaks_the_reader(text: str) -> None:
    feeds()["csv"].read(text.encode(), DEFAULT_LIMITS)
