"""The reader of patterns against OASIS's own validator: the same texts are patterns.

The examples of the specification and the validator's own cases come with the package ``stix2-patterns``.
"""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2patterns.test.v21 import test_validator as published
from stix2patterns.validator import validate

from haidang.intel.patterns import REFUSALS, PatternError, compile_pattern, read_pattern

SPECIFICATION = [
    line
    for line in files("stix2patterns.test.v21").joinpath("spec_examples.txt").read_text("utf-8").splitlines()
    if line.strip()
]
PATTERNS = [*SPECIFICATION, *published.PASS_CASES, *published.TIMESTAMP_PASS_CASES]
OTHERS = [text for text, _ in (*published.FAIL_CASES, *published.TIMESTAMP_FAIL_CASES)]
A_HASH_OF_NO_LENGTH = "[file:hashes.'SHA-256' = 'f00']"
"""The validator looks at the value, too; here that is what compiling does."""


def is_pattern(text: str) -> bool:
    try:
        read_pattern(text)
    except PatternError as error:
        assert str(error)
        return False
    return True


def judged(text: str) -> bool:
    return bool(validate(text, stix_version="2.1"))


def test_the_examples_are_there() -> None:
    assert len(SPECIFICATION) >= 22
    assert len(PATTERNS) > 50
    assert len(OTHERS) > 25


@pytest.mark.parametrize("text", PATTERNS)
def test_published_patterns_are_read(text: str) -> None:
    assert is_pattern(text)


@pytest.mark.parametrize("text", [text for text in OTHERS if text != A_HASH_OF_NO_LENGTH])
def test_published_counter_examples_are_refused(text: str) -> None:
    assert not is_pattern(text)


def test_a_hash_of_another_length_is_refused_where_its_meaning_is_asked_for() -> None:
    assert not judged(A_HASH_OF_NO_LENGTH)
    with pytest.raises(PatternError, match="is not a hash of that kind"):
        compile_pattern(A_HASH_OF_NO_LENGTH)


# Which examples of the specification a log can answer, by the object path that decides.
UNANSWERED = {
    "email-message:body_multipart[*].body_raw_ref.name",
    "file:mime_type",
    "win-registry-key:key",
    "user-account:account_type",
    "artifact:mime_type",
    "file:extensions.windows-pebinary-ext.sections[*].entropy",
    "x509-certificate:issuer",
    "file:size",
    "x-usb-device:usbdrive.serial_number",
}


def test_examples_of_the_specification_compile_or_name_the_path_that_no_log_tells() -> None:
    missing = set()
    compiled = 0
    for text in SPECIFICATION:
        try:
            found = compile_pattern(text)
        except PatternError as error:
            assert str(error).startswith("no log that is read here tells "), text
            missing.add(str(error).rpartition(" ")[2])
        else:
            assert found.lookups or found.conditions or found.sequences
            compiled += 1
    assert missing == UNANSWERED
    assert compiled == 13


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[a:b NOT EXISTS]", False),
        ("[NOT EXISTS a:b]", True),
        ("[a:b IN ()]", True),
        ("[a:b IN (1,)]", False),
        ("[a:b = 007]", False),
        ("[a:b = 1.]", False),
        ("[a:b = .5]", True),
        ("[a:b = -0]", True),
        ("[a:b = 1e5]", False),
        ("[a:b > true]", False),
        ("[a:b = TRUE]", False),
        ("[a:b = 'x\\y']", False),
        ("[a:b = 'x\\'\\\\y']", True),
        ("[a-b:'c d'.e[*][0] = 1]", True),
        ("['a':b = 1]", False),
        ("[a:IN = 1]", False),
        ("[a:in = 1]", True),
        ("[a:b[1.5] = 1]", False),
        ("[a:b.[*] = 1]", False),
        ("[a:b = h'']", True),
        ("[a:b = h'fff']", False),
        ("[a:b = b'']", False),
        ("[a:b = b'AAA=']", True),
        ("[a:b = b'A===']", False),
        ("[a:b LIKE h'ff']", False),
        ("[a:b = t'2016-12-31T23:59:60Z']", True),
        ("[a:b = t'2016-12-31T24:00:00Z']", False),
        ("[a:b = t '2016-12-31T23:59:59Z']", False),
        ("[a:b = 1]//c\n OR [a:b = 2] /* d ' */", True),
        ("[a:b = '/* x //']", True),
        ("[a:b = 1]\u00a0", True),
        ("[a:b = 1]\x1c", False),
        ("[a:b = 1] WITHIN 0 SECONDS", True),
        ("[a:b = 1] WITHIN -1 SECONDS", False),
        ("[a:b = 1] REPEATS 1.5 TIMES", False),
        ("[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES WITHIN 5 SECONDS", False),
        ("([a:b = 1]) WITHIN 5 SECONDS WITHIN 5 SECONDS", True),
        ("[a:b = 1 and a:c = 1]", False),
        ("[LAST:b = 1]", False),
        ("[a:b = 1AND a:c = 1]", True),
        ("[a:b = 1]AND[a:b LIKE'x']", True),
        ("[a:b = 1]]", False),
        ("([a:b = 1]", False),
        ("[]", False),
    ],
)
def test_corners_of_the_grammar_are_as_the_validator_says(text: str, wanted: bool) -> None:  # noqa: FBT001
    assert (is_pattern(text), judged(text)) == (wanted, wanted)


def test_a_step_with_a_hyphen_is_read_without_quotes() -> None:
    """Feeds write ``hashes.SHA-256``; it can mean one thing only."""
    assert not judged("[file:hashes.SHA-256 = 'x']")
    assert is_pattern("[file:hashes.SHA-256 = 'x']")


def test_what_is_not_supported_is_valid_all_the_same() -> None:
    assert all(judged(refusal.example) for refusal in REFUSALS.values())


# Texts that are patterns, and those that are almost one: a token is dropped, doubled or put elsewhere.
_step = st.sampled_from(["b", "in", "'c d'", "value", "hash_x", "'SHA-256'"])
_path = st.builds(
    lambda kind, first, more: f"{kind}:{first}{more}",
    st.sampled_from(["a", "x-a", "file", "ipv4-addr"]),
    _step,
    st.one_of(st.just(""), st.just("[*]"), st.just("[0].d"), _step.map(".{}".format)),
)
_ordered = st.sampled_from(
    [
        *("1", "-2", "+3", "0.5", "-.5", "'t'", "''", "'it\\'s'", "'\\\\'", "h'ff'", "b'AAAA'"),
        *("t'2026-01-01T00:00:00Z'", "t'2026-01-01T00:00:00.25Z'"),
    ]
)
_constant = st.one_of(_ordered, st.sampled_from(["true", "false"]))
_not = st.sampled_from(["", "NOT "])
_compared = st.one_of(
    st.builds("{} {}{} {}".format, _path, _not, st.sampled_from(["=", "==", "!=", "<>"]), _constant),
    st.builds("{} {}{} {}".format, _path, _not, st.sampled_from(["<", "<=", ">", ">="]), _ordered),
    st.builds(
        "{} {}{} {}".format,
        _path,
        _not,
        st.sampled_from(["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]),
        st.sampled_from(["'x%'", "'10.0.0.0/8'", "'^a\\\\.b$'"]),
    ),
    st.builds(
        lambda path, no, values: f"{path} {no}IN ({', '.join(values)})",
        _path,
        _not,
        st.lists(_constant, max_size=3),
    ),
    st.builds("{}EXISTS {}".format, _not, _path),
)
_comparisons = st.recursive(
    _compared,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR"]), inner), inner.map("({})".format)
    ),
    max_leaves=4,
)
_qualifier = st.sampled_from(
    [
        *("", "", "", " WITHIN 5 SECONDS", " WITHIN 0.5 SECONDS", " REPEATS 2 TIMES"),
        " START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
    ]
)
_observed = st.builds("[{}]{}{}".format, _comparisons, _qualifier, _qualifier)
patterns = st.recursive(
    _observed,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR", "FOLLOWEDBY"]), inner),
        st.builds("({}){}{}".format, inner, _qualifier, _qualifier),
    ),
    max_leaves=4,
)


@given(patterns)
@settings(max_examples=60)
def test_made_patterns_are_judged_alike(text: str) -> None:
    assert is_pattern(text) is judged(text)


@given(patterns, st.data())
@settings(max_examples=100)
def test_almost_patterns_are_judged_alike(text: str, data: st.DataObject) -> None:
    pieces = text.split(" ")
    at = data.draw(st.integers(0, len(pieces) - 1))
    change = data.draw(st.sampled_from(["dropped", "doubled", "moved"]))
    piece = pieces.pop(at)
    if change != "dropped":
        pieces.insert(data.draw(st.integers(0, len(pieces))), piece)
    if change == "doubled":
        pieces.insert(at, piece)
    changed = " ".join(pieces)
    if changed:
        assert is_pattern(changed) is judged(changed)
