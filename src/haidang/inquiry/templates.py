"""Texts of events: the value of a field in words, and templates with fields in them.

Rules:

- A name is a field, or several with bars between them, of which the first counts that has a value: exports of
  one product differ in their names.
- What stands for nothing (``-``, ``?``, ``(null)``, the audit log's number of nobody) is absent. Elements of
  a list are written one after another, an object as the JSON of it.
- A template holds ``{FIELD}`` and ``[…]``, which is left out where one of its fields is absent.

Templates come with the package; events are untrusted.

Example::

    Template("{user}[ ← {src_ip|client_ip}]").fill({"user": "lan", "client_ip": "192.0.2.7"})
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from haidang.detect.semantics import lookup, text

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["Template", "first_of", "named_fields", "value_of"]

_PIECE = re.compile(r"\{([^{}]+)\}|([\[\]])|([^{}\[\]]+)")
_ABSENT = frozenset({"", "-", "?", "(null)", "4294967295"})


class Template:
    """A text with fields of an event in it."""

    def __init__(self, source: str) -> None:
        """Take the template apart."""
        # A group is a list of pieces: text, or the names of which the first present one counts.
        self._groups: list[tuple[bool, list[str | tuple[str, ...]]]] = [(False, [])]
        for names, bracket, literal in _PIECE.findall(source):
            if bracket:
                self._groups.append((bracket == "[", []))
            else:
                self._groups[-1][1].append(tuple(names.split("|")) if names else literal)

    def fill(self, event: Fields) -> str:
        """Return the text with the values of ``event``."""
        return "".join(
            self._filled(event, pieces, optional=optional) for optional, pieces in self._groups
        ).strip()

    def _filled(self, event: Fields, pieces: list[str | tuple[str, ...]], *, optional: bool) -> str:
        parts = []
        for piece in pieces:
            if isinstance(piece, str):
                parts.append(piece)
                continue
            value = next((found for name in piece if (found := value_of(event, name))), "")
            if optional and not value:
                return ""
            parts.append(value)
        return "".join(parts)


@cache
def named_fields(name: str) -> tuple[str, ...]:
    """Return the fields that a name of a data file stands for; of ``a|b`` the first present one counts."""
    return tuple(name.split("|"))


def first_of(event: Fields, names: tuple[str, ...]) -> Any:
    """Return the value of the first of the fields that is present, None where none is."""
    for name in names:
        value = lookup(event, name)
        if value is not None:
            return value
    return None


def value_of(event: Fields, name: str) -> str:
    """Return the text of a field, "" where it is absent or a placeholder; of a list, its elements.

    Of several names, ``a|b``, the first counts that has a value.
    """
    for one in named_fields(name):
        value = lookup(event, one)
        if value is None:
            continue
        if value.__class__ is not str:
            several = value if isinstance(value, list) else [value]
            value = " ".join(filter(None, map(_written, several)))
        if value not in _ABSENT:
            return str(value)
    return ""


def _written(value: Any) -> str:
    """Return a value as text; of an object, the JSON of it."""
    if isinstance(value, dict):
        try:
            return orjson.dumps(value).decode()
        except TypeError:  # Too deep, or holding what is no Unicode.
            return ""
    return text(value)
