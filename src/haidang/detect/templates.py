"""Filling in the templates of logsource maps from events; :mod:`haidang.sigma.templates` reads them.

Events are untrusted: what is not there, or has another shape than the template expects, is absent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from haidang.detect.semantics import lookup, text
from haidang.sigma.templates import Slot, parse_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.events.model import Fields
    from haidang.sigma.templates import Line, Pick

__all__ = ["template"]


@lru_cache(maxsize=4096)
def template(source: str) -> Callable[[Fields], Any]:
    """Return the function that gives a template's value for an event, None where it is absent."""
    lines = parse_template(source)
    if len(lines) == 1:
        return _of_line(lines[0])
    readers = [_of_line(line) for line in lines]

    def together(event: Fields) -> Any:
        found: list[Any] = []
        for read in readers:
            value = read(event)
            if isinstance(value, list):
                found += value
            elif value is not None:
                found.append(value)
        return found or None

    return together


def _of_line(line: Line) -> Callable[[Fields], Any]:
    if len(line) == 1 and isinstance(line[0], Slot):
        return _of_slot(line[0])
    parts = [part if isinstance(part, str) else _of_slot(part) for part in line]

    def joined(event: Fields) -> Any:
        values = [part if isinstance(part, str) else part(event) for part in parts]
        if any(value is None or value == [] for value in values):
            return None
        longest = max((len(value) for value in values if isinstance(value, list)), default=0)
        if not longest:
            return "".join(map(text, values))
        return ["".join(text(_at(value, at)) for value in values) for at in range(longest)]

    return joined


def _at(value: Any, at: int) -> Any:
    """Return an element; lists go in step, a shorter one and a single value stay at their last."""
    return value[min(at, len(value) - 1)] if isinstance(value, list) else value


def _of_slot(slot: Slot) -> Callable[[Fields], Any]:
    path, picks = slot.path, slot.picks

    def plain(event: Fields) -> Any:
        value = lookup(event, path)
        for pick in picks:
            value = _picked(value, pick)
        return value

    form = _FORMS.get(slot.form)
    return plain if form is None else lambda event: form(plain(event))


def _picked(value: Any, pick: Pick) -> Any:
    """Return what a pick takes of a list; one element stands by itself."""
    found = [
        item if not pick.rest else lookup(item, pick.rest)
        for item in _objects(value)
        if text(lookup(item, pick.key)).lower() == pick.value
    ]
    found = [item for item in found if item is not None]
    return found if len(found) > 1 else found[0] if found else None


def _objects(value: Any) -> list[Fields]:
    """Return the objects in a value: itself, or those in a list, or in lists in it."""
    if isinstance(value, dict):
        return [value]
    found: list[Fields] = []
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            found.append(top)
        elif isinstance(top, list):
            stack.extend(reversed(top))
    return found


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except (TypeError, orjson.JSONEncodeError):
        # An event that was not read from JSON may hold what JSON cannot.
        return None


def _as_words(value: Any) -> Any:
    return " ".join(map(text, value)) if isinstance(value, list) else value


def _as_hex(value: Any, digits: int = 0) -> Any:
    if isinstance(value, list):
        return [found for item in value if (found := _as_hex(item, digits)) is not None] or None
    try:
        whole = int(text(value), 0)
    except ValueError:
        return None
    return f"{whole:0{digits}x}" if whole >= 0 else None


_FORMS: dict[str, Callable[[Any], Any]] = {
    "hex": _as_hex,
    "hex8": lambda value: _as_hex(value, 8),
    "json": _as_json,
    "words": _as_words,
}
