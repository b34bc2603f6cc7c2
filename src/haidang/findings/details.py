"""What is said of one file, rule or run, in the reader's language: details, reasons and notices.

Rules:

- These texts are made in English where something goes wrong, because data and logs keep them; they are
  translated here, where people read them.
- The catalogue is ``locale/<lang>/LC_MESSAGES/details.po`` (compile it with ``pybabel compile -d
  src/haidang/locale -D details``). Its message ids are the texts of the source, with ``{0}``, ``{1}`` …
  where the text has what differs from case to case, in order. A test finds the texts in the source and
  fails on one that has no Vietnamese.
- A text that fits several ids takes the one with the most fixed characters. What stands for a placeholder
  is translated likewise where it is a text by itself.
- A text that fits none (those of libraries) stays as it is.

Texts hold parts of logs and rules and are untrusted: finding the id takes time linear in their length.

Example::

    detail("longer than 4096 bytes", translator("vi"))
"""

from __future__ import annotations

import re
import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from haidang.i18n import LOCALE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.i18n import Translator

__all__ = ["SYSTEM_WORDS", "detail"]

SYSTEM_WORDS = (
    "Permission denied",
    "No such file or directory",
    "Is a directory",
    "Not a directory",
    "Input/output error",
    "No such device or address",
    "No space left on device",
)
"""What the operating system says most often; it has no source of ours to be found in."""

_HOLE = re.compile(r"\{(\d+)\}")
_DEEPEST = 2
"""Texts inside a text inside a text: the source makes no more, and a log must not either."""


class _Message(NamedTuple):
    """A message id with placeholders: what stands between them, and how it is said."""

    literals: tuple[str, ...]
    said: str

    def holes(self, text: str) -> list[str] | None:
        """Return what stands in ``text`` for the placeholders, None where it is another text."""
        first, *middle, last = self.literals
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return None
        rest = text[len(first) : len(text) - len(last)]
        found = []
        for literal in middle:
            # The first place is enough: whatever fits at a later one fits here.
            hole, between, rest = rest.partition(literal)
            if not between:
                return None
            found.append(hole)
        return [*found, rest]


def detail(text: str, translate: Translator) -> str:
    """Return a detail, reason or notice in the reader's language."""
    return _said(text, translate.lang, 0)


@lru_cache(maxsize=4096)
def _said(text: str, lang: str, depth: int) -> str:
    whole, parts = _catalogue(lang)
    if text in whole:
        return whole[text]
    if text.endswith(".") and text[:-1] in whole:
        return f"{whole[text[:-1]]}."
    if depth <= _DEEPEST:
        for message in parts:
            holes = message.holes(text)
            if holes is not None:
                return message.said.format(*(_said(hole, lang, depth + 1) for hole in holes))
    # A path and what the system says of it is no text of the source.
    place, colon, word = text.rpartition(": ")
    return f"{place}{colon}{whole.get(word, word)}" if word in SYSTEM_WORDS else text


@cache
def _catalogue(lang: str) -> tuple[dict[str, str], Sequence[_Message]]:
    """Return the texts that are whole, and those with placeholders, the longest first."""
    try:
        data = (LOCALE_FOLDER / lang / "LC_MESSAGES" / "details.mo").read_bytes()
    except OSError:
        return {}, ()
    messages = _messages(data)
    whole = {_plain(id_): _plain(said) for id_, said in messages.items() if not _HOLE.search(id_)}
    parts = [
        _Message(tuple(map(_plain, _HOLE.split(id_)[::2])), said)
        for id_, said in messages.items()
        if _HOLE.search(id_)
    ]
    parts.sort(key=lambda message: -sum(map(len, message.literals)))
    return whole, parts


def _messages(data: bytes) -> dict[str, str]:
    """Return the messages of a compiled catalogue; ``gettext`` looks them up but does not list them.

    The form is that of the GNU gettext manual, "The Format of GNU MO Files"; ours are little-endian.
    """
    count, originals, translations = struct.unpack_from("<3I", data, 8)
    found = {}
    for at in range(0, 8 * count, 8):
        length, start = struct.unpack_from("<2I", data, originals + at)
        said_length, said_start = struct.unpack_from("<2I", data, translations + at)
        id_ = data[start : start + length].decode()
        if id_:
            found[id_] = data[said_start : said_start + said_length].decode()
    return found


def _plain(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")
