"""Several tables of one route looked up together: one memo for each field of the events, one signature.

Rules of registry events, for instance, are in tables of their own for values that are added, set or deleted
and in one for all of these, so that each event meets several that look at the same fields. A joint memo
leads from a value to its class in every table; what all tables look for in it is found in one pass. A joint
signature leads to the rules that hold in all of them.

What is remembered here goes by the tables' classes: a table that forgets them has it forgotten. The plain
twin is each table by itself (``Part.match``); values are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.detect.literals import Literals
from haidang.detect.memos import LONG, Memo
from haidang.detect.tables import Held, Signatures

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.routes import Part
    from haidang.detect.values import FieldMemo, FieldTests
    from haidang.limits import Limits

__all__ = ["Joint", "JointMemo", "accessor_key"]

_MOST_BY_HITS = 8192
"""Sets of literals found together that one field remembers."""
_MOST_LITERALS = 3000
"""More of them are not searched together: the automaton of a large table would be built once more."""


def accessor_key(accessor: Accessor) -> tuple[Accessor, int]:
    """Return what is equal for accessors that give the same value: as tuples, more of them are equal."""
    return accessor, id(accessor) if accessor.gathers else 0


class JointMemo(Memo):
    """Value to the number of its joint class: its classes in several memos of one field."""

    __slots__ = (
        "_apart",
        "_ascii",
        "_by_hits",
        "_gates",
        "_literals",
        "_memos",
        "_owners",
        "_told",
        "_whole",
    )

    def __init__(self, memos: Sequence[FieldMemo], limits: Limits) -> None:
        """Join ``memos``."""
        super().__init__(limits, (0,) * len(memos))
        self._memos = tuple(memos)
        self._literals: Literals | None = None
        self._owners: list[tuple[int, int]] = []
        self._apart = False
        self._told = False
        self._ascii = False
        self._whole: set[str] = set()
        self._gates: frozenset[int] = frozenset()
        self._by_hits: dict[frozenset[int], int] = {}

    @property
    def tests(self) -> tuple[FieldTests, ...]:
        """The tests of each memo."""
        return tuple(memo.tests for memo in self._memos)

    def classify(self, value: Any) -> int:
        """Return the joint class of any value."""
        memos = self._memos
        if (
            value.__class__ is not str
            or len(value) > self.value_chars
            or (len(value) > LONG and "\n" in value)
        ):
            return self.number(tuple([memo.classify(value) for memo in memos]))
        literals = self._literals
        if literals is None:
            literals = self._literals = self._join()
        if self._apart:
            # They are too many for one more automaton.
            return self.number(tuple([memo[value] for memo in memos]))
        folded = value.lower()
        hits = literals.find(folded)
        if not (self._told and folded not in self._whole and (not self._ascii or value.isascii())):
            return self._split(value, folded, hits)
        # What was found decides everything: few sets of literals are ever found together.
        key = frozenset(hits)
        known = self._by_hits.get(key)
        if known is None:
            known = self._split(value, folded, hits)
            if self._gates.isdisjoint(key):
                if len(self._by_hits) >= _MOST_BY_HITS:
                    self._by_hits.clear()
                self._by_hits[key] = known
        return known

    def _split(self, value: str, folded: str, hits: Collection[int]) -> int:
        """Return the joint class of a text in which these literals were found."""
        memos, literals = self._memos, self._literals
        if literals is None or not hits:
            return self.number(tuple([memo.found(value, folded, ()) for memo in memos]))
        by_memo: list[list[int]] = [[] for _ in memos]
        for hit in hits:
            for owner in literals.ids[hit]:
                at, number = self._owners[owner]
                by_memo[at].append(number)
        return self.number(
            tuple([memo.found(value, folded, some) for memo, some in zip(memos, by_memo, strict=True)])
        )

    def _join(self) -> Literals:
        """Return the literals of all memos, each with the numbers of its owners."""
        if sum(len(memo.tests.literals.texts) for memo in self._memos) > _MOST_LITERALS:
            self._apart = True
            return Literals({}, {}, {}, ())
        places: dict[str, dict[str, list[int]]] = {"starts": {}, "ends": {}, "inside": {}}
        for at, memo in enumerate(self._memos):
            known = memo.tests.literals
            for number, text in enumerate(known.texts):
                places[known.where(number)].setdefault(text, []).append(len(self._owners))
                self._owners.append((at, number))
        found = Literals(places["starts"], places["ends"], places["inside"], ())
        told = [memo.tests.told_by() for memo in self._memos]
        self._told = None not in told
        if self._told:
            self._whole = {text for one in told if one for text in one[0]}
            self._ascii = any(one[1] for one in told if one)
            gates = {(at, number) for at, one in enumerate(told) if one for number in one[2]}
            self._gates = frozenset(
                number
                for number, owners in enumerate(found.ids)
                if any(self._owners[owner] in gates for owner in owners)
            )
        return found

    def forget(self) -> None:
        """Start anew, classes and all."""
        super().forget()
        self._by_hits.clear()

    def of_text(self, value: Any) -> int:
        """Return the joint class of a value of a field that holds texts."""
        if value.__class__ is str and len(value) > LONG:
            return self.number(tuple([memo.of_text(value) for memo in self._memos]))
        return self[value]

    def of_list(self, value: list[Any]) -> int:
        """Return the joint class of a list."""
        return self.number(tuple([memo.of_list(value) for memo in self._memos]))

    def of_gathered(self, value: list[Any] | None) -> int:
        """Return the joint class of a list that was gathered."""
        return self.number(tuple([memo.of_gathered(value) for memo in self._memos]))


class Joint:
    """The tables of some parts of a route; ``memos[n]`` is for the value that ``accessors[n]`` gives.

    A key of ``signatures`` has the classes of these values, then for each part the class of its keywords, if
    it has any, and 0 or 1 for each of its pairs.
    """

    def __init__(self, parts: Sequence[Part], limits: Limits) -> None:
        """Join ``parts``, whose tables are plain ones."""
        self.parts = tuple(parts)
        """The parts, in the order of the route."""
        slots: dict[Any, tuple[Accessor, list[FieldMemo]]] = {}
        for part in parts:
            for accessor, memo in zip(part.accessors, part.table.memos, strict=True):
                slots.setdefault(accessor_key(accessor), (accessor, []))[1].append(memo)
        self._limits = limits
        self.accessors = tuple(accessor for accessor, _ in slots.values())
        """Where the values come from."""
        self.memos: tuple[Memo, ...] = tuple(
            memos[0] if len(memos) == 1 else JointMemo(memos, limits) for _, memos in slots.values()
        )
        """What decides them."""
        self.signatures = Signatures(self._decide, limits.memo_entries)
        at = len(self.memos)
        order = list(slots)
        seen = [0] * at
        self._parts: list[tuple[Part, list[tuple[int, int]], range]] = []
        for part in parts:
            places: list[tuple[int, int]] = []
            for accessor in part.accessors:
                slot = order.index(accessor_key(accessor))
                places.append((slot, seen[slot] if isinstance(self.memos[slot], JointMemo) else -1))
                seen[slot] += 1
            own = range(at, at + len(part.table.pairs) + (part.table.keyword_memo is not None))
            at = own.stop
            self._parts.append((part, places, own))
            part.table.joints.add(self)

    def _decide(self, key: tuple[int, ...]) -> Held:
        """Return the rules of all parts that hold for a joint signature."""
        classes = [
            memo.classes[number] if isinstance(memo, JointMemo) else ()
            for memo, number in zip(self.memos, key, strict=False)
        ]
        held: list[Held] = []
        for part, places, own in self._parts:
            signature = [key[slot] if at < 0 else classes[slot][at] for slot, at in places]
            signature += [key[at] for at in own]
            held.append(part.table.signatures[tuple(signature)])
        return Held.merged(held)

    def forget(self) -> None:
        """Forget everything; called when a table has forgotten its classes."""
        for memo in self.memos:
            if isinstance(memo, JointMemo):
                memo.forget()
        self.signatures.clear()

    def trim(self) -> bool:
        """Forget everything when hostile values have made too many joint classes; say whether."""
        if all(len(memo.classes) <= self._limits.memo_entries for memo in self.memos):
            return False
        self.forget()
        return True
