"""MISP events of our own writing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.errors import InputError
from haidang.intel.feeds import read_feed
from haidang.intel.feeds.misp import TYPES
from haidang.intel.patterns import compile_pattern
from haidang.limits import DEFAULT_LIMITS


def attribute(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "to_ids": True, "uuid": "u", **more}


def event(*attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Event": {"info": "Case", "uuid": "e", "Attribute": list(attributes), **more}}


def read(*documents: dict[str, Any]) -> Any:
    name, reading = read_feed(
        json.dumps(documents[0] if len(documents) == 1 else documents).encode(), DEFAULT_LIMITS
    )
    assert name == "misp"
    return reading


def test_attributes_become_indicators_with_the_tags_of_the_event() -> None:
    reading = read(
        event(
            attribute("ip-dst|port", "198.51.100.7|443", comment="C2"),
            attribute("domain|ip", "evil.example|198.51.100.8"),
            attribute("filename|sha256", "a.exe|" + "b" * 64, Tag=[{"name": "tlp:red"}]),
            attribute("imphash", "c" * 32),
            attribute("ip-src", "203.0.113.0/24"),
            Tag=[{"name": "tlp:amber"}, {"name": 'misp-galaxy:mitre-attack-pattern="Web - T1071.001"'}],
            threat_level_id="1",
        )
    )
    assert [(one.kind, one.value) for one in reading.indicators] == [
        ("ip", "198.51.100.7"),
        ("domain", "evil.example"),
        ("ip", "198.51.100.8"),
        ("hash", "b" * 64),
        ("hash", "imphash:" + "c" * 32),
        ("network", "203.0.113.0/24"),
    ]
    first = reading.indicators[0]
    assert (first.name, first.tlp, first.tags, first.confidence) == (
        "Case: C2",
        "amber",
        ("attack.t1071.001",),
        85,
    )
    assert reading.indicators[3].tlp == "red"


def test_names_of_files_and_keys_become_patterns_that_can_be_read() -> None:
    reading = read(event(attribute("filename", "it's.exe"), attribute("regkey|value", "HKLM\\Run\\x|data")))
    assert [one.kind for one in reading.indicators] == ["pattern", "pattern"]
    for one in reading.indicators:
        assert compile_pattern(one.value).conditions


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"to_ids": False}, "to_ids"),
        ({"deleted": True}, "the feed has deleted it"),
        ({"type": "btc"}, "btc"),
        ({"value": "nonsense"}, "readable"),
    ],
)
def test_what_is_not_for_detection_is_counted(change: dict[str, Any], reason: str) -> None:
    reading = read(
        event({**attribute("ip-dst", "198.51.100.7"), **change}, attribute("domain", "evil.example"))
    )
    assert [one.value for one in reading.indicators] == ["evil.example"]
    assert reason in reading.refused[0].reason


def test_patterns_and_pipes_are_read() -> None:
    pattern = "[ipv4-addr:value = '198.51.100.7' OR file:hashes.SSDEEP = '3:a:b']"
    pipe = "\\\\.\\pipe\\evil"
    reading = read(event(attribute("stix2-pattern", pattern), attribute("named pipe", pipe)))
    assert [(one.kind, one.value) for one in reading.indicators] == [
        ("ip", "198.51.100.7"),
        ("pattern", "[file:name = 'evil']"),
    ]
    assert list(reading.counts) == ["pattern, in part: no log that is read here holds a SSDEEP hash"]


def test_tags_tell_confidence_and_who_it_was() -> None:
    reading = read(
        event(
            attribute("domain", "a.example"),
            attribute("domain", "b.example", Tag=[{"name": 'misp:confidence-level="unconfident"'}]),
            info="Case",
            threat_level_id="1",
            Tag=[
                {"name": 'admiralty-scale:information-credibility="2"'},
                {"name": 'misp-galaxy:threat-actor="APT32"'},
                {"name": 'misp-galaxy:mitre-malware="Cobalt Strike - S0154"'},
            ],
        )
    )
    assert [(one.confidence, one.name) for one in reading.indicators] == [
        (70, "Case (APT32, Cobalt Strike)"),
        (0, "Case (APT32, Cobalt Strike)"),
    ]


def test_attributes_of_a_search_are_named_for_the_event_inside_each() -> None:
    about = {"id": "1", "info": "Case", "threat_level_id": "3", "Tag": [{"name": "tlp:red"}]}
    reading = read({"response": {"Attribute": [attribute("domain", "a.example", Event=about)]}})
    (one,) = reading.indicators
    assert (one.name, one.confidence, one.tlp) == ("Case", 40, "red")


@pytest.mark.parametrize("odd", [[], {}, None, "yes", 2])
@pytest.mark.parametrize(
    "key", ["to_ids", "deleted", "type", "Tag", "Event", "decay_score", "uuid", "comment"]
)
def test_a_field_of_any_shape_breaks_nothing(key: str, odd: Any) -> None:
    read(event(attribute("domain", "a.example", **{key: odd}) if key != "type" else {"type": odd}))


def test_what_every_model_says_has_decayed_does_not_count() -> None:
    old, new = {"score": 0, "decayed": True}, {"score": 50, "decayed": False}
    reading = read(
        event(
            attribute("domain", "a.example", decay_score=[old, old]),
            attribute("domain", "b.example", decay_score=[old, new]),
        )
    )
    assert [one.value for one in reading.indicators] == ["b.example"]
    assert reading.counts == {"it has decayed, by the models of its server": 1}


def test_objects_searches_and_lists_of_events_are_read() -> None:
    inside = {"Event": {"info": "o", "Object": [{"Attribute": [attribute("domain", "evil.example")]}]}}
    for document in (inside, {"response": [inside]}, [inside], inside["Event"]):
        _, reading = read_feed(json.dumps(document).encode(), DEFAULT_LIMITS)
        assert [one.value for one in reading.indicators] == ["evil.example"]


def test_every_type_of_which_we_speak_can_be_read() -> None:
    samples = {
        "ip": "198.51.100.7",
        "domain": "evil.example",
        "url": "http://evil.example/",
        "email": "a@evil.example",
        "hash": "a" * 32,
        "imphash": "a" * 32,
        "pattern": "[file:name = 'a.exe']",
    }
    for kind, parts in TYPES.items():
        value = "|".join(samples.get(part, "x") for part in parts.split("|"))
        assert read(event(attribute(kind, value))).indicators, kind


def test_broken_json_is_an_error() -> None:
    with pytest.raises(InputError):
        read_feed(b"{", DEFAULT_LIMITS, name="misp")


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["Event", "Attribute", "Object", "Tag", "name", "type", "value", "to_ids", "response"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_documents_of_any_shape_break_nothing(document: Any) -> None:
    read_feed(json.dumps(document).encode(), DEFAULT_LIMITS, name="misp")
