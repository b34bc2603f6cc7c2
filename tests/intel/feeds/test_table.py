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


def test_without_a_header_the_shape_tells_the_column() -> None:
    name, reading = read_feed(b"1;evil.example;x\n2;other.example;y\n3;none;z\n", DEFAULT_LIMITS)
    assert name == "csv"
    assert [one.value for one in reading.indicators] == ["evil.example", "other.example"]
    assert len(reading.refused) == 1


@given(st.text(alphabet='a.,;"\n#1ip\0', max_size=200))
def test_no_table_breaks_the_reader(text: str) -> None:
    feeds()["csv"].read(text.encode(), DEFAULT_LIMITS)
