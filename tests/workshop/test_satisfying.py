"""A condition that an event satisfies is never called impossible; plain contradictions are."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.detect.naive import evaluate
from haidang.sigma.ir import ANY, ONE
from haidang.workshop.satisfying import can_hold

FIELDS = st.sampled_from(["a", "b"])
LITERALS = st.sampled_from(["x", "xy", "y", "X", ""])
VALUES = st.sampled_from(["x", "xy", "y", "XY", "", 1, 2, None])


def parts() -> st.SearchStrategy[tuple[Any, ...]]:
    pieces = st.one_of(LITERALS.filter(bool), st.just(ANY), st.just(ONE))
    return st.lists(pieces, max_size=3).map(tuple)


def one_test() -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of(
        st.tuples(FIELDS, st.just("str"), parts(), st.booleans()),
        st.tuples(FIELDS, st.just("num"), st.integers(0, 3), st.just(False)),
        st.tuples(
            FIELDS, st.sampled_from(["lt", "lte", "gt", "gte", "ne"]), st.integers(0, 3), st.just(False)
        ),
        st.tuples(FIELDS, st.just("null"), st.none(), st.just(False)),
        st.tuples(FIELDS, st.just("exists"), st.booleans(), st.just(False)),
    ).map(lambda test: ("is", test))


CONDITIONS = st.recursive(
    one_test(),
    lambda inner: st.one_of(
        st.tuples(st.just("and"), inner, inner),
        st.tuples(st.just("or"), inner, inner),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=8,
)


@given(CONDITIONS, st.fixed_dictionaries({"a": VALUES, "b": VALUES}))
def test_never_calls_impossible_what_an_event_satisfies(
    condition: tuple[Any, ...], event: dict[str, Any]
) -> None:
    event = {key: value for key, value in event.items() if value is not None}
    if evaluate(condition, partial(dict.get, event), event):
        assert can_hold(condition)


def text(field: str, *pieces: str | int) -> tuple[Any, ...]:
    return ("is", (field, "str", pieces, False))


@pytest.mark.parametrize(
    "condition",
    [
        ("and", text("a", "x"), text("a", "y")),
        ("and", text("a", "x"), ("not", text("a", "x"))),
        ("and", text("a", ANY, "x"), text("a", ANY, "y")),
        ("and", text("a", "x", ANY), text("a", "y", ANY)),
        ("and", text("a", "xy"), ("not", text("a", ANY, "y"))),
        ("and", text("a", "xyz", ANY), ("not", text("a", ANY, "y", ANY))),
        ("and", text("a", "x"), ("is", ("a", "null", None, False))),
        ("and", ("is", ("a", "gt", 5, False)), ("is", ("a", "lt", 5, False))),
        ("and", ("is", ("a", "num", 5, False)), ("is", ("a", "lt", 5, False))),
        ("and", text("a", "x"), ("or", text("a", "y"), text("a", "z"))),
        ("and", ("or", text("a", "x"), text("a", "y")), ("not", ("or", text("a", "x"), text("a", "y")))),
    ],
)
def test_plain_contradictions_are_impossible(condition: tuple[Any, ...]) -> None:
    assert not can_hold(condition)


def test_a_long_search_ends_as_possible() -> None:
    """Thirty alternatives of which none agrees with another would take 2 ** 30 steps."""
    choices = [("or", *(text(f"f{n}", str(value)) for value in range(2))) for n in range(30)]
    none = [("not", ("and", text(f"f{n}", "0"), text(f"f{n + 1}", "0"))) for n in range(29)]
    assert can_hold(("and", *choices, *none))
