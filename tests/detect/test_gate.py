"""The gate never misses: a document that holds a keyword that it covers is a candidate."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect import gate as gate_module
from haidang.detect.gate import Joined, KeywordGate
from haidang.detect.semantics import holds, wrap_keyword
from haidang.sigma import ir

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

SAFE_AND_NOT = st.text("abkisKISZ0 _.:/\\\"\n<>&'éßıİ\u212aſđ", min_size=1, max_size=10)
KEYWORDS = st.lists(
    SAFE_AND_NOT.map(lambda word: wrap_keyword(ir.Test(None, "str", (word,)))), min_size=1, max_size=3
)


@st.composite
def spelled(draw: st.DrawFn, word: str) -> str:
    """Return a text that means ``word`` without its case, with JSON's escapes where it pleases."""
    letters = []
    for letter in word:
        drawn = draw(st.sampled_from([letter, letter.lower(), letter.upper(), letter.swapcase()]))
        one = drawn if drawn.lower() == letter.lower() else letter
        if one.lower() == "k" and draw(st.integers(0, 3)) == 0:
            one = "\u212a"
        letters.append(one)
    return "".join(letters)


@st.composite
def escaped(draw: st.DrawFn, value: str) -> bytes:
    """Return ``value`` as a JSON string, any of its characters escaped."""
    pieces = []
    for letter in value:
        plain = orjson.dumps(letter)[1:-1].decode()
        kinds = [plain, plain, plain]
        if ord(letter) < 0x10000:
            kinds += [f"\\u{ord(letter):04x}", f"\\u{ord(letter):04X}"]
        if letter == "/":
            kinds.append("\\/")
        pieces.append(draw(st.sampled_from(kinds)))
    return f'"{"".join(pieces)}"'.encode()


def _rules(words: Iterable[str]) -> list[list[ir.Test]]:
    return [[wrap_keyword(ir.Test(None, "str", (word,)))] for word in words]


FURTHER = {
    "one search": [],
    "two searches": _rules(f"{at:04}" for at in range(100, 200)),
    "folded bytes": _rules(map("".join, product("qw", "gh", "zx", "mnpd"))),
}
"""Keywords beside those that are drawn, by how all of them are looked for."""


@settings(max_examples=400, deadline=None)
@given(
    rules=st.lists(KEYWORDS, min_size=1, max_size=4), further=st.sampled_from(sorted(FURTHER)), data=st.data()
)
def test_a_document_that_holds_a_covered_keyword_is_a_candidate(
    rules: list[list[ir.Test]], *, further: str, data: st.DataObject
) -> None:
    gate = KeywordGate.over([*rules, *FURTHER[further]])
    covered = sorted(gate.covers, key=repr)
    if not covered:
        return
    test = data.draw(st.sampled_from(covered))
    word = next(part for part in test.value if isinstance(part, str))
    value = data.draw(st.text("xy z", max_size=4)) + data.draw(spelled(word)) + data.draw(SAFE_AND_NOT)
    document = b'{"a":1,"b":' + data.draw(escaped(value)) + b"}"
    seen = orjson.loads(document)["b"]
    if holds(test, seen):
        others = [b'{"a":"x"}', document, b'{"a":"y"}']
        assert 1 in gate.candidates(Joined(others))


@settings(max_examples=300, deadline=None)
@given(
    rules=st.lists(KEYWORDS, min_size=1, max_size=4),
    further=st.sampled_from(sorted(FURTHER)),
    others=st.lists(SAFE_AND_NOT, max_size=4),
    data=st.data(),
)
def test_a_text_that_holds_a_covered_keyword_is_found_among_others(
    rules: list[list[ir.Test]], *, further: str, others: list[str], data: st.DataObject
) -> None:
    gate = KeywordGate.over([*rules, *FURTHER[further]], plain=True)
    covered = sorted(gate.covers, key=repr)
    if not covered:
        return
    test = data.draw(st.sampled_from(covered))
    word = next(part for part in test.value if isinstance(part, str))
    # What ends and begins as the keyword does stands beside it: a piece may be found across the border.
    values = [*others, word[:-1], data.draw(spelled(word)) + data.draw(SAFE_AND_NOT), word[1:], *others]
    written = [value.encode() for value in values]
    cuts = [0]
    for one in written:
        cuts.append(cuts[-1] + len(one))
    found = gate.values(memoryview(b"".join(written)), cuts)
    assert found == sorted(set(found))
    for at, value in enumerate(values):
        assert at in found or not any(holds(one, value) for one in covered)


def test_texts_are_searched_stretch_by_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "_STRETCH", 10)
    gate = KeywordGate.over([[wrap_keyword(ir.Test(None, "str", ("ATK/",)))]], plain=True)
    values = [b"a" * 7, b"xatk/x", b"", b"b" * 30, b"ATK/", b"atk", b"/", b"aTk/" * 9]
    cuts = [0, 7, 13, 13, 43, 47, 50, 51, 87]
    assert gate.values(memoryview(b"".join(values)), cuts) == [1, 4, 7]
    assert gate.values(memoryview(b""), [0]) == []


def test_documents_without_a_keyword_are_no_candidates() -> None:
    gate = KeywordGate.over([[wrap_keyword(ir.Test(None, "str", ("sekurlsa",)))]])
    documents = [b'{"a":"seku"}', b'{"a":"run SEKURLSA now"}', b"{}", b"", b'{"a":"rlsa"}']
    assert gate.candidates(Joined(documents)) == [1]
    assert gate.candidates(Joined([])) == []


def test_what_folding_costs_decides_whether_keywords_are_spelled_or_folded() -> None:
    searches = {how: KeywordGate.over([*_rules(["sekurlsa"]), *more]) for how, more in FURTHER.items()}
    told = {how: (len(gate._finders), gate._folds) for how, gate in searches.items()}
    assert told == {"one search": (1, False), "two searches": (2, False), "folded bytes": (1, True)}


def test_many_keywords_are_looked_for_in_folded_bytes() -> None:
    words = [f"{name}{at}kit" for at in range(40) for name in ("mimi", "lazagne")]
    gate = KeywordGate.over([[wrap_keyword(ir.Test(None, "str", (word,)))] for word in words])
    assert len(gate.covers) == len(words)
    documents = [b'{"a":"mimi"}', *(f'{{"a":"run {word.upper()} now"}}'.encode() for word in words)]
    assert gate.candidates(Joined(documents)) == list(range(1, len(documents)))
    assert [gate.may_hold(document) for document in documents] == [False, *[True] * len(words)]


def test_a_keyword_does_not_reach_from_one_document_into_the_next() -> None:
    gate = KeywordGate.over([[wrap_keyword(ir.Test(None, "str", ("sekurlsa",)))]])
    assert gate.candidates(Joined([b'{"a":"sekur', b'lsa"}'])) == []


def test_what_is_too_short_or_made_of_marks_that_are_escaped_is_not_covered() -> None:
    tests = [wrap_keyword(ir.Test(None, "str", (word,))) for word in ("ab", '"<>"', "\\n/", "1/2/3", "xyi")]
    assert not KeywordGate.over([[test] for test in tests]).covers


def test_a_rule_is_covered_with_all_its_keywords_or_not_at_all() -> None:
    good, bad = (wrap_keyword(ir.Test(None, "str", (word,))) for word in ("mimikatz", "ab"))
    assert not KeywordGate.over([[good, bad]]).covers
    assert KeywordGate.over([[good, bad], [good]]).covers == {good}


def test_more_keywords_than_fit_are_left_to_decoding() -> None:
    rules = [[wrap_keyword(ir.Test(None, "str", (f"{at:04}",)))] for at in range(1000)]
    gate = KeywordGate.over(rules)
    assert 0 < len(gate.covers) < 1000
    for (test,) in rules:
        word = test.value[1].encode()
        if test in gate.covers:
            assert gate.candidates(Joined([b'{"a":"' + word + b'"}'])) == [0]
