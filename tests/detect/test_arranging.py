"""What is left out of a look is surely of no consequence: anchors, accepted values, literals."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect.arranging import accepted_values, arrange_field, arrange_rules, folded_value
from haidang.detect.naive import evaluate, evaluate_test
from haidang.detect.semantics import lookup
from haidang.detect.values import FieldTests
from haidang.sigma import ir
from haidang.sigma.ir import ANY, Condition

from .strategies import conditions, events, scalars
from .strategies import tests as any_test


def numbered_tests(condition: Condition) -> list[ir.Test]:
    """Return the tests of a condition in the order in which they are numbered."""
    if condition[0] == "is":
        return [ir.Test(*condition[1])]
    if condition[0] not in {"and", "or", "not"}:
        return []
    return list(dict.fromkeys(test for part in condition[1:] for test in numbered_tests(part)))


@settings(max_examples=300, deadline=None)
@given(condition=conditions(), event=events())
def test_a_rule_never_holds_when_none_of_its_anchors_does(
    condition: Condition, event: dict[str, Any]
) -> None:
    arranged = arrange_rules([condition])
    get = partial(lookup, event)
    held = {at for at, test in enumerate(numbered_tests(condition)) if evaluate_test(test, get, event)}
    if arranged["always"]:
        assert arranged["always"] == [0]
        assert not arranged["anchors"]
    elif evaluate(condition, get, event):
        assert held & arranged["anchors"].keys()


@pytest.mark.parametrize(
    ("condition", "anchors", "always"),
    [
        (("true",), {}, [0]),
        (("false",), {}, []),
        (("not", ("is", ("F", "num", 1, False))), {}, [0]),
        (("is", ("F", "null", None, False)), {}, [0]),
        (("is", ("F", "exists", False, False)), {}, [0]),
        (("is", ("F", "exists", True, False)), {0: [0]}, []),
        (
            (
                "and",
                ("or", ("is", ("F", "num", 1, False)), ("is", ("F", "num", 2, False))),
                ("is", ("G", "num", 3, False)),
            ),
            {2: [0]},
            [],
        ),
        (("or", ("is", ("F", "num", 1, False)), ("is", ("G", "null", None, False))), {}, [0]),
        (("and",), {}, [0]),
        (("or",), {}, []),
    ],
)
def test_the_fewest_tests_that_must_hold_are_the_anchors(
    condition: Condition, anchors: dict[int, list[int]], always: list[int]
) -> None:
    arranged = arrange_rules([condition])
    assert (arranged["anchors"], arranged["always"]) == (anchors, always)


@settings(max_examples=300, deadline=None)
@given(condition=conditions(("Image", "Code")), event=events(), value=scalars)
def test_a_rule_never_holds_for_a_value_that_it_does_not_accept(
    condition: Condition, event: dict[str, Any], value: object
) -> None:
    accepted = accepted_values(condition, "Code")
    event = {**event, "Code": value}
    if accepted is not None and folded_value(value) not in accepted:
        assert not evaluate(condition, partial(lookup, event), event)


@settings(max_examples=200, deadline=None)
@given(test=any_test(("Code",)), value=scalars)
def test_a_value_that_a_test_accepts_is_among_its_accepted_values(test: Condition, value: object) -> None:
    accepted = accepted_values(test, "Code")
    event = {"Code": value}
    if accepted is not None and evaluate(test, partial(lookup, event), event):
        assert folded_value(value) in accepted


@pytest.mark.parametrize(
    ("condition", "accepted"),
    [
        (("is", ("F", "num", 10, False)), {"10"}),
        (("is", ("F", "str", ("A", "b"), False)), {"ab"}),
        (("is", ("F", "str", ("010",), False)), {"10"}),
        (("is", ("F", "str", ("a", ANY), False)), None),
        (("is", ("G", "num", 10, False)), None),
        (("or", ("is", ("F", "num", 1, False)), ("is", ("F", "num", 2, False))), {"1", "2"}),
        (("or", ("is", ("F", "num", 1, False)), ("is", ("G", "num", 2, False))), None),
        (("and", ("is", ("F", "num", 1, False)), ("is", ("F", "num", 2, False))), set()),
        (("not", ("is", ("F", "num", 1, False))), None),
    ],
)
def test_accepted_values_of_a_field(condition: Condition, accepted: set[str] | None) -> None:
    assert accepted_values(condition, "F") == accepted


@given(st.sampled_from(["10", "010", "+10", "10.0", "1e1", 10, 10.0]))
def test_all_spellings_of_a_number_fold_to_one_text(value: object) -> None:
    assert folded_value(value) == "10"


def test_a_cased_literal_is_found_where_lower_case_depends_on_the_neighbours() -> None:
    # The lower case of a final capital sigma is another letter than that of one inside a word.
    test = ir.Test("Image", "str", (ANY, "Σ", ANY), cased=True)
    assert FieldTests(arrange_field([(0, test)])).decide("aΣ") == (0,)
