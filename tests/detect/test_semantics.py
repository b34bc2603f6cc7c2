"""What each kind of test means on one value: the specification as a table."""

from __future__ import annotations

from typing import Any

import pytest

from haidang.detect.semantics import holds, leaves, lookup, number, text, time_part, wrap_keyword
from haidang.sigma import ir
from haidang.sigma.ir import ANY, ONE


def check(kind: str, value: Any, seen: Any, *, cased: bool = False, other: Any = None) -> bool:
    return holds(ir.Test("F", kind, value, cased), seen, other)


@pytest.mark.parametrize(
    ("parts", "seen", "expected"),
    [
        (("abc",), "ABC", True),
        (("abc",), "abcd", False),
        ((), "", True),
        ((), "a", False),
        (("", ""), "", True),
        ((ANY,), "", True),
        ((ANY,), "a\nb", True),
        ((ONE,), "", False),
        ((ONE,), "\n", True),
        ((ONE,), "ab", False),
        (("a", ANY), "ABC", True),
        ((ANY, "c"), "ABC", True),
        ((ANY, "b", ANY), "ABC", True),
        (("a", ONE, "c"), "abc", True),
        (("a", ONE, "c"), "ac", False),
        (("a", ANY, "b", ANY, "c"), "a-b-b-c", True),
        (("ab", ANY, "bc"), "abc", False),
        (("*",), "*", True),
        (("*",), "x", False),
        (("a.c",), "abc", False),
        (("İ",), "i̇", True),
        (("đ",), "Đ", True),
        (("ss",), "ß", False),
        (("10",), 10, True),
        (("10",), 10.0, True),
        (("0.5",), 0.5, True),
        (("true",), True, True),
        (("1",), True, False),
        (("none",), None, False),
        (("a",), {"a": "a"}, False),
        (("a",), ["b", "A"], True),
        (("a",), ["b", None], False),
        ((ANY,), [], False),
        ((ANY,), [None], False),
        ((), [""], True),
        (("a",), [["a"]], True),
    ],
)
def test_string(parts: tuple[str | int, ...], seen: object, *, expected: bool) -> None:
    assert check("str", parts, seen) is expected


@pytest.mark.parametrize(
    ("parts", "seen", "expected"),
    [
        (("Abc",), "Abc", True),
        (("Abc",), "abc", False),
        ((ANY, "B", ANY), "aBc", True),
        ((ANY, "B", ANY), "abc", False),
        (("true",), True, True),
    ],
)
def test_cased_string(parts: tuple[str | int, ...], seen: object, *, expected: bool) -> None:
    assert check("str", parts, seen, cased=True) is expected


@pytest.mark.parametrize(
    ("kind", "wanted", "seen", "expected"),
    [
        ("num", 10, 10, True),
        ("num", 10, 10.0, True),
        ("num", 10, "10", True),
        ("num", 10, "010", True),
        ("num", 10, "1e1", True),
        ("num", 10, "0xA", False),
        ("num", 10, " 10", False),
        ("num", 10, "10\n", False),
        ("num", 1, True, False),
        ("num", 1, "true", False),
        ("num", 10, [1, "10"], True),
        ("num", 0, None, False),
        ("num", 0, "", False),
        ("num", 3, "٣", False),
        ("num", 1, "1" * 100, False),
        ("lt", 5, 4, True),
        ("lt", 5, 5, False),
        ("lte", 5, "5", True),
        ("gt", 5, 5.5, True),
        ("gte", 5, "4.9", False),
        ("gt", 5, "many", False),
        ("gt", 0, True, False),
        ("ne", 5, 4, True),
        ("ne", 5, "5.0", False),
        ("ne", 5, "x", False),
        ("ne", 5, None, False),
        ("gt", 2**60, 2**60 + 1, True),
    ],
)
def test_number(kind: str, wanted: float, seen: object, *, expected: bool) -> None:
    assert check(kind, wanted, seen) is expected


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        (True, True, True),
        (True, "TRUE", True),
        (True, 1, False),
        (True, "1", False),
        (False, False, True),
        (False, "False", True),
        (False, None, False),
        (False, 0, False),
        (True, [False, True], True),
    ],
)
def test_boolean(wanted: object, seen: object, *, expected: bool) -> None:
    assert check("bool", wanted, seen) is expected


@pytest.mark.parametrize(
    ("seen", "present"),
    [(None, False), ("", True), (0, True), (False, True), ([], True), ({}, True), ([None], True)],
)
def test_null_is_absent_and_anything_else_exists(seen: object, *, present: bool) -> None:
    assert check("null", None, seen) is not present
    assert check("exists", True, seen) is present
    assert check("exists", False, seen) is not present


@pytest.mark.parametrize(
    ("network", "seen", "expected"),
    [
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.1/8", "10.9.9.9", True),
        ("10.0.0.0/8", " 10.0.0.1 ", True),
        ("10.0.0.0/8", "10.0.0.1:80", False),
        ("10.0.0.0/8", "::ffff:10.0.0.1", True),
        ("10.0.0.0/8", "fe80::1", False),
        ("fe80::/10", "FE80::1%eth0", True),
        ("fe80::/10", "fe80::1%12", True),
        ("::/0", "10.0.0.1", False),
        ("0.0.0.0/0", "fe80::1", False),
        ("0.0.0.0/0", "", False),
        ("0.0.0.0/0", 5, False),
        ("10.0.0.0/8", ["x", "10.0.0.1"], True),
        ("10.0.0.0/8", None, False),
    ],
)
def test_network(network: str, seen: object, *, expected: bool) -> None:
    assert check("cidr", network, seen) is expected


@pytest.mark.parametrize(
    ("mode", "seen", "other", "expected"),
    [
        ("equals", "A", "a", True),
        ("equals", 10, "10", True),
        ("equals", None, None, False),
        ("equals", "a", None, False),
        ("equals", "a", {}, False),
        ("startswith", "Abc", "aB", True),
        ("startswith", "ab", "abc", False),
        ("endswith", "abC", "Bc", True),
        ("contains", "xABx", "ab", True),
        ("contains", "x", "", True),
        ("equals", ["x", "a"], ["b", "A"], True),
        ("equals", ["x"], ["b", None], False),
    ],
)
def test_other_field(mode: str, seen: object, other: object, *, expected: bool) -> None:
    assert check("fieldref", ("G", mode), seen, other=other) is expected


def test_another_field_may_be_compared_with_its_case() -> None:
    assert not check("fieldref", ("G", "equals"), "A", other="a", cased=True)
    assert check("fieldref", ("G", "contains"), "xAx", other="A", cased=True)


@pytest.mark.parametrize(
    ("part", "expected"),
    [("minute", 59), ("hour", 23), ("day", 31), ("week", 53), ("month", 12), ("year", 2020)],
)
def test_part_of_a_time(part: str, expected: int) -> None:
    moment = "2021-01-01T06:59:59+07:00"
    assert check("time", (part, "eq", expected), moment)
    assert not check("time", (part, "ne", expected), moment)
    assert check("time", (part, "gte", expected), moment)
    assert not check("time", (part, "lt", expected), moment)


@pytest.mark.parametrize("seen", ["never", "", {}, None, [], "0000-00-00T00:00:00Z", float("inf"), 1e300])
def test_what_is_no_time_has_no_parts(seen: object) -> None:
    assert not check("time", ("year", "gte", 0), seen)


def test_times_before_the_epoch_have_parts() -> None:
    assert time_part("year", -1) == 1969


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", 1),
        ("b.c", 2),
        ("b.d.e", 3),
        ("dot.ted", 4),
        ("dot.in.side", 5),
        ("l.x", [6, 7]),
        ("n", None),
        ("n.x", None),
        ("a.x", None),
        ("b.", None),
        (".", None),
        ("l.y", None),
    ],
)
def test_name_is_a_key_as_it_is_else_it_descends_at_the_dots(name: str, expected: object) -> None:
    event = {
        "a": 1,
        "b": {"c": 2, "d": {"e": 3}},
        "dot.ted": 4,
        "dot": {"in.side": 5},
        "l": [{"x": 6}, {"x": 7}, {"z": None}, 8],
        "n": None,
    }
    assert lookup(event, name) == expected


def test_all_values_of_an_event_are_found_at_any_depth() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    assert list(leaves({"a": 1, "b": {"c": [2, None, {"d": False}]}, "e": deep})) == [1, 2, False, "bottom"]


@pytest.mark.parametrize(
    ("parts", "wrapped"),
    [
        (("a",), (ANY, "a", ANY)),
        ((ANY, "a"), (ANY, "a", ANY)),
        (("a", ANY), (ANY, "a", ANY)),
        ((), (ANY,)),
        (("a", ONE), (ANY, "a", ONE, ANY)),
    ],
)
def test_a_keyword_holds_anywhere_in_a_value(
    parts: tuple[str | int, ...], wrapped: tuple[str | int, ...]
) -> None:
    assert wrap_keyword(ir.Test(None, "str", parts)).value == wrapped


def test_a_number_is_a_keyword_by_its_digits() -> None:
    assert holds(wrap_keyword(ir.Test(None, "num", 4688)), "event 4688 of")


@pytest.mark.parametrize(
    ("value", "spelled", "meant"),
    [
        (1, "1", 1),
        (1.0, "1", 1),
        (0.5, "0.5", 0.5),
        (True, "true", None),
        ("-1.5e3", "-1.5e3", -1500.0),
        ("1.", "1.", 1.0),
        (".5", ".5", 0.5),
        ("1e999", "1e999", float("inf")),
        ("1_0", "1_0", None),
        ([1], "", None),
    ],
)
def test_text_and_number_of_a_value(value: object, spelled: str, meant: object) -> None:
    assert text(value) == spelled
    assert number(value) == meant


def test_a_number_of_thousands_of_digits_has_no_text() -> None:
    assert text(10**5000) == ""
    assert number(10**5000) == 10**5000


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_are_none_raise_nothing(value: float) -> None:
    for kind, wanted in [("str", ("nan",)), ("num", 1), ("lt", 5), ("cidr", "10.0.0.0/8")]:
        assert check(kind, wanted, value) in {True, False}
    assert check("time", ("year", "eq", 1970), value) is False


def test_many_stars_take_no_exponential_time() -> None:
    parts = (ANY, "a") * 30
    assert not check("str", (*parts, ANY, "b"), "a" * 20_000)
