"""STIX bundles of our own writing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.errors import InputError
from haidang.findings.details import detail
from haidang.i18n import translator
from haidang.intel.feeds import read_feed
from haidang.intel.feeds.stix import read_objects
from haidang.limits import DEFAULT_LIMITS

IP = "[ipv4-addr:value = '198.51.100.7']"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"


def indicator(number: int, pattern: str = IP, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012}",
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
        **more,
    }


def bundle(*objects: dict[str, Any]) -> bytes:
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}).encode()


def test_all_that_is_known_of_an_indicator_travels_with_it() -> None:
    one = indicator(
        1,
        name="C2",
        confidence=80,
        valid_until="2027-01-01T00:00:00Z",
        object_marking_refs=[AMBER],
    )
    technique = {
        "type": "attack-pattern",
        "id": "attack-pattern--1",
        "name": "Web protocols",
        "external_references": [{"source_name": "mitre-attack", "external_id": "T1071.001"}],
    }
    malware = {"type": "malware", "id": "malware--1", "name": "Thing"}
    links = [
        {"type": "relationship", "id": f"relationship--{target}", "relationship_type": "indicates",
         "source_ref": one["id"], "target_ref": target}
        for target in ("attack-pattern--1", "malware--1", "malware--none")
    ]  # fmt: skip
    name, reading = read_feed(bundle(*links, one, technique, malware), DEFAULT_LIMITS)
    assert name == "stix"
    (found,) = reading.indicators
    assert (found.kind, found.value, found.name, found.id) == ("ip", "198.51.100.7", "C2 (Thing)", one["id"])
    assert (found.confidence, found.tlp, found.tags) == (80, "amber", ("attack.t1071.001",))
    assert (found.valid_from, found.valid_until) == (1767225600, 1798761600)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"revoked": True}, "the feed has revoked it"),
        ({"pattern_type": "yara"}, "yara"),
        ({"pattern": ""}, "no pattern"),
        ({"pattern": "[mutex:name = 'x']"}, "mutex:name"),
        ({"pattern": "[file:name"}, "pattern:"),
        ({"pattern": "[ipv4-addr:value = '10.1.2.3']"}, "private"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_and_the_rest_is_used(
    change: dict[str, Any], reason: str
) -> None:
    _, reading = read_feed(bundle(indicator(1, **{"name": "bad", **change}), indicator(2)), DEFAULT_LIMITS)
    assert len(reading.indicators) == 1
    (refused,) = reading.refused
    assert refused.what in {"bad", "10.1.2.3"}
    assert reason in refused.reason


def test_a_pattern_of_both_kinds_gives_both() -> None:
    _, reading = read_feed(bundle(indicator(1, IP[:-1] + " OR file:name LIKE 'x%']")), DEFAULT_LIMITS)
    assert [one.kind for one in reading.indicators] == ["ip", "pattern"]


def test_of_several_versions_the_newest_counts() -> None:
    old = indicator(1, modified="2026-01-01T00:00:00Z")
    new = indicator(1, "[domain-name:value = 'evil.example']", modified="2026-02-01T00:00:00Z")
    for objects in ([old, new], [new, old]):
        assert [one.value for one in read_objects(objects, DEFAULT_LIMITS).indicators] == ["evil.example"]


@pytest.mark.parametrize(
    "marking",
    [
        {"definition_type": "tlp", "definition": {"tlp": "red"}},
        {"name": "TLP:RED"},
        {"extensions": {"extension-definition--x": {"tlp_2_0": "red"}}},
    ],
)
def test_a_marking_of_the_bundle_gives_the_tlp(marking: dict[str, Any]) -> None:
    objects = [{"type": "marking-definition", "id": "marking-definition--1", **marking},
               indicator(1, object_marking_refs=["marking-definition--1", AMBER])]  # fmt: skip
    assert [one.tlp for one in read_objects(objects, DEFAULT_LIMITS).indicators] == ["red"]


def test_the_strictest_marking_of_any_part_gives_the_tlp() -> None:
    granular = [
        {"marking_ref": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "selectors": ["x"]}
    ]
    green = ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]
    marked = indicator(1, object_marking_refs=green, granular_markings=granular)
    _, reading = read_feed(bundle(marked), DEFAULT_LIMITS)
    assert [one.tlp for one in reading.indicators] == ["red"]


def test_a_part_of_a_pattern_that_cannot_be_used_is_named_and_the_rest_is_used() -> None:
    pattern = f"[file:hashes.MD5 = '{'a' * 32}' OR file:hashes.SSDEEP = '3:a:b']"
    _, reading = read_feed(bundle(indicator(1, pattern)), DEFAULT_LIMITS)
    assert [one.value for one in reading.indicators] == ["a" * 32]
    assert list(reading.counts) == ["pattern, in part: no log that is read here holds a SSDEEP hash"]
    assert detail(next(iter(reading.counts)), translator("vi")).startswith("một phần mẫu STIX: không")


def test_lines_of_objects_and_lists_are_read_and_broken_json_is_an_error() -> None:
    lines = b"\n".join(json.dumps(indicator(at)).encode() for at in (1, 2))
    assert len(read_feed(lines, DEFAULT_LIMITS)[1].indicators) == 2
    assert len(read_feed(json.dumps([indicator(1)]).encode(), DEFAULT_LIMITS)[1].indicators) == 1
    with pytest.raises(InputError, match="not valid JSON"):
        read_feed(b'{"objects": [', DEFAULT_LIMITS, name="stix")


_junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", IP, "indicator", AMBER]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "tlp", "name"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(
            sorted(
                indicator(
                    1, name="n", confidence=1, labels=[], object_marking_refs=[], revoked=False, valid_until=1
                )
            )
        ),
        _junk,
    )
)
def test_fields_of_any_shape_break_nothing(change: dict[str, Any]) -> None:
    read_feed(bundle({**indicator(1), **change}, indicator(2)), DEFAULT_LIMITS, name="stix")
