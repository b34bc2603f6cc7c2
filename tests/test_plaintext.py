"""Nothing that a log holds may act on the terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from haidang.plaintext import neutralise


def test_leaves_ordinary_text_of_any_script_alone() -> None:
    for text in ("C:\\Windows\\x.exe", "Sở Thông tin và Truyền thông", "日本語", "e\u0301", "", "🙂"):
        assert neutralise(text) == text


def test_makes_escape_sequences_and_line_breaks_visible() -> None:
    assert neutralise("\x1b[2J\x1b]0;owned\x07\r\n\t\x7f") == "␛[2J␛]0;owned␇␍␊␉␡"
    assert neutralise("\x9b31m") == "\\u009b31m"


def test_makes_direction_changes_and_invisible_characters_visible() -> None:
    assert neutralise("invoice\u202efdp.exe") == "invoice\\u202efdp.exe"
    assert neutralise("a\u200bb\u2028c\ufeff\U000e0041") == "a\\u200bb\\u2028c\\ufeff\\ue0041"


def test_survives_lone_surrogates() -> None:
    assert neutralise("a\udcff") == "a\\udcff"


@given(st.text(st.characters(codec=None)))
def test_nothing_that_a_terminal_acts_on_is_left(text: str) -> None:
    safe = neutralise(text)
    safe.encode()
    assert not {unicodedata.category(char) for char in safe} & {"Cc", "Zl", "Zp", "Cs"}
    assert neutralise(safe) == safe
