"""All scalars of an event as keywords look at them: gathered once, whatever number of tables ask.

``KeywordSearch`` looks for the keywords of several tables in one pass over an event, and splits what it finds
by table. What is found decides everything but expressions and patterns, so that it is remembered by it.
The plain twin is each table's own search (``FieldTests.decide_any`` without ``hits``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.detect.literals import Literals
from haidang.detect.semantics import leaves, text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from haidang.detect.values import FieldTests
    from haidang.events.model import Fields

__all__ = ["SEPARATOR", "EventWords", "KeywordSearch"]

SEPARATOR = "\0"
"""What stands between values that are searched together; a keyword that holds it is looked for in each."""

_MOST_KNOWN = 4096
"""Sets of keywords found together that one route remembers."""


class EventWords:
    """The values of one event; nothing is done before somebody asks."""

    __slots__ = ("_folded", "_joined", "_values", "event")

    def __init__(self, event: Fields, joined: str | None = None, folded: str | None = None) -> None:
        """Take a decoded event, and its texts where somebody has joined or folded them already."""
        self.event = event
        """The event itself."""
        self._values: list[Any] | None = None
        self._joined = joined
        self._folded = folded

    @property
    def values(self) -> list[Any]:
        """Every scalar, those inside objects and lists included."""
        if self._values is None:
            self._values = list(leaves(self.event))
        return self._values

    @property
    def _text(self) -> str:
        if self._joined is None:
            self._joined = _joined(self.event)
        return self._joined

    @property
    def folded(self) -> str:
        """All of them in lower case, one behind another."""
        if self._folded is None:
            self._folded = self._text.lower()
        return self._folded

    @property
    def plain(self) -> bool:
        """Whether all of it is ASCII."""
        return self._text.isascii()


class KeywordSearch:
    """One search for the keywords of several tables, which are given by the tests of their keywords."""

    def __init__(self, tests: Sequence[FieldTests]) -> None:
        """Join the literals of all tables; a table whose keywords need each value by itself decides alone."""
        self._tests = tests
        self._apart = any(one.one_by_one for one in tests)
        self._sure = not any(one.unsure for one in tests)
        self._owners: list[tuple[int, int]] = []
        inside: dict[str, list[int]] = {}
        for at, one in enumerate(tests):
            for number, literal in one.keyword_literals:
                inside.setdefault(literal, []).append(len(self._owners))
                self._owners.append((at, number))
        self._literals = Literals({}, {}, inside, ())
        self._nothing = tuple(one.of_hits(()) or () for one in tests)
        self._known: dict[frozenset[int], tuple[tuple[int, ...], ...]] = {}

    def answers(self, event: Fields) -> tuple[tuple[int, ...], ...]:
        """Return for each table the numbers of the keywords that hold, as its ``decide_any`` does."""
        try:
            joined = SEPARATOR.join(event.values())
        except TypeError:
            joined = _joined(event)
        folded = joined.lower()
        hits = self._literals.find_inside(folded)
        # Without any value, or outside ASCII, more than what was found may count.
        if joined and not self._apart and (self._sure or joined.isascii()):
            if not hits:
                return self._nothing
            known = self._known.get(frozenset(hits))
            if known is not None:
                return known
        return self._decide(EventWords(event, joined, folded), hits)

    def _decide(self, words: EventWords, hits: Collection[int]) -> tuple[tuple[int, ...], ...]:
        by_table: list[list[int]] = [[] for _ in self._tests]
        for hit in hits:
            for owner in self._literals.ids[hit]:
                at, number = self._owners[owner]
                by_table[at].append(number)
        found = tuple(one.decide_any(words, some) for one, some in zip(self._tests, by_table, strict=True))
        told = [one.of_hits(some) for one, some in zip(self._tests, by_table, strict=True)]
        if words.values and None not in told and not self._apart and (self._sure or words.plain):
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[frozenset(hits)] = found
        return found


def _joined(event: Fields) -> str:
    """Return every scalar as text, one behind another."""
    found: list[str] = []
    for value in event.values():
        kind = value.__class__
        if kind is str:
            found.append(value)
        elif kind is dict or kind is list or kind is tuple:
            found.append(_inside(value))
        elif value is not None:
            found.append(text(value))
    return SEPARATOR.join(found)


def _inside(value: Any) -> str:
    """Return every scalar in a list or object as text."""
    if value.__class__ is not dict:
        try:
            return SEPARATOR.join(value)
        except TypeError:
            pass
    return SEPARATOR.join([item if item.__class__ is str else text(item) for item in leaves(value)])
