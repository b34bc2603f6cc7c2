"""The edges of correlations, on which engines differ: what a scan says of them.

Each case was run through rsigma 0.23 as well; where it answers otherwise, the comment says so and why we do
not. The specification decides, and where it is silent, decision record 0003.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import haidang

if TYPE_CHECKING:
    from pathlib import Path

RULES = "---\n".join(
    f"title: {name}\nname: {name}\nlogsource: {{category: shop}}\n"
    f"detection: {{s: {{action: [{', '.join(actions)}]}}, condition: s}}\n"
    for name, actions in {"a": ["a"], "b": ["b"], "c": ["c"], "ab": ["a", "b"]}.items()
)
HEAD = "---\ntitle: X\nname: x\ncorrelation: "


def event(seconds: float, action: str, **fields: Any) -> dict[str, Any]:
    minutes, rest = divmod(seconds, 60)
    return {"@timestamp": f"2026-01-05T08:{int(minutes):02}:{rest:06.3f}Z", "action": action, **fields}


def found(folder: Path, correlation: str, events: list[dict[str, Any]]) -> list[tuple[str, int, Any]]:
    """Return title, count and number of every finding of a correlation."""
    (folder / "rules.yml").write_text(RULES + HEAD + correlation + "\n", encoding="utf-8")
    log = folder / "log.ndjson"
    log.write_text("".join(f"{json.dumps(one)}\n" for one in events), encoding="utf-8")
    ruleset = haidang.load_rules(folder / "rules.yml", cache=False)
    assert not ruleset.refused
    found = haidang.scan(log, rules=ruleset)
    return [
        (one.rule.title, one.count, one.event.get("value")) for one in found if one.origin == "correlation"
    ]


COUNT = "{type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 3}}"
VALUES = "{type: value_count, rules: [a], timespan: 1m, condition: {field: v, gte: 2}}"
TEMPORAL = "{type: temporal, rules: [a, b], timespan: 1m}"
ALIASED = (
    "{type: value_count, rules: [a, b], aliases: {who: {a: u, b: w}}, timespan: 1m, "
    "condition: {field: who, gte: 2}}"
)
ORDERED = "{type: temporal_ordered, rules: [a, b], timespan: 1m}"


def times(*seconds: float, **fields: Any) -> list[dict[str, Any]]:
    return [event(at, "a", **fields) for at in seconds]


@pytest.mark.parametrize(
    ("correlation", "events", "expected"),
    [
        # Both ends of the timespan are within it. rsigma reads whole seconds and counts 60.001 s, too.
        (COUNT, times(0, 30, 60, u="x"), [("X", 3, 3)]),
        (COUNT, times(0, 30, 60.001, u="x"), []),
        (ORDERED, [event(0, "a"), event(60, "b")], [("X", 2, None)]),
        (ORDERED, [event(0, "a"), event(60.001, "b")], []),
        # One burst is one finding with its count. rsigma reports at each further hit: 3, 4, 5, 6.
        (COUNT, times(0, 10, 20, 30, 40, 50, u="x"), [("X", 6, 6)]),
        # Sigma compares without case. rsigma keeps x and X apart in groups and in distinct values.
        (COUNT, [event(at, "a", u=u) for at, u in ((0, "x"), (10, "X"), (20, "x"))], [("X", 3, 3)]),
        (VALUES, [event(0, "a", v="p"), event(10, "a", v="P")], []),
        (VALUES, [event(0, "a", v=1), event(10, "a", v="1")], []),
        # Events without a group-by field share no value. rsigma makes a group of them.
        (COUNT, times(0, 10, 20), []),
        (COUNT, times(0, 10, 20, u=None), []),
        (COUNT, times(0, 10, 20, u=""), [("X", 3, 3)]),
        # Null is no value that could be distinct. rsigma counts it as one.
        (VALUES, [event(0, "a", v="p"), event(10, "a", v=None), event(20, "a")], []),
        # One event counts once, whichever rules hold for it. rsigma counts it for each rule.
        (
            "{type: event_count, rules: [a, ab], timespan: 1m, condition: {gte: 3}}",
            times(0, 10),
            [],
        ),
        # "Fewer than" and "exactly" are asked of full windows. rsigma reports while a window still fills.
        ("{type: event_count, rules: [a], timespan: 1m, condition: {lt: 3}}", times(0, 10, 20), []),
        ("{type: event_count, rules: [a], timespan: 1m, condition: {eq: 2}}", times(0, 10, 20), []),
        ("{type: value_avg, rules: [a], timespan: 1m, condition: {field: n, gt: 5}}",
         [event(0, "a", n=6), event(10, "a", n=2)], []),
        # Temporal types need all of their rules. rsigma reports at the first of them without a condition.
        (TEMPORAL, [event(0, "a")], []),
        (TEMPORAL, [event(0, "b"), event(10, "a")], [("X", 2, None)]),
        # "not" holds when the window is full. rsigma reports before the rule that must not hold has come.
        (
            "{type: temporal, rules: [a, b, c], timespan: 1m, condition: a and b and not c}",
            [event(0, "a"), event(10, "b"), event(20, "c")],
            [],
        ),
        # One event is not two steps of an order; lines of one second are, in their order only. For rsigma
        # one event is both steps, and lines of one second have any order.
        ("{type: temporal_ordered, rules: [a, ab], timespan: 1m}", [event(0, "a")], []),
        (ORDERED, [event(0, "a"), event(0, "b")], [("X", 2, None)]),
        (ORDERED, [event(0, "b"), event(0, "a")], []),
        # Event time decides, not the order of arrival; both agree.
        (ORDERED, [event(10, "b"), event(0, "a")], [("X", 2, None)]),
        (COUNT, [*times(0, u="x"), *times(300, u="x"), *times(10, 20, u="x")], [("X", 3, 3)]),
        # An alias that names no field for a rule is looked for itself; both agree.
        (
            "{type: temporal, rules: [a, b], aliases: {who: {a: u}}, group-by: [who], timespan: 1m}",
            [event(0, "a", u="x"), event(10, "b", who="x")],
            [("X", 2, None)],
        ),
        # An alias may stand for the counted field, too; rsigma finds no value there.
        (
            ALIASED,
            [event(0, "a", u="x"), event(10, "b", w="y")],
            [("X", 2, 2)],
        ),
    ],
)  # fmt: skip
def test_edges_are_as_the_specification_and_the_decision_say(
    tmp_path: Path, correlation: str, events: list[dict[str, Any]], expected: list[tuple[str, int, Any]]
) -> None:
    # The rules have names and no ids, as the specification allows; rsigma then counts nothing at all.
    assert found(tmp_path, correlation, events) == expected


def test_a_count_of_correlations_counts_bursts(tmp_path: Path) -> None:
    # rsigma counts each report of a burst that goes on.
    outer = (
        f"{COUNT}\n---\ntitle: Y\ncorrelation: {{type: event_count, rules: [x], group-by: [u], "
        "timespan: 10m, condition: {gte: 2}}"
    )
    assert found(tmp_path, outer, times(0, 10, 20, 25, u="x")) == []
    events = times(0, 10, 20, 25, 200, 210, 220, u="x")
    assert found(tmp_path, outer, events) == [("Y", 2, 2)]


@pytest.mark.parametrize("place", ["{}, generate: true}}", "{}}}\ngenerate: true"], ids=["section", "beside"])
def test_generate_counts_in_the_section_and_beside_the_level(tmp_path: Path, place: str) -> None:
    # The specification lists it beside the level; pySigma reads it in the section.
    text = place.format("{type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}")
    path = tmp_path / "rules.yml"
    path.write_text(RULES + HEAD + text + "\n", encoding="utf-8")
    titles = [info.title for info in haidang.load_rules(path, cache=False)]
    assert titles == ["a", "b", "c", "ab", "X"]
    path.write_text(RULES + HEAD + text.replace("generate: true", "generate: false") + "\n", encoding="utf-8")
    assert "a" not in [info.title for info in haidang.load_rules(path, cache=False)]
