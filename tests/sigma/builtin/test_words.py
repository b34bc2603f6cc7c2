"""Each built-in rule says in English and Vietnamese what it is, what it means and what to do first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import haidang

if TYPE_CHECKING:
    from haidang.sigma.ir import RuleInfo

RULESET = haidang.load_rules(builtin=True, cache=False)
RULES = {info.path.partition("builtin/")[2] or info.path: info for info in RULESET.infos}
VIETNAMESE = re.compile(
    "[ạảãàáâậầấẩẫăắằặẳẵđéèẻẽẹêếềểễệíìỉĩịóòỏõọôốồổỗộơớờởỡợúùủũụưứừửữựýỳỷỹỵ]", re.IGNORECASE
)


@pytest.mark.parametrize("info", RULES.values(), ids=RULES)
def test_rule_speaks_both_languages(info: RuleInfo) -> None:
    words = {one.lang: one for one in info.words}
    assert words.keys() == {"en", "vi"}, "see docs/how-to/let-a-rule-speak-vietnamese.md"
    assert info.title, "title"
    assert info.description, "description"
    assert words["en"].advice, "haidang.en.advice"
    for part in (words["vi"].title, words["vi"].description, words["vi"].advice):
        assert VIETNAMESE.search(part), part


@pytest.mark.parametrize("info", RULES.values(), ids=RULES)
def test_words_are_sentences_of_a_reasonable_length(info: RuleInfo) -> None:
    for words in info.words:
        assert len(words.title) <= 90
        assert not words.title.endswith(".")
        for part in (words.description, words.advice):
            assert len(part) <= 400
            assert not part or part.endswith(".")


def test_no_two_rules_have_the_same_vietnamese_title() -> None:
    titles = [one.title for info in RULES.values() for one in info.words if one.lang == "vi"]
    assert len(titles) == len(set(titles)) == len(RULES) >= 87
