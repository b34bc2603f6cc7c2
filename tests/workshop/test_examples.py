"""The file of examples: what it may hold, what is wrong with it and where, and the schema of the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.loading import BUILTIN_RULES
from haidang.workshop.examples import Step, read_examples, test_file

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "reference" / "rule-test.schema.json"
WHOLE = """rule: a
origin: windows
base: {A: 1}
fires: [{B: 2}, {A: 3}]
quiet: [{C: 4}]
sequences:
  - name: two and one
    fires: true
    events:
      - {event: {B: "x{n}", L: ["{n}"], M: {k: "{n}"}}, times: 2, every: 5s}
      - {event: {B: y}, after: 1m, origin: zeek}
logs:
  - {path: a.evtx, fires: 0, name: quiet log}
  - {text: "a line", format: syslog}
"""
WRONG = {
    "nonsense: 1": 1,
    "fires: {a: 1}": 1,
    "fires:\n  - 1": 2,
    "rule: 5\nfires: [{a: 1}]": 1,
    "base: x\nfires: [{a: 1}]": 1,
    "origin: windows": 1,
    "sequences:\n  - fires: true": 2,
    "sequences:\n  - fires: maybe\n    events: [{event: {}}]": 2,
    "sequences:\n  - fires: true\n    events: [{event: x}]": 3,
    "sequences:\n  - fires: true\n    events:\n      - {event: {}, every: soon}": 4,
    "sequences:\n  - fires: true\n    events:\n      - {event: {}, times: 0}": 4,
    "sequences:\n  - fires: true\n    events:\n      - {event: {}, nope: 0}": 4,
    "logs:\n  - path: ''": 2,
    "logs:\n  - {path: a, fires: -1}": 2,
    "logs:\n  - {path: a, text: b}": 2,
    "logs:\n  - {fires: 1}": 2,
    "logs:\n  - {text: a, format: 5}": 2,
    "- a": 1,
}


def read(folder: Path, text: str) -> Any:
    path = folder / "a.test.yml"
    path.write_text(text, encoding="utf-8")
    return read_examples(path, DEFAULT_LIMITS)


def test_reads_all_that_may_be_said(tmp_path: Path) -> None:
    (found,), faults = read(tmp_path, WHOLE)
    assert faults == []
    assert (found.rule, found.origin) == ("a", "windows")
    assert [(one.event, one.fires, one.line) for one in found.singles] == [
        ({"A": 1, "B": 2}, True, 4),
        ({"A": 3}, True, 4),
        ({"A": 1, "C": 4}, False, 5),
    ]
    (sequence,) = found.sequences
    second = 10**9
    assert sequence.steps == (
        Step({"A": 1, "B": "x1", "L": ["1"], "M": {"k": "1"}}, "", 0),
        Step({"A": 1, "B": "x2", "L": ["2"], "M": {"k": "2"}}, "", 5 * second),
        Step({"A": 1, "B": "y"}, "zeek", 65 * second),
    )
    log, text = found.logs
    assert (log.path, log.fires, log.text) == (tmp_path / "a.evtx", 0, "")
    assert (text.name, text.text, text.format, text.fires) == ("a line", "a line", "syslog", 1)


@pytest.mark.parametrize("text", sorted(WRONG))
def test_says_what_is_wrong_and_where(tmp_path: Path, text: str) -> None:
    _, faults = read(tmp_path, text)
    assert [fault.line for fault in faults] == [WRONG[text]]


def test_says_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "nonsense: 1\nfires: [1, 2]\nlogs: [1]\n")
    assert [fault.line for fault in faults] == [1, 2, 2, 3]


def test_yaml_that_is_none_and_a_file_that_is_too_large_are_faults(tmp_path: Path) -> None:
    assert len(read(tmp_path, "a: [")[1]) == 1
    path = tmp_path / "a.test.yml"
    assert len(read_examples(path, replace(DEFAULT_LIMITS, rule_file_bytes=3))[1]) == 1
    assert len(read_examples(tmp_path / "gone", DEFAULT_LIMITS)[1]) == 1


def test_a_sequence_has_at_most_test_events_events(tmp_path: Path) -> None:
    text = "sequences: [{fires: true, events: [{event: {a: 1}, times: 11}]}]"
    path = tmp_path / "a.test.yml"
    path.write_text(text, encoding="utf-8")
    assert read_examples(path, replace(DEFAULT_LIMITS, test_events=11))[1] == []
    assert len(read_examples(path, replace(DEFAULT_LIMITS, test_events=10))[1]) == 1


NODES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from(["", "1s", "a", "{n}"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["fires", "quiet", "sequences", "logs", "events", "event", "times", "path", "base"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(NODES)
def test_no_content_raises(tmp_path_factory: pytest.TempPathFactory, node: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.test.yml"
    path.write_text(yaml.safe_dump(node), encoding="utf-8")
    found, faults = read_examples(path, DEFAULT_LIMITS)
    assert isinstance(found, list)
    assert all(fault.path == str(path) for fault in faults)


def test_finds_the_file_beside_a_rule(tmp_path: Path) -> None:
    rule = tmp_path / "a.yml"
    assert test_file(rule) is None
    beside = tmp_path / "a.test.yml"
    beside.touch()
    assert test_file(rule) == beside


@pytest.fixture(scope="module")
def schema() -> Any:
    loaded = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


def test_the_schema_takes_what_is_read(schema: Any) -> None:
    schema.validate(yaml.safe_load(WHOLE))
    for path in BUILTIN_RULES.rglob("*.test.yml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            schema.validate(document)


@pytest.mark.parametrize("text", sorted(WRONG))
def test_the_schema_refuses_what_is_refused(schema: Any, text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(yaml.safe_load(text))
