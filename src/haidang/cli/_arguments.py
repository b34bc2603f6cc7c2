"""What checks the words and numbers that are given as arguments; argparse says what is wrong with them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.i18n import Translator

__all__ = ["counting", "one_of"]


def one_of(words: Sequence[str], _: Translator) -> Callable[[str], str]:
    """Return what checks an argument that must be one of ``words``, in any case."""

    def check(text: str) -> str:
        if text.lower() in words:
            return text.lower()
        known = ", ".join(words)
        raise argparse.ArgumentTypeError(_("{word} is none of: {known}").format(word=repr(text), known=known))

    return check


def counting(_: Translator) -> Callable[[str], int]:
    """Return what checks an argument that must be a number from 1 on."""

    def check(text: str) -> int:
        if text.isascii() and text.isdecimal() and int(text):
            return int(text)
        raise argparse.ArgumentTypeError(_("{word} is no number from 1 on").format(word=repr(text)))

    return check
