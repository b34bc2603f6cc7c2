r"""Templates of logsource maps: how the value of a rule's field is put together from fields of an event.

| template | value |
| --- | --- |
| ``{domain}\{user}`` | both fields with a backslash between them; absent when either is |
| ``{process.args:words}`` | the elements of a list as one text with blanks between them |
| ``{requestParameters:json}`` | an object or list as its JSON text |
| ``0x{access:hex}``, ``0x{value:hex8}`` | a whole number in base 16, as it is or with eight digits |
| ``{items[name=IP].value}`` | of a list of objects, those whose ``name`` is ``IP``, and their ``value`` |
| several lines | a list: the value of each line's template that is present |

A template that is one field and nothing else gives the value as it is. This module only reads the spelling;
:mod:`haidang.detect.templates` fills it in. Maps are the user's own: trusted, but checked.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

__all__ = ["FORMS", "Line", "Pick", "Slot", "parse_template", "template_fields"]

FORMS = frozenset({"hex", "hex8", "json", "words"})

_SLOT = re.compile(r"\{([^{}]+)\}")
_PICK = re.compile(r"\[([^\[\]=]+)=([^\[\]]+)\]")


class Pick(NamedTuple):
    """Takes of a list the objects whose ``key`` has that value, and the field ``rest`` of each."""

    key: str
    value: str
    """Lower-cased."""
    rest: str
    """"" for the objects themselves."""


class Slot(NamedTuple):
    """One field in a template."""

    path: str
    picks: tuple[Pick, ...] = ()
    form: str = ""


Line: TypeAlias = tuple[str | Slot, ...]
"""Literal texts and slots, in order."""


def parse_template(source: str) -> tuple[Line, ...]:
    """Return the lines of a template.

    Raises:
        ValueError: It is none.
    """
    return tuple(_line(line) for line in source.splitlines() if line.strip())


def template_fields(source: str) -> tuple[str, ...]:
    """Return the event fields that a template reads; of a list that it picks from, the list."""
    return tuple(part.path for line in parse_template(source) for part in line if isinstance(part, Slot))


def _line(text: str) -> Line:
    parts: list[str | Slot] = []
    at = 0
    for match in _SLOT.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
        parts.append(_slot(match[1]))
        at = match.end()
    if at < len(text):
        parts.append(text[at:])
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise ValueError(text)
    return tuple(parts)


def _slot(text: str) -> Slot:
    path, colon, form = text.rpartition(":")
    if not colon or form not in FORMS:
        path, form = text, ""
    begin, *pieces = re.split(r"(?=\[)", path)
    picks = []
    for piece in pieces:
        match = _PICK.match(piece)
        if match is None:
            raise ValueError(text)
        picks.append(Pick(match[1], match[2].lower(), piece[match.end() :].removeprefix(".")))
    if not begin:
        raise ValueError(text)
    return Slot(begin, tuple(picks), form)
