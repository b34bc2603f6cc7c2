"""Which rules can fire: the reasons, one by one."""

from __future__ import annotations

import pytest

from haidang.detect.coverage import (
    CORRELATION,
    NO_FIELD,
    NO_FORMAT,
    NO_MAP,
    NO_RULE,
    NO_SOURCE,
    NO_VALUE,
    Covered,
    cover,
)
from haidang.sigma.loading import rules_from_text
from haidang.sigma.logsource import parse_map

MAP = parse_map(
    b"""origin: ours
product: acme
route_by: [kind, number]
recognise: [[kind]]
fields: {Image: exe}
absent: [Parent]
sources:
  - logsource: {category: process_creation}
    when: {kind: proc, number: [1, 2]}
  - logsource: {category: closed}
    absent: ['*']
  - logsource: {product: other, service: audit}
""",
    "acme.yml",
)
FORMATS = {"ours": ("ndjson",), "json": ("ndjson",)}


def covered(logsource: str, detection: str, **formats: tuple[str, ...]) -> Covered:
    text = f"title: t\nname: t\nlogsource: {{{logsource}}}\ndetection: {{{detection}}}\n"
    loaded = rules_from_text(text)
    assert not loaded.refused
    rules = [rule for group in loaded.groups.values() for rule in group]
    (found,) = cover(rules, (), [MAP], formats or FORMATS)
    return found


PROCESS = "product: acme, category: process_creation"


@pytest.mark.parametrize(
    ("detection", "can"),
    [
        ("a: {Image: x}, condition: a", True),
        ("a: {Parent: x}, condition: a", False),
        ("a: {Parent: x, Image: y}, condition: a", False),
        ("a: {Image: y}, b: {Parent: x}, condition: a or b", True),
        ("a: {Image: y}, b: {Parent: x}, condition: a and not b", True),
        ("a: {Parent: null}, condition: a", True),
        ("a: {Parent|exists: false}, condition: a", True),
        ("a: {Parent|exists: true}, condition: a", False),
        ("a: {Image|fieldref: Parent}, condition: a", False),
        ("a: {Image|fieldref: Other}, condition: a", True),
        ("a: [word], condition: a", True),
        ("a: {number: 2}, condition: a", True),
        ("a: {number: 3}, condition: a", False),
        ("a: {number: 3}, condition: not a", True),
        ("a: {kind: proc}, condition: not a", False),
    ],
)
def test_a_rule_can_fire_when_its_condition_can_hold(detection: str, can: bool) -> None:  # noqa: FBT001 - a parameter
    assert bool(covered(PROCESS, detection).routes) is can


@pytest.mark.parametrize(
    ("logsource", "detection", "reason", "fields"),
    [
        ("product: nobody", "a: {Image: x}, condition: a", NO_MAP, ()),
        ("product: acme, category: nothing", "a: {Image: x}, condition: a", NO_SOURCE, ()),
        (PROCESS, "a: {Parent: x, Image: y}, condition: a", NO_FIELD, ("Parent",)),
        (PROCESS, "a: {kind: file}, condition: a", NO_VALUE, ()),
        ("product: acme, category: closed", "a: {Other: x, Image: y}, condition: a", NO_FIELD, ("Other",)),
    ],
)
def test_the_reason_is_said(logsource: str, detection: str, reason: str, fields: tuple[str, ...]) -> None:
    found = covered(logsource, detection)
    assert (found.routes, found.reason, found.fields) == ((), reason, fields)


def test_an_origin_that_no_format_gives_is_no_route() -> None:
    assert covered(PROCESS, "a: {Image: x}, condition: a", json=("ndjson",)).reason == NO_FORMAT


def test_a_rule_without_a_product_meets_events_by_their_own_names() -> None:
    assert covered("category: process_creation", "a: {Image: x}, condition: a").routes == ("ours", "json")
    assert covered("category: nothing", "a: {Image: x}, condition: a").routes == ("json",)
    assert covered("category: nothing", "a: {Image: x}, condition: a", ours=("x",)).reason == NO_MAP


def test_a_correlation_can_fire_when_all_its_rules_can() -> None:
    def rule(name: str, product: str) -> str:
        detection = "{a: {Image: x}, condition: a}"
        logsource = f"{{product: {product}, category: process_creation}}"
        return f"title: {name}\nname: {name}\nlogsource: {logsource}\ndetection: {detection}\n"

    def joined(name: str, *rules: str) -> str:
        body = f"{{type: temporal, rules: [{', '.join(rules)}], timespan: 5m, group-by: [Image]}}"
        return f"title: {name}\nname: {name}\ncorrelation: {body}\n"

    documents = [
        *(rule("good", "acme"), rule("bad", "nobody"), joined("fires", "good", "good2")),
        *(rule("good2", "acme"), joined("cannot", "good", "bad"), joined("chain", "fires", "cannot")),
    ]
    loaded = rules_from_text("---\n".join(documents))
    assert not loaded.refused
    rules = [rule for group in loaded.groups.values() for rule in group]
    found = {one.info.title: one for one in cover(rules, loaded.correlations, [MAP], FORMATS)}
    assert found["fires"].logsource == CORRELATION
    assert {title for title, one in found.items() if one.routes} == {"good", "good2", "fires"}
    assert {found["cannot"].reason, found["chain"].reason} == {NO_RULE}
