"""Regular expressions of rules: what runs them, and what holds when they take too long."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect.arranging import arrange_field
from haidang.detect.regexes import (
    length_of_line,
    may_explode,
    required_literal,
    required_literals,
    runs_in_linear_time,
    searcher,
    segments,
    shortest_match,
    stays_in_line,
    timeouts,
)
from haidang.detect.values import FieldTests
from haidang.errors import ConfigurationError
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma import ir

# Each needs exponential time in a backtracking engine; the second has a look-ahead, which RE2 refuses.
LINEAR = r"^(a+)+$"
HOSTILE = r"^(?=a)(a|aa|a?)+$"
VALUE = "a" * 60 + "!"


def test_an_expression_that_backtracking_would_hang_on_runs_in_linear_time() -> None:
    begin = process_time()
    assert not searcher(LINEAR, "").search(VALUE * 100)
    assert process_time() - begin < 1


def test_a_look_around_expression_stops_at_its_time_limit_and_is_counted() -> None:
    before = timeouts[HOSTILE]
    begin = process_time()
    assert not searcher(HOSTILE, "").search(VALUE)
    # regex_seconds bounds one value; the rest is leave for a busy machine.
    assert process_time() - begin < DEFAULT_LIMITS.regex_seconds + 2
    assert timeouts[HOSTILE] == before + 1
    del timeouts[HOSTILE]


def test_the_time_limit_is_the_callers() -> None:
    begin = process_time()
    assert not searcher(HOSTILE, "", seconds=0.01).search(VALUE)
    assert process_time() - begin < DEFAULT_LIMITS.regex_seconds
    del timeouts[HOSTILE]


def test_an_expression_that_takes_too_long_again_and_again_is_given_up() -> None:
    # regex_timeouts bounds what hostile values can cost in all, however many there are.
    hostile = searcher(HOSTILE, "", seconds=0.01, most=3)
    begin = process_time()
    assert not any(hostile.search(f"{VALUE}{at}") for at in range(5000))
    assert process_time() - begin < 2
    assert timeouts[HOSTILE] == 5000
    del timeouts[HOSTILE]


@pytest.mark.parametrize("look_ahead", ["", "(?=.)"], ids=["RE2", "regex"])
@pytest.mark.parametrize(
    ("pattern", "flags", "value", "found"),
    [
        ("whoami", "", "cmd /c whoami /all", True),
        ("WHOAMI", "", "whoami", False),
        ("WHOAMI", "i", "whoami", True),
        ("^b", "", "a\nb", False),
        ("^b", "m", "a\nb", True),
        ("a.b", "", "a\nb", False),
        ("a.b", "s", "a\nb", True),
        ("Đăng", "", "Hải Đăng", True),
        ("b", "", "\ud800b", True),
    ],
)
def test_both_engines_read_the_flags_alike(
    look_ahead: str, pattern: str, flags: str, value: str, *, found: bool
) -> None:
    prefix, rest = ("^", pattern[1:]) if pattern.startswith("^") else ("", pattern)
    assert searcher(prefix + look_ahead + rest, flags).search(value) is found


def test_an_expression_that_nothing_can_run_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be compiled"):
        searcher("(", "")


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        (r"Invoke-Mimi\w+", "invoke-mimi"),
        (r"(?:abc)+d", "abc"),
        (r"(?:abc)*d", "d"),
        (r"abc|abd", "ab"),
        (r"abc|xyd", ""),
        (r"[ab]c", "c"),
        (r"(?!abc)d", "d"),
        (r"(", ""),
        (r"\x41\x42c", "abc"),
    ],
)
def test_the_required_literal_is_text_that_no_match_lacks(pattern: str, literal: str) -> None:
    assert required_literal(pattern) == literal


@given(
    st.data(),
    st.sampled_from([r"Inv[o0]ke-(Mimi|Expr)\w+", r"(ab)+c?de", r"x{2,3}yz*", r"\\\\[^\\]+\\ADMIN\$"]),
)
def test_every_match_holds_the_required_literal(data: st.DataObject, pattern: str) -> None:
    value = data.draw(st.from_regex(pattern))
    assert required_literal(pattern) in value.lower()


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        (".{1000,}", 1000),
        ("a|bcd", 1),
        ("^a?b+(c{2}|d)$", 2),
        ("(?i)abc", 3),
        ("a(?i)bc", 3),
        ("[[:alpha:]]{3}", 0),
        (r"a\z", 0),
        ("(", 0),
    ],
)
def test_the_length_of_the_shortest_match_is_known_or_zero(pattern: str, least: int) -> None:
    assert shortest_match(pattern) == least


@pytest.mark.parametrize(
    ("pattern", "linear"), [("a+", True), ("(a+)+", True), ("(?<!a)b", False), (r"(a)\1", False)]
)
def test_says_whether_re2_runs_an_expression(pattern: str, linear: bool) -> None:  # noqa: FBT001 -- a case
    assert runs_in_linear_time(pattern, "") is linear


@pytest.mark.parametrize(
    ("pattern", "explodes"),
    [
        ("(a+)+", True),
        ("(?:x*y?)*z", True),
        ("(?:a|b+)*", True),
        ("(?=(a+)+)b", True),
        (HOSTILE, True),
        ("a+b+", False),
        ("(a{1,3})+", False),
        ("(a+){2,5}", False),
        ("(", False),
    ],
)
def test_says_whether_repeats_inside_repeats_may_explode(pattern: str, explodes: bool) -> None:  # noqa: FBT001
    assert may_explode(pattern) is explodes


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("HostId=[a-z]{3}\\s+EngineVersion=", ["hostid=", "engineversion="]),
        ("a|b", []),
        ("(?:cmd)+x?\\.exe", ["cmd", ".exe"]),
        ("(?:(?i)Set.*&&)q1", ["set", "&&q1"]),  # RE2 takes flags in the middle
        ("a(?s).b(?im)c", ["a", "bc"]),
        ("a(?x) b", []),
        ("a(?i)b" * 9, []),
        ("[", []),
    ],
)
def test_all_that_an_expression_requires(pattern: str, literals: list[str]) -> None:
    assert required_literals(pattern) == literals


@pytest.mark.parametrize(
    ("pattern", "flags", "length"),
    [
        (".{1000,}", "", 1000),
        (".{1000,}", "i", 1000),
        (".{1000,}", "s", None),
        ("(?s).{1000,}", "", None),
        (".{1000,2000}", "", None),
        ("[ab]{1000,}", "", None),
        (".{10,}x", "", None),
        (".*", "", None),
        ("^.{10,}", "", None),
    ],
)
def test_an_expression_that_asks_for_a_long_line(pattern: str, flags: str, length: int | None) -> None:
    assert length_of_line(pattern, flags) == length


@settings(deadline=None)
@given(value=st.text(alphabet="ab\n\r\u2028\0", max_size=30), least=st.integers(1, 9))
def test_long_lines_are_found_as_by_the_expression(value: str, least: int) -> None:
    pattern = f".{{{least},}}"
    tests = FieldTests(arrange_field([(7, ir.Test("x", "re", (pattern, ""), False))]))
    assert tests.decide(value) == ((7,) if searcher(pattern, "").search(value) else ())


IN_LINE = ["a.b", "(?i)x+|y", r"\d\w{2,}", r"[a-f_]+\b", "(ab)+c?", "[a-z]|-"]
BEYOND = [
    "^a",
    "b$",
    r"a\sb",
    r"a\Sb",
    "[^a]b",
    "a\nb",
    "(?s)a.b",
    "(?s:a.)b",
    r"a\Wb",
    "[\t-\r]",
    r"\Bx",
    "(?=a)b",
    r"(a)\1",
]
LINES = ["a", "b", "ab", "a b", "ab_1x", "", "  ", "x-y", "abc", "1ff", "Ab", "b\r"]


@pytest.mark.parametrize("pattern", IN_LINE)
@given(lines=st.lists(st.sampled_from(LINES), max_size=5))
def test_what_stays_in_a_line_matches_a_text_where_it_matches_a_line(pattern: str, lines: list[str]) -> None:
    assert stays_in_line(pattern, "")
    search = searcher(pattern, "").search
    assert search("\n".join(lines)) == any(map(search, lines or [""]))


@pytest.mark.parametrize("pattern", BEYOND)
def test_what_may_look_beyond_a_line_does_not_stay_in_it(pattern: str) -> None:
    assert not stays_in_line(pattern, "")


@pytest.mark.parametrize("flags", ["s", "is"])
def test_a_dot_that_matches_the_end_of_a_line_does_not_stay_in_it(flags: str) -> None:
    assert not stays_in_line("a.b", flags)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        (r"HostId=[a-f]+\s+Engine=", [{"hostid="}, {"engine="}]),
        (r"a.+b\sc\s*d", [{"a", "b"}, {"c"}, {"d"}]),
        (r"a\s+", None),
        (r"\s+a", None),
        (r"a[^b]c", None),
        (r"a\s+\d+", None),
        (r"(a\s+)b", None),
        ("^a\\sb", None),
        ("a", [{"a"}]),
    ],
)
def test_parts_with_white_space_between_them(pattern: str, parts: list[set[str]] | None) -> None:
    assert segments(pattern, "") == parts


@given(
    lines=st.lists(
        st.sampled_from(["a", "xb", "b c", "", " ", "\t", "other", "a b", "c d", "cd"]), max_size=8
    ),
    pattern=st.sampled_from([r"a\s+b\sc", r"b\s*c", r"c\s+d", r"a\s?b"]),
)
def test_lines_without_a_whole_part_only_end_what_is_before_them(lines: list[str], pattern: str) -> None:
    parts = segments(pattern, "")
    assert parts is not None
    kept = [
        line if not line.strip() or any(all(word in line for word in words) for words in parts) else "-"
        for line in lines
    ]
    search = searcher(pattern, "").search
    assert search("\n".join(kept)) == search("\n".join(lines))
