"""Texts that are looked for at the beginning of a value, at its end or inside: all of them in one pass.

A value is framed by two marks that no text has, so that ``startswith 'cmd'`` is the text ``cmd`` with the
first mark before it, anywhere in the framed value. Everything is folded (lower case) by the caller.

A value that holds a mark itself is compared with each text; a text that holds one must not come here.
Values are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

__all__ = ["MARKS", "Literal", "Literals"]

_BEGIN, _END = MARKS = "\x02", "\x03"
_FEW_LITERALS = 6
"""Below this many literals, Python's own ``in`` is quicker than an automaton."""


class Literal(NamedTuple):
    """A text, where in a value it must be, and the numbers of the tests that hold if it is there."""

    text: str
    where: str
    """``starts``, ``ends`` or ``inside``."""
    ids: tuple[int, ...]


class Literals:
    """What is looked for in the values of one field; ``gates`` are texts that something else waits for."""

    def __init__(
        self,
        starts: Mapping[str, Iterable[int]],
        ends: Mapping[str, Iterable[int]],
        inside: Mapping[str, Iterable[int]],
        gates: Collection[str],
    ) -> None:
        """Number the texts; the automaton is built when the first value comes."""
        known = [Literal(text, "starts", tuple(ids)) for text, ids in starts.items()]
        known += [Literal(text, "ends", tuple(ids)) for text, ids in ends.items()]
        known += [Literal(text, "inside", tuple(ids)) for text, ids in inside.items()]
        known += [Literal(text, "inside", ()) for text in gates if text not in inside]
        self.known: Sequence[Literal] = known
        """All texts, by their number."""
        self.reach = max((len(one.text) for one in known if one.where != "inside"), default=0)
        """The longest beginning or end."""
        self._at_ends = [
            (number, one.text, one.where == "starts")
            for number, one in enumerate(known)
            if one.where != "inside"
        ]
        self._search: Callable[[str], Collection[int]] | None = None

    def find(self, folded: str) -> Collection[int]:
        """Return the numbers of the texts that are where they must be, each once."""
        if _BEGIN in folded or _END in folded:
            return [number for number, one in enumerate(self.known) if _is_there(one, folded)]
        return (self._search or self._build())(f"{_BEGIN}{folded}{_END}")

    def find_inside(self, folded: str) -> Collection[int]:
        """Return the numbers of the texts that may be anywhere and are in ``folded``, a part of a value."""
        known = self.known
        if _BEGIN in folded or _END in folded:
            return [
                number for number, one in enumerate(known) if one.where == "inside" and one.text in folded
            ]
        # Without the frame, no beginning and no end is found.
        return (self._search or self._build())(folded)

    def find_at_ends(self, head: str, tail: str) -> Collection[int]:
        """Return the numbers of the beginnings and ends, given the first and the last characters of a value.

        They must be as many as ``reach``, unless the value has fewer.
        """
        return [
            number
            for number, text, starts in self._at_ends
            if (head.startswith(text) if starts else tail.endswith(text))
        ]

    def _build(self) -> Callable[[str], Collection[int]]:
        framed = [_framed(one) for one in self.known]
        if len(framed) <= _FEW_LITERALS:
            numbered = list(enumerate(framed))
            self._search = lambda value: [number for number, text in numbered if text in value]
            return self._search
        from ahocorasick_rs import AhoCorasick, Implementation

        # A table with every transition is hardly quicker, and takes ten times as long to build.
        automaton = AhoCorasick(framed, implementation=Implementation.ContiguousNFA)
        matches = automaton.find_matches_as_indexes

        def search(value: str) -> Collection[int]:
            hits = matches(value, overlapping=True)
            return {hit[0] for hit in hits} if hits else ()

        self._search = search
        return search


def _framed(one: Literal) -> str:
    return {"starts": _BEGIN + one.text, "ends": one.text + _END, "inside": one.text}[one.where]


def _is_there(one: Literal, folded: str) -> bool:
    if one.where == "inside":
        return one.text in folded
    return folded.startswith(one.text) if one.where == "starts" else folded.endswith(one.text)
