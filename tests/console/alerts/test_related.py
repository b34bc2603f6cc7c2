"""Related intelligence: what the values of an alert's evidence meet, and the finding's own indicator."""

from __future__ import annotations

from typing import Any

from haidang.console.alerts.related import related
from haidang.console.service.telling import harmless
from haidang.intel.model import Indicator
from haidang.intel.store import Source, compile_sources

DIGEST = "66E9B76D48AE3B168E023FB6A2E0F8897382763856909802DCC7F8DCA4B9619C"
INDICATORS = [
    Indicator("ip", "203.0.113.66", name="C2", confidence=40, tlp="amber"),
    Indicator("ip", "203.0.113.66", name="C2", confidence=40, tlp="amber"),
    Indicator("domain", "evil.example", confidence=90),
    Indicator("hash", DIGEST.lower(), valid_until=1_700_000_000),
    Indicator("network", "198.51.100.0/24"),
    Indicator("url", "a.example/x", confidence=10),
]
FINDING: dict[str, Any] = {
    "time": "2026-11-30T01:00:00Z",
    "matched": [
        {
            "field": "CommandLine",
            "value": "get http://a.example/x ping 203.0.113.66",
            "test": "contains 'get'",
        }
    ],
    "event": {
        "QueryName": "cdn.evil.example",
        "Hashes": f"SHA256={DIGEST},MD5=00",
        "DestinationIp": "198.51.100.9",
        "Image": "C:\\x\\tool.exe",
        "n": 7,
    },
}


def intel() -> Any:
    return compile_sources([(Source(name="so-tttt", kind="list", location=""), INDICATORS)])


def test_values_of_any_field_meet_indicators_each_once_and_the_surest_first() -> None:
    found = related([FINDING, FINDING], intel())
    assert [(one.value, one.confidence, one.holds, one.fields) for one in found] == [
        ("evil.example", 90, True, ["QueryName"]),
        ("203.0.113.66", 40, True, ["CommandLine"]),
        ("a.example/x", 10, True, ["CommandLine"]),
        ("198.51.100.0/24", None, True, ["DestinationIp"]),
        (DIGEST.lower(), None, False, ["Hashes"]),
    ]
    assert (found[1].source, found[1].tlp, found[1].name) == ("so-tttt", "AMBER", "C2")
    assert not any(one.own for one in found)


def test_the_findings_own_indicator_is_first_and_known_when_it_is_gone() -> None:
    test = "indicator address '203.0.113.66' (C2; confidence 40)"
    finding = {"matched": [{"field": "DestinationIp", "value": "203.0.113.66", "test": test}]}
    (one,) = related([finding], intel())
    assert (one.value, one.own) == ("203.0.113.66", True)
    for kept in (None, compile_sources([])):
        (gone,) = related([finding], kept)
        assert (gone.said, gone.own) == (test, True)
    assert related([FINDING], None) == []


def test_what_addresses_hold_of_secrets_is_not_told() -> None:
    assert harmless("https://me:pw@feeds.example/list?key=s3cret: 404") == "https://feeds.example/list?… 404"
