"""Deciding tests on known fields once: what is left means the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect.naive import evaluate
from haidang.detect.routes import fold
from haidang.detect.semantics import lookup

from .strategies import conditions, events, scalars

if TYPE_CHECKING:
    from haidang.sigma.ir import Condition

TRUE, FALSE = ("true",), ("false",)
ONE_IS = ("is", ("EventID", "num", 1, False))
IMAGE = ("is", ("Image", "str", ("a",), False))


@settings(max_examples=300, deadline=None)
@given(
    condition=conditions(), event=events(), names=st.sets(st.sampled_from(["Image", "Code"])), value=scalars
)
def test_what_is_left_holds_when_the_whole_does(
    condition: Condition, event: dict[str, Any], names: set[str], value: object
) -> None:
    event = {**event, "Code": value}
    get = partial(lookup, event)
    left = fold(condition, {name: get(name) for name in names})
    assert evaluate(left, get, event) == evaluate(condition, get, event)


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        (ONE_IS, TRUE),
        (("not", ONE_IS), FALSE),
        (("not", IMAGE), ("not", IMAGE)),
        (("and", ONE_IS, IMAGE), IMAGE),
        (("or", ONE_IS, IMAGE), TRUE),
        (("and", ("not", ONE_IS), IMAGE), FALSE),
        (("or", ("not", ONE_IS), IMAGE), IMAGE),
        (("and", IMAGE, IMAGE, ONE_IS), ("and", IMAGE, IMAGE)),
        (("and",), TRUE),
        (("or",), FALSE),
        (("is", ("EventID", "fieldref", ("X", "equals"), False)),) * 2,
        (("is", (None, "str", (0, "1", 0), False)),) * 2,
    ],
)
def test_a_decided_test_disappears(condition: Condition, left: Condition) -> None:
    assert fold(condition, {"EventID": 1}) == left
