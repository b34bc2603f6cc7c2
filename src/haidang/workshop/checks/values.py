"""Values that match whatever the field holds: an empty text where a part is looked for, ``.*`` by itself.

``Field: '*'`` is left alone: it is how rules say that a field is there and not empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.i18n import N_
from haidang.workshop.checks import WARNING, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Issue, Pack

__all__ = ["CHECKS", "run"]

ANYTHING = Check("value-anything", WARNING, N_("a value matches whatever the field holds"))
CHECKS = (ANYTHING,)

_PARTS = frozenset({"contains", "startswith", "endswith", "re"})
_ANY_TEXT = re.compile(r"\^?(?:\(?\.\*\)?)?\$?")


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each value that says nothing."""
    for subject in pack.subjects:
        section = subject.written.document.get("detection")
        if subject.outline is None or not isinstance(section, dict):
            continue
        for place, key, value in _items(section, ("detection",)):
            modifiers = set(key.split("|")[1:])
            if modifiers & _PARTS and isinstance(value, str) and _says_nothing(value, modifiers):
                template = N_("the value {value} of {key} matches whatever the field holds")
                yield subject.issue(ANYTHING, place, template, value=repr(value), key=key)


def _says_nothing(value: str, modifiers: set[str]) -> bool:
    return bool(_ANY_TEXT.fullmatch(value)) if "re" in modifiers else not value


def _items(
    node: Any, place: tuple[str | int, ...], key: str = ""
) -> Iterator[tuple[tuple[str | int, ...], str, Any]]:
    """Yield each value below a node with its place and the key that it stands under."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name != "condition":
                yield from _items(value, (*place, str(name)), str(name))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from _items(value, (*place, at), key)
    else:
        yield place, key, node
