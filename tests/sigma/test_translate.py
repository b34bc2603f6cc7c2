"""Every modifier and every kind of value: YAML in, condition out."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.sigma.ir import ANY, ONE, LogSource
from haidang.sigma.loading import LoadedRules, rules_from_text

HEAD = """title: Test
logsource: {product: windows, category: process_creation}
detection:
"""


def load(detection: str, **options: Any) -> LoadedRules:
    body = "".join(f"  {line}\n" for line in detection.strip("\n").splitlines())
    return rules_from_text(HEAD + body, **options)


def condition(detection: str, **options: Any) -> Any:
    loaded = load(detection, **options)
    assert loaded.refused == ()
    (rule,) = loaded.groups[LogSource("windows", "process_creation", "")]
    return rule.condition


def item(text: str, **options: Any) -> Any:
    """Condition of a selection with one line."""
    return condition(f"s:\n  {text}\ncondition: s", **options)


def field(kind: str, value: Any, *, cased: bool = False) -> Any:
    return ("is", ("F", kind, value, cased))


def text(*parts: str | int, cased: bool = False) -> Any:
    return field("str", parts, cased=cased)


def encoded(value: str, codec: str) -> str:
    return base64.b64encode(value.encode(codec)).decode()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("F: Abc", text("Abc")),
        ("F: 'a*b?c'", text("a", ANY, "b", ONE, "c")),
        (r"F: 'a\*b\?c'", text("a*b?c")),
        (r"F: 'a\\*b'", text("a\\", ANY, "b")),
        (r"F: 'a\\\*b'", text("a\\*b")),
        (r"F: 'C:\Windows\a'", text("C:\\Windows\\a")),
        (r"F: '\\host\share'", text("\\host\\share")),
        (r"F: '\\\\host'", text("\\\\host")),
        (r"F: 'end\'", text("end\\")),
        ("F: 'a**b'", text("a", ANY, "b")),
        ("F: '*'", text(ANY)),
        ("F: ''", text()),
        ("F: '5'", text("5")),
        ("F: 5", field("num", 5)),
        ("F: 5.5", field("num", 5.5)),
        ("F: -3", field("num", -3)),
        ("F: true", field("bool", value=True)),
        ("F: 'true'", text("true")),
        ("F: null", field("null", None)),
        ("F:", field("null", None)),
        ("F: [a, 1, null]", ("or", text("a"), field("num", 1), field("null", None))),
        ("F|all: [a, b]", ("and", text("a"), text("b"))),
        ("a.b.c: x", ("is", ("a.b.c", "str", ("x",), False))),
        ("F: 2024-01-02", text("2024-01-02")),
    ],
)
def test_plain_values(line: str, expected: Any) -> None:
    assert item(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("F|contains: a", text(ANY, "a", ANY)),
        ("F|contains: '*a'", text(ANY, "a", ANY)),
        ("F|contains: 'a*b'", text(ANY, "a", ANY, "b", ANY)),
        ("F|startswith: a", text("a", ANY)),
        ("F|endswith: '\\a'", text(ANY, "\\a")),
        ("F|contains|all: [a, b]", ("and", text(ANY, "a", ANY), text(ANY, "b", ANY))),
        ("F|contains: [a, b]", ("or", text(ANY, "a", ANY), text(ANY, "b", ANY))),
        ("F|cased: Abc", text("Abc", cased=True)),
        ("F|contains|cased: Abc", text(ANY, "Abc", ANY, cased=True)),
        ("F|startswith|cased: Abc", text("Abc", ANY, cased=True)),
    ],
)
def test_contains_startswith_endswith_cased(line: str, expected: Any) -> None:
    assert item(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("F|re: 'a.*b$'", field("re", ("a.*b$", ""), cased=True)),
        (r"F|re: '\*\\a?'", field("re", (r"\*\\a?", ""), cased=True)),
        ("F|re|i: a", field("re", ("a", "i"))),
        ("F|re|m: a", field("re", ("a", "m"), cased=True)),
        ("F|re|s: a", field("re", ("a", "s"), cased=True)),
        ("F|re|i|m|s: a", field("re", ("a", "ims"))),
        ("F|re|ignorecase|multiline|dotall: a", field("re", ("a", "ims"))),
        ("F|re: '(?<=a)b(?!c)'", field("re", ("(?<=a)b(?!c)", ""), cased=True)),
        ("F|re: '(?i)a'", field("re", ("(?i)a", ""), cased=True)),
        ("F|re: [a, b]", ("or", field("re", ("a", ""), cased=True), field("re", ("b", ""), cased=True))),
    ],
)
def test_regular_expressions(line: str, expected: Any) -> None:
    assert item(line) == expected


@pytest.mark.parametrize(
    ("line", "holds", "fails"),
    [
        ("F|re|startswith: 'a|b'", ["ax", "bx"], ["xa", "xb"]),
        ("F|re|endswith: 'a|b'", ["xa", "xb"], ["ax", "bx"]),
        ("F|re|contains: 'a|b'", ["xax", "b"], ["x"]),
    ],
)
def test_an_expression_is_anchored_by_startswith_and_endswith(
    line: str, holds: list[str], fails: list[str]
) -> None:
    import regex

    _, (_, kind, (pattern, _flags), _) = item(line)
    assert kind == "re"
    assert [value for value in holds + fails if regex.search(pattern, value)] == holds


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("F|cidr: 192.168.0.0/16", field("cidr", "192.168.0.0/16")),
        ("F|cidr: 'fe80::/10'", field("cidr", "fe80::/10")),
        ("F|cidr: ['10.0.0.0/8', '::1/128']", ("or", field("cidr", "10.0.0.0/8"), field("cidr", "::1/128"))),
        ("F|exists: true", field("exists", value=True)),
        ("F|exists: false", field("exists", value=False)),
        ("F|lt: 5", field("lt", 5)),
        ("F|lte: 5.5", field("lte", 5.5)),
        ("F|gt: 0", field("gt", 0)),
        ("F|gte: -1", field("gte", -1)),
        ("F|neq: a", ("not", text("a"))),
        ("F|neq: 5", ("not", field("num", 5))),
        ("F|neq: [a, b]", ("not", ("or", text("a"), text("b")))),
        ("F|contains|neq: a", ("not", text(ANY, "a", ANY))),
        ("F|fieldref: G", field("fieldref", ("G", "equals"))),
        ("F|fieldref|contains: G", field("fieldref", ("G", "contains"))),
        ("F|fieldref|startswith: G", field("fieldref", ("G", "startswith"))),
        ("F|fieldref|endswith: G", field("fieldref", ("G", "endswith"))),
        ("F|fieldref|neq: G", ("not", field("fieldref", ("G", "equals")))),
        ("F|cased|fieldref: G", field("fieldref", ("G", "equals"), cased=True)),
    ],
)
def test_networks_numbers_and_references(line: str, expected: Any) -> None:
    assert item(line) == expected


@pytest.mark.parametrize("part", ["minute", "hour", "day", "week", "month", "year"])
@pytest.mark.parametrize("operator", ["", "lt", "lte", "gt", "gte"])
def test_parts_of_time(part: str, operator: str) -> None:
    line = f"F|{part}{'|' + operator if operator else ''}: 5"
    assert item(line) == field("time", (part, operator or "eq", 5))


def test_a_part_of_time_can_be_denied() -> None:
    assert item("F|hour|neq: 5") == ("not", field("time", ("hour", "eq", 5)))


def test_the_fields_of_a_condition_include_those_referred_to() -> None:
    (group,) = load("s:\n  F|fieldref: G\n  H: 1\nnot_s:\n  F: 2\ncondition: s and not not_s").groups.values()
    assert group[0].fields == ("F", "G", "H")


DASHES = "-/\u2013\u2014\u2015"


def test_windash_stands_for_every_dash() -> None:
    assert item("F|windash|contains: ' -f x-y'") == (
        "or",
        *(text(ANY, f" {dash}f x-y", ANY) for dash in DASHES),
    )


def test_windash_alternatives_stay_together_under_all() -> None:
    found = item("F|windash|contains|all: ['-a', b]")
    assert found == ("and", ("or", *(text(ANY, f"{dash}a", ANY) for dash in DASHES)), text(ANY, "b", ANY))


@pytest.mark.parametrize(
    ("modifiers", "expected"),
    [
        ("base64", encoded("foo bar", "utf-8")),
        ("wide|base64", encoded("foo bar", "utf-16-le")),
        ("utf16le|base64", encoded("foo bar", "utf-16-le")),
        ("utf16be|base64", encoded("foo bar", "utf-16-be")),
        ("utf16|base64", base64.b64encode(b"\xff\xfe" + "foo bar".encode("utf-16-le")).decode()),
    ],
)
def test_encodings(modifiers: str, expected: str) -> None:
    assert item(f"F|{modifiers}: 'foo bar'") == text(expected)


def test_wide_without_base64_looks_for_the_bytes() -> None:
    assert item("F|wide: 'ab'") == text("a\0b\0")
    assert item("F|utf16be|contains: 'ab'") == text(ANY, "\0a\0b", ANY)


def test_vietnamese_is_encoded_as_any_other_text() -> None:
    assert item("F|utf16le|base64: 'Hải Đăng'") == text(encoded("Hải Đăng", "utf-16-le"))
    assert item("F|base64: 'Hải Đăng'") == text(encoded("Hải Đăng", "utf-8"))


def test_base64offset_finds_a_text_at_every_offset() -> None:
    found = item("F|base64offset|contains: 'http://'")
    pieces = [part[1][2][1] for part in found[1:]]
    for offset in range(3):
        whole = base64.b64encode(b"x" * offset + b"http://" + b"tail").decode()
        assert [piece for piece in pieces if piece in whole] == [pieces[offset]]


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="*?\\", exclude_categories=["Cs"]), min_size=2))
def test_base64_agrees_with_pysigma_where_it_can_encode(value: str) -> None:
    from sigma.modifiers import SigmaBase64OffsetModifier
    from sigma.types import SigmaString

    from haidang.sigma.encodings import ENCODINGS

    nothing: Any = None
    theirs: Any = SigmaBase64OffsetModifier(nothing, []).modify(SigmaString(value))
    ours: Any = ENCODINGS["base64offset"](nothing, []).modify(SigmaString(value))
    assert [one.s for one in ours.values] == [one.s for one in theirs.values]


def keyword(value: str) -> Any:
    return ("is", (None, "str", (ANY, value, ANY), False))


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("s: [a, b]\ncondition: s", ("or", keyword("a"), keyword("b"))),
        ("s: a\ncondition: s", keyword("a")),
        ("s: [a, 5]\ncondition: s", ("or", keyword("a"), keyword("5"))),
        ("s:\n  '|all': [a, b]\ncondition: s", ("and", keyword("a"), keyword("b"))),
        ("s: ['a*b']\ncondition: s", ("is", (None, "str", (ANY, "a", ANY, "b", ANY), False))),
        ("s:\n  '|re': 'a.b'\ncondition: s", ("is", (None, "re", ("a.b", ""), True))),
        ("s:\n  '|contains': a\ncondition: s", keyword("a")),
        (
            "s:\n  - F: a\n    G: b\n  - F: c\ncondition: s",
            ("or", ("and", text("a"), ("is", ("G", "str", ("b",), False))), text("c")),
        ),
        ("s:\n  - F: a\n  - b\ncondition: s", ("or", text("a"), keyword("b"))),
        ("s: {F: a, G: b}\ncondition: s", ("and", text("a"), ("is", ("G", "str", ("b",), False)))),
        ("s: {F: a}\nt: {F: b}\ncondition: [s, t]", ("or", text("a"), text("b"))),
        ("s: {F: a}\nt: {F: b}\ncondition: s and not t", ("and", text("a"), ("not", text("b")))),
    ],
)
def test_selections(detection: str, expected: Any) -> None:
    assert condition(detection) == expected


PLACES = {"dc": ("dc1", "dc2*"), "net": ("10.0.0.0/8", "192.168.0.0/16"), "one": ("x",)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("F|expand: '%dc%'", ("or", text("dc1"), text("dc2", ANY))),
        ("F|expand: 'a%one%b'", text("axb")),
        (r"F|expand: '\\%dc%\c$'", ("or", text("\\dc1\\c$"), text("\\dc2", ANY, "\\c$"))),
        ("F|contains|expand: '%one%'", text(ANY, "x", ANY)),
        ("F|expand|contains: '%one%-%one%'", text(ANY, "x-x", ANY)),
        ("F|expand|cidr: '%net%'", ("or", field("cidr", "10.0.0.0/8"), field("cidr", "192.168.0.0/16"))),
        ("F|expand: ['%one%', y]", ("or", text("x"), text("y"))),
        ("F|expand|all: ['%dc%', y]", ("and", ("or", text("dc1"), text("dc2", ANY)), text("y"))),
        ("F|re|expand: '^%one%$'", field("re", ("^x$", ""), cased=True)),
        ("F: '%dc%'", text("%dc%")),
        ("F|expand: '100%'", text("100%")),
    ],
)
def test_placeholders_stand_for_any_of_their_values(line: str, expected: Any) -> None:
    assert item(line, placeholders=PLACES) == expected
