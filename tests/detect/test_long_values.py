"""Long values of many lines, decided by their lines and by what changed since the last, mean the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect.arranging import arrange_field
from haidang.detect.semantics import holds
from haidang.detect.values import FieldTests
from haidang.sigma import ir
from haidang.sigma.ir import ANY, Condition

from .strategies import tests as any_test

LINES = (
    "Host = x",
    "Sequence = 12",
    "cmd.exe /c a",
    "B -enc ab",
    "",
    "\r",
    "x y",
    "10",
    "a" * 300,
    "C:\\cmd",
    "Script = a|b",
)
EXPRESSIONS = (
    r"x\s+Host =",
    r"cmd.exe /c a\s*Sequence",
    r"Host = x\s",
    r"ab\s+\d+",
    r"[^c]cmd",
    "cmd.+a",
    r"Sequence = \d+",
    "a{200,}",
    r"Script\b.*b$",
    "(?s)Host.+cmd",
    "(?i)HOST = X|B -ENC",
    r"10\s+x\sy\s+Host",
)
"""Some look at one line, some at lines that follow one another, some at all of the text."""
lines = st.sampled_from(LINES)


@st.composite
def runs_of_values(draw: st.DrawFn) -> list[str]:
    """Return values that follow one another with small changes, as a shell's log does."""
    now = draw(st.lists(lines, min_size=6, max_size=14))
    found = []
    for _ in range(draw(st.integers(2, 6))):
        found.append("\n".join(now))
        at = draw(st.integers(0, len(now) - 1))
        change = draw(st.sampled_from(["replace", "insert", "drop", "none", "join"]))
        if change == "replace":
            now = [*now[:at], draw(lines), *now[at + 1 :]]
        elif change == "insert":
            now = [*now[:at], draw(lines), *now[at:]]
        elif change == "drop" and len(now) > 1:
            now = [*now[:at], *now[at + 1 :]]
        elif change == "join":
            now = [*now[:at], now[at] + draw(lines), *now[at + 1 :]]
    return found


@settings(max_examples=300, deadline=None)
@given(
    conditions=st.lists(any_test(("Image",)), min_size=1, max_size=8),
    words=st.lists(st.sampled_from(["cmd", "ab", "= 1", "enc a", "y", "|b"]), max_size=4),
    expressions=st.lists(st.sampled_from(EXPRESSIONS), max_size=3),
    values=runs_of_values(),
)
def test_values_that_change_a_little_are_decided_as_if_they_were_alone(
    conditions: list[Condition], words: list[str], expressions: list[str], values: list[str]
) -> None:
    given_tests = [ir.Test(*condition[1]) for condition in conditions]
    tests = [test for test in given_tests if test.field is not None and test.kind != "fieldref"]
    tests += [ir.Test("Image", "str", (ANY, word, ANY)) for word in words]
    tests += [ir.Test("Image", "re", (pattern, "")) for pattern in expressions]
    together = FieldTests(arrange_field(enumerate(tests)))
    for value in values:
        assert together.decide(value) == tuple(at for at, test in enumerate(tests) if holds(test, value))
