"""What a rule says in other languages travels with it; what is wrong with that is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.sigma.ir import RuleWords
from haidang.sigma.loading import load, rules_from_text

if TYPE_CHECKING:
    from pathlib import Path

RULE = """title: Odd
id: 0d5b1f3c-2a0e-4b8c-9d1e-111111111111
description: Says what it is.
logsource: {product: windows}
detection: {s: {F: a}, condition: s}
"""
WORDS = """haidang:
  en: {advice: Look.}
  vi:
    title: Lạ
    advice: |
      Xem
      ngay.
"""
READ = (RuleWords("en", advice="Look."), RuleWords("vi", title="Lạ", advice="Xem ngay."))
CORRELATION = """title: Many
correlation:
  {type: event_count, rules: [0d5b1f3c-2a0e-4b8c-9d1e-111111111111], timespan: 1m, condition: {gte: 2}}
"""


def test_words_are_read_and_the_rule_keeps_its_own() -> None:
    (info,) = rules_from_text(RULE + WORDS).infos
    assert (info.title, info.description, info.words) == ("Odd", "Says what it is.", READ)


def test_rule_without_words_has_none() -> None:
    (info,) = rules_from_text(RULE).infos
    assert info.words == ()


def test_correlations_have_words_too() -> None:
    loaded = rules_from_text(f"{RULE}---\n{CORRELATION}{WORDS}")
    assert {info.title: info.words for info in loaded.infos} == {"Odd": (), "Many": READ}


def test_words_come_back_from_the_cache(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "odd.yml").write_text(RULE + WORDS, "utf-8")
    for _ in range(2):
        (info,) = load([tmp_path / "rules"], cache_dir=tmp_path / "cache").infos
        assert info.words == READ


@pytest.mark.parametrize(
    ("section", "reason", "line"),
    [
        ("haidang: text\n", "must map languages to texts", 6),
        ("haidang:\n  vi: text\n", "no texts for the language 'vi'", 7),
        ("haidang:\n  vi:\n    titel: a\n", "knows no 'titel'; there are title, description, advice", 7),
        ("haidang:\n  vi:\n    title: [a]\n", "the title of the haidang section must be a text", 8),
    ],
)
def test_wrong_words_are_noted_with_their_line_and_the_rule_works(
    section: str, reason: str, line: int
) -> None:
    loaded = rules_from_text(RULE + section)
    (info,), (note,) = loaded.infos, loaded.notes
    assert loaded.refused == ()
    assert info.words == ()
    assert reason in note.reason
    assert note.line == line


def test_pysigma_takes_the_words_for_an_attribute_of_the_rule() -> None:
    from sigma.rule import SigmaRule

    rule = SigmaRule.from_yaml(RULE + WORDS)
    assert rule.errors == []
    assert rule.custom_attributes["haidang"]["vi"]["title"] == "Lạ"
