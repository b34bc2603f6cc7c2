"""Texts that are looked for at the beginning of a value, at its end or inside: all of them in one pass.

A value is framed by two marks that no text has, so that ``startswith 'cmd'`` is the text ``cmd`` with the
first mark before it, anywhere in the framed value. Everything is folded (lower case) by the caller.

A value that holds a mark itself is compared with each text; a text that holds one must not come here.
Values are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ["MARKS", "Literals"]

_BEGIN, _END = MARKS = "\x02", "\x03"
_FEW_LITERALS = 6
"""Below this many literals, Python's own ``in`` is quicker than an automaton."""


class Literals:
    """What is looked for in the values of one field; ``gates`` are texts that something else waits for.

    Fields of thousands of rules have tens of thousands of texts, so that there is no object for each.
    """

    def __init__(
        self,
        starts: Mapping[str, Sequence[int]],
        ends: Mapping[str, Sequence[int]],
        inside: Mapping[str, Sequence[int]],
        gates: Collection[str],
    ) -> None:
        """Number the texts; the automaton is built when the first value comes."""
        waited = [text for text in gates if text not in inside]
        self.texts = [*starts, *ends, *inside, *waited]
        """All texts, by their number: beginnings, then ends, then what may be anywhere."""
        self.ids: list[Sequence[int]] = [*starts.values(), *ends.values(), *inside.values()]
        """The numbers of the tests that hold where a text is found."""
        self.ids += [()] * len(waited)
        self._ends = len(starts)
        self._inside = len(starts) + len(ends)
        self.reach = max(map(len, self.texts[: self._inside]), default=0)
        """The longest beginning or end."""
        self._search: Callable[[str], Collection[int]] | None = None

    @property
    def inside(self) -> range:
        """The numbers of the texts that may be anywhere."""
        return range(self._inside, len(self.texts))

    def where(self, number: int) -> str:
        """Return where a text must be: ``starts``, ``ends`` or ``inside``."""
        return "starts" if number < self._ends else "ends" if number < self._inside else "inside"

    def find(self, folded: str) -> Collection[int]:
        """Return the numbers of the texts that are where they must be, each once."""
        if _BEGIN in folded or _END in folded:
            return [*self.find_at_ends(folded, folded), *self._each_inside(folded)]
        return (self._search or self._build())(f"{_BEGIN}{folded}{_END}")

    def find_inside(self, folded: str) -> Collection[int]:
        """Return the numbers of the texts that may be anywhere and are in ``folded``, a part of a value."""
        if _BEGIN in folded or _END in folded:
            return self._each_inside(folded)
        # Without the frame, no beginning and no end is found.
        return (self._search or self._build())(folded)

    def find_at_ends(self, head: str, tail: str) -> list[int]:
        """Return the numbers of the beginnings and ends, given the first and the last characters of a value.

        They must be as many as ``reach``, unless the value has fewer.
        """
        texts = self.texts
        found = [number for number in range(self._ends) if head.startswith(texts[number])]
        return found + [number for number in range(self._ends, self._inside) if tail.endswith(texts[number])]

    def _each_inside(self, folded: str) -> list[int]:
        return [number for number in self.inside if self.texts[number] in folded]

    def _build(self) -> Callable[[str], Collection[int]]:
        framed = [_BEGIN + text for text in self.texts[: self._ends]]
        framed += [text + _END for text in self.texts[self._ends : self._inside]]
        framed += self.texts[self._inside :]
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
