"""Rules as written keep their documents and lines, and compile to what loading makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.sigma.loading import load
from haidang.sigma.outline import Item, Selection, outline
from haidang.sigma.translate import Refusal
from haidang.sigma.written import Written, read_written

if TYPE_CHECKING:
    from pathlib import Path

RULES = """action: global
logsource: {product: windows, category: process_creation}
---
title: First
detection:
  a: {Image|endswith: ['x', 'y'], User: z}
  b:
    - {Image: 1, CommandLine|contains|all: [p, q]}
    - {Image: 2}
  words: [one, two]
  condition: a or (b and not words)
---
title: Second
detection:
  a: {Image|nosuch: x}
  condition: a
"""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    (tmp_path / "a.yml").write_text(RULES, encoding="utf-8")
    (tmp_path / "a.test.yml").write_text("fires: [{a: 1}]", encoding="utf-8")
    return read_written([tmp_path])


def test_keeps_refused_rules_too_and_what_documents_share(written: Written) -> None:
    assert [one.info.title for one in written.rules] == ["First", "Second"]
    assert all(one.document["logsource"]["product"] == "windows" for one in written.rules)
    assert [one.line("detection", "a") for one in written.rules] == [6, 15]


def test_compiles_to_what_loading_makes_of_it(written: Written, tmp_path: Path) -> None:
    loaded = load([tmp_path], cache=False)
    assert written.joined is not None
    assert [rule for group in loaded.groups.values() for rule in group] == written.joined.rules
    assert [str(error) for error in loaded.refused] == [str(error) for error in written.joined.refused]


def test_an_outline_keeps_selections_items_and_values_apart(written: Written) -> None:
    found = outline(written.rules[0].document, written.compiler)
    assert list(found.selections) == ["a", "b", "words"]
    image, user = found.selections["a"].items()
    assert (image.field, len(image.values), image.every) == ("Image", 2, False)
    assert user.values == (user.condition,)
    first, second = found.selections["b"].parts
    assert isinstance(first, Selection)
    assert isinstance(second, Selection | Item)
    assert not found.selections["b"].every
    assert first.every
    assert first.items()[1].every
    (words,) = found.selections["words"].items()
    assert words.field == ""
    assert found.conditions == (
        (
            "a or (b and not words)",
            ("or", ("name", "a"), ("and", ("name", "b"), ("not", ("name", "words")))),
        ),
    )


def test_an_outline_of_a_refused_rule_is_refused(written: Written) -> None:
    with pytest.raises(Refusal):
        outline(written.rules[1].document, written.compiler)
