"""All tests of a field at once mean what each means alone, and what is remembered stays bounded."""

from __future__ import annotations

from dataclasses import replace
from time import process_time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect.arranging import arrange_field
from haidang.detect.regexes import timeouts
from haidang.detect.semantics import holds
from haidang.detect.values import FieldMemo, FieldTests
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma import ir
from haidang.sigma.ir import ANY, Condition

from .strategies import tests as any_test
from .strategies import values, words

LINE = st.lists(words.filter(lambda word: word != "\n"), max_size=4).map("".join)
LONG = st.builds(
    lambda lines, filler, at: "\n".join([*lines[:at], filler * 600, *lines[at:]]),
    st.lists(LINE, min_size=1, max_size=6),
    st.sampled_from(["z", "é", "a", "\n", "k "]),
    st.integers(0, 6),
)
CONDITIONS = st.lists(any_test(("Image",)), min_size=1, max_size=10)


def on_values(conditions: list[Condition]) -> list[ir.Test]:
    tests = [ir.Test(*condition[1]) for condition in conditions]
    return [test for test in tests if test.field is not None and test.kind != "fieldref"]


def alone(tests: list[ir.Test], value: object) -> tuple[int, ...]:
    return tuple(at for at, test in enumerate(tests) if holds(test, value))


@settings(max_examples=400, deadline=None)
@given(conditions=CONDITIONS, seen=st.lists(st.one_of(values, LONG), min_size=1, max_size=4))
def test_all_tests_at_once_mean_what_each_means_alone(conditions: list[Condition], seen: list[Any]) -> None:
    tests = on_values(conditions)
    together = FieldTests(arrange_field(enumerate(tests)))
    for value in seen * 2:
        assert together.decide(value) == alone(tests, value)


@settings(max_examples=100, deadline=None)
@given(
    seen=st.lists(st.one_of(values.filter(lambda value: not isinstance(value, list)), LONG), max_size=30),
    conditions=CONDITIONS,
    entries=st.sampled_from([1, 3, 1000]),
    chars=st.sampled_from([1, 700, 100_000]),
)
def test_a_memo_that_forgets_answers_as_one_that_does_not(
    seen: list[Any], conditions: list[Condition], entries: int, chars: int
) -> None:
    tests = on_values(conditions)
    limits = replace(DEFAULT_LIMITS, memo_entries=entries, memo_chars=chars)
    memo = FieldMemo(arrange_field(enumerate(tests)), limits)
    for value in seen * 2:
        assert memo.classes[memo[value]] == alone(tests, value)
        assert len(memo) <= entries + 1


def test_memory_of_one_field_is_bounded_in_characters() -> None:
    limits = replace(DEFAULT_LIMITS, memo_chars=10_000)
    tests = [ir.Test("F", "str", (ANY, "a", ANY))]
    memo = FieldMemo(arrange_field(enumerate(tests)), limits)
    for at in range(2000):
        assert memo.classes[memo[f"{at} a" + "x" * (at % 3000)]] == (0,)
        assert sum(map(len, filter(lambda key: isinstance(key, str), memo))) <= 2 * 10_000


def test_rules_look_at_the_first_value_chars_characters_of_a_value() -> None:
    limits = replace(DEFAULT_LIMITS, value_chars=1000)
    tests = [ir.Test("F", "str", (ANY, "needle", ANY)), ir.Test("F", "str", ("x" * 1000,))]
    memo = FieldMemo(arrange_field(enumerate(tests)), limits)
    assert memo.classes[memo["x" * 994 + "needle"]] == (0,)
    assert memo.classes[memo["x" * 995 + "needle"]] == ()
    assert memo.classes[memo["x" * 1001]] == (1,)


def test_zero_and_false_one_and_true_are_told_apart_in_whatever_order_they_come() -> None:
    tests = [ir.Test("F", "num", 0), ir.Test("F", "bool", False), ir.Test("F", "num", 1)]
    tests.append(ir.Test("F", "str", ("true",)))
    for order in ([0, False, 1, True, 0.0, 1.0], [True, 1.0, 1, False, 0.0, 0]):
        memo = FieldMemo(arrange_field(enumerate(tests)), DEFAULT_LIMITS)
        for value in order * 2:
            assert memo.classes[memo[value]] == alone(tests, value)


def test_more_literals_than_one_look_up_each_are_found_all_the_same() -> None:
    tests = [ir.Test("F", "str", (ANY, f"w{at}.", ANY)) for at in range(300)]
    tests += [ir.Test("F", "str", (f"b{at}", ANY)) for at in range(40)]
    together = FieldTests(arrange_field(enumerate(tests)))
    for value in ("b3 W7. w299.w12.", "B39", "x\n" * 400 + "W5.\nw6.", "é" * 600 + "w8."):
        assert together.decide(value) == alone(tests, value)


def test_an_expression_stops_at_the_regex_seconds_of_the_caller() -> None:
    hostile = r"^(?=a)(a|aa|a?)+$"
    limits = replace(DEFAULT_LIMITS, regex_seconds=0.01, regex_timeouts=2)
    memo = FieldMemo(arrange_field([(0, ir.Test("F", "re", (hostile, "")))]), limits)
    timeouts.pop(hostile, None)
    begin = process_time()
    for at in range(20):
        assert memo.classes[memo["a" * (60 + at) + "!"]] == ()
    # Twice the time limit, then no more; at the default limits it would be seconds.
    assert process_time() - begin < DEFAULT_LIMITS.regex_seconds
    assert timeouts.pop(hostile) == 20
