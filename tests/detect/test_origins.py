"""Events of unknown origin are told by their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from haidang.detect import origins
from haidang.detect.origins import Recogniser
from haidang.detect.semantics import lookup

if TYPE_CHECKING:
    import pytest

SETS = [
    ("one", ("a", "b")),
    ("deep", ("a", "b.c")),
    ("dotted", ("x.y",)),
    ("other", ("z",)),
]


def test_all_fields_of_a_set_must_be_there_and_hold_something() -> None:
    tell = Recogniser(SETS).origin
    assert tell({"a": 1, "b": 2}) == "one"
    assert tell({"a": 1}) == ""
    assert tell({"a": 1, "b": None}) == ""
    assert tell({"b": 0, "a": ""}) == "one"


def test_the_set_that_says_more_comes_first() -> None:
    tell = Recogniser(SETS).origin
    assert tell({"a": 1, "b": {"c": 1}}) == "deep"
    assert tell({"a": 1, "b": {"d": 1}}) == "one"


def test_dots_descend_and_whole_keys_count() -> None:
    tell = Recogniser(SETS).origin
    assert tell({"x": {"y": 1}}) == "dotted"
    assert tell({"x.y": 1}) == "dotted"
    assert tell({"x": [{"y": 1}]}) == "dotted"
    assert tell({"x": "y"}) == ""


def test_events_of_one_arrangement_may_differ_in_what_they_hold() -> None:
    tell = Recogniser(SETS).origin
    assert [tell({"x": {"y": 1}}), tell({"x": 2}), tell({"x": {"y": 3}})] == ["dotted", "", "dotted"]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "_MOST_ARRANGEMENTS", 3)
    recogniser = Recogniser(SETS)
    for number in range(20):
        assert recogniser.origin({str(number): 1, "z": 1}) == "other"
        assert len(recogniser._known) <= 3
    many = {str(number): 1 for number in range(1000)}
    assert recogniser.origin({**many, "z": 1}) == "other"
    assert recogniser.origin({"k" * 100_000: 1, "z": 1}) == "other"
    assert all(len(keys) < 10 for keys in recogniser._known)


values = st.none() | st.integers() | st.dictionaries(st.sampled_from("cy"), st.none() | st.integers())


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "x", "x.y", "z", "q"]), values), max_size=8))
def test_the_answer_is_that_of_looking_at_every_set(events: list[dict[str, object]]) -> None:
    recogniser = Recogniser(SETS)
    ordered = sorted(SETS, key=lambda one: -sum(name.count(".") + 1 for name in one[1]))
    for event in events:
        plain = next(
            (o for o, names in ordered if all(lookup(event, name) is not None for name in names)), ""
        )
        assert recogniser.origin(event) == plain
