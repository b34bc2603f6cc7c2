"""JSON of objects that each hold an indicator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.errors import InputError
from haidang.intel.feeds import feeds, read_feed
from haidang.intel.model import Indicator
from haidang.limits import DEFAULT_LIMITS


def read(*documents: Any) -> list[Indicator]:
    name, reading = read_feed("\n".join(map(json.dumps, documents)).encode(), DEFAULT_LIMITS)
    assert name == "json"
    return reading.indicators


def test_lines_of_objects_are_read() -> None:
    found = read({"cidr": "198.51.100.0/24", "sblid": "SBL1"}, {"type": "metadata", "records": 1})
    assert found == [Indicator("network", "198.51.100.0/24")]


def test_answers_of_abuse_ch_are_read() -> None:
    row = {"id": "1", "ioc": "198.51.100.7:4443", "ioc_type": "ip:port", "malware_printable": "Beacon",
           "confidence_level": 75, "tags": ["C2", "t1071.001"]}  # fmt: skip
    assert read({"query_status": "ok", "data": [row]}) == [
        Indicator("ip", "198.51.100.7", "Beacon", "1", 75, tags=("attack.t1071.001",))
    ]
    by_id = {"31": [{"url": "http://evil.example/x", "threat": "malware_download"}]}
    assert read(by_id) == [Indicator("url", "evil.example/x", "malware_download")]


def test_indicators_of_a_pulse_have_its_name_and_tlp() -> None:
    one = {"indicator": "evil.example", "type": "hostname", "expiration": "2027-01-01T00:00:00"}
    two = {"indicator": "e" * 64, "type": "FileHash-SHA256", "title": "dropper"}
    assert read({"results": [{"name": "Campaign", "TLP": "amber", "indicators": [one, two]}]}) == [
        Indicator("domain", "evil.example", "Campaign", tlp="amber", valid_until=1798761600),
        Indicator("hash", "e" * 64, "dropper", tlp="amber"),
    ]


def test_broken_json_is_an_error() -> None:
    with pytest.raises(InputError):
        read_feed(b'[{"ioc": "a.example"', DEFAULT_LIMITS, name="json")


KEYS = st.sampled_from(["ioc", "url", "name", "TLP", "x", "tags"])


@given(
    st.recursive(
        st.none() | st.text(max_size=9) | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    )
)
def test_documents_of_any_shape_break_nothing(document: Any) -> None:
    feeds()["json"].read(json.dumps(document).encode(), DEFAULT_LIMITS)
