"""Whatever events, findings and test data hold, the workshop says something of it and never breaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from haidang.errors import HaidangError
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.ir import LogSource
from haidang.sigma.logsource import load_maps
from haidang.workshop.checking import check
from haidang.workshop.choosing import choose_rule
from haidang.workshop.drafting import draft
from haidang.workshop.explaining import explain
from haidang.workshop.reading import ReadEvent
from haidang.workshop.regression import read_regression
from haidang.workshop.tuning import confirmed, propose
from haidang.workshop.verdicts import Judged, read_verdicts

if TYPE_CHECKING:
    from pathlib import Path

MAPS = load_maps()
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["C:\\a\\b.exe", "\\\\*\\?", "a" * 300, "\ud800", "%1", "{x}"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["Channel", "EventID", "Image", "CommandLine", "User", "a.b", "", "ProcessId", "type"]
)
EVENTS = st.dictionaries(NAMES, VALUES, max_size=6)
KINDS = st.sampled_from(["windows", "auditd", "zeek", "json", "", "nobody"])


@given(st.lists(EVENTS, min_size=1, max_size=3), st.lists(EVENTS, max_size=3), KINDS)
def test_a_draft_of_any_events_is_a_rule_or_refused(
    examples: list[dict[str, Any]], ordinary: list[dict[str, Any]], origin: str
) -> None:
    read = [ReadEvent("log", number, origin, event) for number, event in enumerate(examples)]
    background = [ReadEvent("log", number, origin, event) for number, event in enumerate(ordinary)]
    try:
        found = draft(read, background, MAPS)
    except HaidangError:
        return
    rule = yaml.safe_load(found.rule_yaml("A Draft", "2026-11-30"))
    assert rule["detection"]["selection"]
    assert 0 <= found.hit <= found.background


@pytest.fixture(scope="module")
def rule() -> Any:
    return choose_rule("defender_weakened", [])


@given(event=EVENTS, origin=KINDS)
def test_any_event_can_be_explained(rule: Any, event: dict[str, Any], origin: str) -> None:
    one, compiled, written = rule
    found = explain(one, compiled, written, ReadEvent("log", 1, origin, event), MAPS)
    assert found.way.message.text()
    assert not (found.fires and not found.way.reached)


@example([], [{"Channel": None, "EventID": "\ud800"}])
@example([], [{"\ud800": "value"}])
@given(st.lists(EVENTS, max_size=4), st.lists(EVENTS, min_size=1, max_size=4))
def test_any_findings_can_be_judged(true: list[dict[str, Any]], false: list[dict[str, Any]]) -> None:
    def judged(events: list[dict[str, Any]]) -> list[Judged]:
        return [Judged(str(number), "r", "R", "windows", event) for number, event in enumerate(events)]

    kept = judged(true)
    found = propose(kept, judged(false))
    if found.selections:
        confirmed(found.as_yaml(LogSource("windows", "process_creation"), "2026-11-30"), kept, found)
    for traits in found.selections:
        assert not any(all(trait.holds(one.event) for trait in traits) for one in kept)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "info.yml"


@given(
    node=st.dictionaries(
        st.sampled_from(["rule_metadata", "regression_tests_info", "id"]),
        st.one_of(
            VALUES,
            st.lists(
                st.dictionaries(st.sampled_from(["id", "path", "match_count", "name"]), VALUES), max_size=3
            ),
        ),
    )
)
def test_any_test_data_is_read_or_told(path: Path, node: dict[str, Any]) -> None:
    path.write_text(json.dumps(node), encoding="utf-8")
    for examples, faults in read_regression(path.parent, DEFAULT_LIMITS):
        assert all(fault.path == str(path) for fault in faults)
        assert all(log.path.resolve().is_relative_to(path.parent.parent) for log in examples.logs)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_findings_or_told(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    found = read_verdicts([], [str(path)], [], None, DEFAULT_LIMITS)
    assert found.false == []
    assert len(found.problems) <= len(data.split(b"\n"))


@given(data=st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_are_checked(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    for issue in check([str(path)]).issues:
        assert issue.message.text()
