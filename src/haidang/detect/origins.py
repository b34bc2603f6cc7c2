"""Which family of logs an event of unknown origin is of: told by the fields that it has.

A map names sets of fields; an event that has all of one set, none of them null, is of the map's origin. Sets
of more fields, and of fields deeper in, are tried first, for they say more. What the sets ask of an event's
own keys is decided once for each arrangement of keys, since a log repeats its few arrangements. Events are
untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.detect.semantics import lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from haidang.events.model import Fields

__all__ = ["Recogniser"]

_MOST_ARRANGEMENTS = 2048
_MOST_KEYS = 256
_MOST_CHARS = 4096
"""Keys and characters of an arrangement that is remembered; hostile ones are not."""

Set = tuple[str, tuple[str, ...]]


class Recogniser:
    """Tells the origin of decoded events."""

    def __init__(self, sets: Iterable[Set]) -> None:
        """Take pairs of an origin and the fields that tell it."""
        self.sets = sorted(sets, key=lambda one: -sum(name.count(".") + 1 for name in one[1]))
        """What is asked for, in the order in which it is."""
        self._known: dict[tuple[str, ...], tuple[Set, ...]] = {}

    def origin(self, event: Fields) -> str:
        """Return the origin of ``event``, "" where no set of fields is there."""
        keys = tuple(event)
        possible = self._known.get(keys)
        if possible is None:
            possible = self._possible(keys)
        for origin, names in possible:
            if all(lookup(event, name) is not None for name in names):
                return origin
        return ""

    def _possible(self, keys: Sequence[str]) -> tuple[Set, ...]:
        """Return the sets that an event with these keys may have."""
        known = frozenset(keys)
        found = tuple(one for one in self.sets if all(_within(name, known) for name in one[1]))
        if len(keys) <= _MOST_KEYS and sum(map(len, map(str, keys))) <= _MOST_CHARS:
            if len(self._known) >= _MOST_ARRANGEMENTS:
                self._known.clear()
            self._known[tuple(keys)] = found
        return found


def _within(name: str, keys: frozenset[str]) -> bool:
    """Return whether a field, dots descending, can be in an event with these keys."""
    if name in keys:
        return True
    at = name.find(".")
    while at >= 0:
        if name[:at] in keys:
            return True
        at = name.find(".", at + 1)
    return False
