"""All tests on one field at once: from a value to the set of tests that hold for it.

``FieldTests`` runs what ``arranging.arrange_field`` arranged: whole values, beginnings and endings by dict
look-ups, strings inside by one Aho-Corasick pass over the lower-cased value, patterns and regular
expressions only where a literal that they require was found by that pass.

``FieldMemo`` remembers the answer for each value. The meaning of each test is that of ``semantics``; a
property test holds the two together. Values are untrusted: both memory and time are bounded.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

from haidang.detect.deciders import Decider
from haidang.detect.literals import Literals
from haidang.detect.memos import LONG, Memo
from haidang.detect.semantics import address, compare, holds, number, text
from haidang.detect.texts import NO_ANSWER, Answer, Texts
from haidang.detect.words import SEPARATOR
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.ir import Test

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from haidang.detect.words import EventWords
    from haidang.limits import Limits

__all__ = ["FieldMemo", "FieldTests", "cuts"]

cuts: Counter[str] = Counter()
"""How many values in this process were longer than rules look at, under "values"."""

_MOST_BY_HITS = 8192
"""Sets of literals found together that one field remembers."""


class FieldTests:
    """The tests of one field, arranged so that one value decides them all.

    The numbers of the answer come sorted, each once.
    """

    def __init__(self, arranged: dict[str, Any], limits: Limits = DEFAULT_LIMITS) -> None:
        """Take an arrangement; the literals are handed to an automaton on first use."""
        self.absent: tuple[int, ...] = tuple(sorted(arranged["absent"]))
        self._present = tuple(sorted(arranged["present"]))
        self._scalar = tuple(sorted([*arranged["present"], *arranged["any_text"]]))
        self._whole: dict[str, list[int]] = arranged["whole"]
        self._whole_cased: dict[str, list[int]] = arranged["whole_cased"]
        self.literals = Literals(
            arranged["starts"], arranged["ends"], arranged["inside"], arranged["gated"].keys()
        )
        """What is looked for in a value."""
        gated = {
            literal: [(i, Decider(plan, limits), folds) for i, plan, folds in waiting]
            for literal, waiting in arranged["gated"].items()
        }
        texts = self.literals.texts
        self._gated = {
            number: gated[texts[number]] for number in self.literals.inside if texts[number] in gated
        }
        self._ungated = [(i, Decider(plan, limits)) for i, plan in arranged["ungated"]]
        self._numbers: dict[float, list[int]] = arranged["numbers"]
        self._ordered: list[tuple[int, str, float]] = arranged["ordered"]
        self._networks: list[tuple[int, int, int, int]] = arranged["networks"]
        self._plain = [(i, Test(*test)) for i, test in arranged["plain"]]
        self._wants_number = bool(self._numbers or self._ordered)
        self._beyond_text = bool(self._wants_number or self._networks or self._plain)
        self._unsure = [
            (number, i, decide)
            for number, waiting in self._gated.items()
            for i, decide, folds in waiting
            if not folds
        ]
        inside = texts[self.literals.inside.start :]
        all_inside = "\1".join(inside)
        self._by_line = "\n" not in all_inside
        self._texts = Texts(self._of_line, self._scalar, limits.memo_entries)
        self.one_by_one = bool(
            self._ungated
            or self.literals.reach
            or self._whole
            or self._whole_cased
            or self._beyond_text
            or SEPARATOR in all_inside
        )
        """Whether keywords must be looked for in each value by itself."""
        self.unsure = bool(self._unsure)
        """Whether a literal that was not found may say nothing of values outside ASCII."""
        self._looks_further = bool(self._whole_cased or self._ungated)
        self._by_hits: dict[frozenset[int], tuple[tuple[int, ...], list[tuple[int, Decider]]]] = {}
        self._looks_at_ends = bool(self.literals.reach or self._whole or self._whole_cased)
        self._reach = max(self.literals.reach, *map(len, self._whole), 0) + 1
        """More characters than any whole value, beginning or ending that is looked for."""

    def decide(self, value: object) -> tuple[int, ...]:
        """Return the numbers of the tests that hold for ``value``, a list's elements joined."""
        if value is None:
            return self.absent
        if isinstance(value, list | tuple):
            return tuple(
                sorted(
                    {*self._present, *(i for item in value if item is not None for i in self.decide(item))}
                )
            )
        if isinstance(value, dict):
            return self._present
        ids = self._decide_text(value if value.__class__ is str else text(value))
        return self._with_converted(value, ids) if self._beyond_text else ids

    def decide_found(self, value: str, folded: str, hits: Collection[int]) -> tuple[int, ...]:
        """Do the same for a text in which somebody has found these literals."""
        ids = self._of_found(value, folded, hits)
        return self._with_converted(value, ids) if self._beyond_text else ids

    def _with_converted(self, value: object, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Add what looks at a value as a number, an address or a time."""
        found = set(ids)
        if self._wants_number:
            self._decide_number(number(value), found)
        if self._networks and (ip := address(value)) is not None:
            bits, version = int(ip), ip.version
            found.update(
                i for i, wanted, base, mask in self._networks if version == wanted and bits & mask == base
            )
        found.update(i for i, test in self._plain if holds(test, value))
        return tuple(sorted(found))

    @property
    def keyword_literals(self) -> Iterator[tuple[int, str]]:
        """The literals that keywords look for, or wait for, each with its number."""
        return ((number, self.literals.texts[number]) for number in self.literals.inside)

    def decide_any(self, words: EventWords, hits: Collection[int] | None = None) -> tuple[int, ...]:
        """Return the ids of the keywords that hold for any scalar of an event: one search for all of them.

        ``hits`` are the numbers of the literals that occur, where somebody has searched already.
        """
        # Outside ASCII, an expression may match what its literal does not tell.
        apart = self.one_by_one or (self.unsure and not words.plain)
        if apart or not words.values:
            return self.decide(words.values)
        if hits is None:
            hits = self.literals.find_inside(words.folded)
        if not hits:
            return self._scalar
        found = set(self._scalar)
        for hit in hits:
            found.update(self.literals.ids[hit])
            for i, decide, _ in self._gated.get(hit, ()):
                if i not in found and any(decide(value, value.lower()) for value in map(text, words.values)):
                    found.add(i)
        return tuple(sorted(found))

    def of_hits(self, hits: Collection[int]) -> tuple[int, ...] | None:
        """Return the ids of the keywords that hold where these literals occur; None where more decides."""
        if not self._gated.keys().isdisjoint(hits):
            return None
        return tuple(sorted({*self._scalar, *(i for hit in hits for i in self.literals.ids[hit])}))

    def _decide_text(self, value: str) -> tuple[int, ...]:
        if len(value) > LONG and self._by_line and "\n" in value and value.isascii():
            return self._decide_lines(value)
        folded = value.lower()
        return self._of_found(value, folded, self.literals.find(folded) if self.literals.texts else ())

    def _of_found(self, value: str, folded: str, hits: Collection[int]) -> tuple[int, ...]:
        if self._looks_further or folded in self._whole or (self._unsure and not value.isascii()):
            return self._of_all(value, folded, hits)
        # What was found decides everything but deciders: few sets of literals are ever found together.
        if not hits:
            return self._scalar
        key = frozenset(hits)
        known = self._by_hits.get(key)
        if known is None:
            if len(self._by_hits) >= _MOST_BY_HITS:
                self._by_hits.clear()
            ids = tuple(sorted({*self._scalar, *(i for hit in hits for i in self.literals.ids[hit])}))
            waiting = [(i, decide) for hit in hits for i, decide, _ in self._gated.get(hit, ())]
            known = self._by_hits[key] = ids, waiting
        ids, waiting = known
        more = [i for i, decide in waiting if decide(value, folded)] if waiting else None
        return tuple(sorted({*ids, *more})) if more else ids

    def _of_all(self, value: str, folded: str, hits: Collection[int]) -> tuple[int, ...]:
        found = {*self._scalar, *self._whole.get(folded, ()), *self._whole_cased.get(value, ())}
        for hit in hits:
            found.update(self.literals.ids[hit])
            for i, decide, _ in self._gated.get(hit, ()):
                if decide(value, folded):
                    found.add(i)
        for i, decide in self._ungated:
            if decide(value, folded):
                found.add(i)
        if self._unsure and not value.isascii():
            for literal, i, decide in self._unsure:
                if literal not in hits and decide(value, folded):
                    found.add(i)
        return tuple(sorted(found))

    def told_by(self) -> tuple[Collection[str], bool, Collection[int]] | None:
        """Return what tells whether the literals in a text decide everything; None where they never do.

        Returns:
            Folded texts that are looked for as a whole, whether a text must be ASCII, and the numbers of the
            literals that more depends on.
        """
        if self._looks_further or self._beyond_text:
            return None
        return self._whole.keys(), self.unsure, self._gated.keys()

    def _of_line(self, line: str) -> Answer:
        """Return what one line decides."""
        folded = line.lower()
        ids: set[int] = set()
        gates: list[int] = []
        for hit in self.literals.find_inside(folded):
            ids.update(self.literals.ids[hit])
            waiting = self._gated.get(hit, ())
            ids.update(i for i, decide, _ in waiting if decide.by_line and decide(line, folded))
            if not all(decide.by_line for _, decide, _ in waiting):
                gates.append(hit)
        ids.update(i for i, decide in self._ungated if decide.by_line and decide(line, folded))
        words = frozenset(word for word in self._words_of_texts if word in folded)
        if not (ids or gates or words):
            return NO_ANSWER
        return Answer(tuple(sorted(ids)), tuple(sorted(gates)), words)

    @cached_property
    def _words_of_texts(self) -> frozenset[str]:
        """Words required by what must look at whole texts."""
        waiting = [decide for some in self._gated.values() for _, decide, _ in some if not decide.by_line]
        return frozenset().union(*(decide.words for decide in waiting))

    def still_open(self, answer: Answer) -> list[tuple[int, Decider]]:
        """Return what must look at a whole text besides what its lines decide, with the tests' numbers."""
        return [
            (i, decide)
            for gate in answer.gates
            for i, decide, _ in self._gated[gate]
            if not decide.by_line and decide.words <= answer.words
        ]

    def lines_tell(self) -> bool:
        """Return whether the lines tell all of a long ASCII text that no decider must look at."""
        ends = self.literals.texts[: self.literals.inside.start]
        wholes = (*self._whole, *self._whole_cased)
        return (
            self._by_line
            and not self._beyond_text
            and all(decide.by_line for _, decide in self._ungated)
            and not any("\n" in text for text in ends)
            and all(len(text) <= LONG for text in wholes)
        )

    def of_line(self, line: str, *, first: bool = False, last: bool = False) -> Answer:
        """Return what one line decides; ``first`` and ``last`` say that the text begins or ends with it."""
        answer = self._of_line(line)
        if not (self._looks_at_ends and (first or last)):
            return answer
        reach = self._reach
        head, tail = line[:reach].lower() if first else "", line[-reach:].lower() if last else ""
        hits = self.literals.find_at_ends(head, tail)
        ids = {*answer.ids, *(i for hit in hits for i in self.literals.ids[hit])}
        return answer._replace(ids=tuple(sorted(ids)))

    @cached_property
    def ruler(self) -> Callable[[str], Iterator[int]] | None:
        """What gives a place in each of several folded lines that may decide something, unless it is blank.

        None where every line may. No place is given for lines that decide nothing.
        """
        if self._ungated:
            return None
        texts = self.literals.texts
        sought = {*(texts[number] for number in self.literals.inside), *self._words_of_texts}
        if not sought:
            return lambda _folded: iter(())
        if "" in sought:
            return None
        from ahocorasick_rs import AhoCorasick

        matches = AhoCorasick(sorted(sought)).find_matches_as_indexes
        return lambda folded: (start for _, start, _ in matches(folded))

    def place_counts(self, line: str) -> bool:
        """Return whether what is before and behind a line may count."""
        folded = line.lower()
        return not folded.strip() or any(
            all(word in folded for word in words) for words in self._segments_of_texts
        )

    @cached_property
    def _segments_of_texts(self) -> list[frozenset[str]]:
        waiting = [decide for some in self._gated.values() for _, decide, _ in some if not decide.by_line]
        return [words for decide in waiting for words in decide.segments]

    @property
    def looks_at_ends(self) -> bool:
        """Whether a beginning or an end is looked for."""
        return bool(self.literals.reach)

    def decide_by_lines(self, value: str) -> tuple[int, ...] | None:
        """Return what ``decide`` does for a long text; None where lines and deciders do not tell it all."""
        if self._beyond_text or not (self._by_line and value.isascii()):
            return None
        return self._decide_lines(value)

    def _decide_lines(self, value: str) -> tuple[int, ...]:
        """Decide a long ASCII value by its lines; it is folded as a whole only where that is asked for."""
        answer = self._texts.decide(value)
        ids = answer.ids
        deciders = self.still_open(answer) if answer.gates else []
        if self._ungated:
            deciders += [one for one in self._ungated if not one[1].by_line]
        if not (deciders or self._looks_at_ends):
            return ids
        found = set(ids)
        reach = self._reach
        whole = value.lower() if len(value) <= reach else None
        if self._looks_at_ends:
            hits = self.literals.find_at_ends(value[:reach].lower(), value[-reach:].lower())
            found.update(i for hit in hits for i in self.literals.ids[hit])
            found.update(self._whole.get(whole, ()) if whole is not None else ())
            found.update(self._whole_cased.get(value, ()))
        for i, decide in deciders:
            if whole is None and decide.folds:
                whole = value.lower()
            if decide(value, whole or ""):
                found.add(i)
        return tuple(sorted(found))

    def _decide_number(self, value: float | None, found: set[int]) -> None:
        if value is None:
            return
        if (ids := self._numbers.get(value)) is not None:
            found.update(ids)
        found.update(i for i, operator, limit in self._ordered if compare(operator, value, limit))


class FieldMemo(Memo):
    """Value to the number of its class: the set of tests that hold for it. Class 0 is "none holds"."""

    __slots__ = ("_arranged", "_limits", "_tests")

    def __init__(self, arranged: dict[str, Any] | FieldTests, limits: Limits) -> None:
        """Start empty, with an arrangement or the tests made of one; ``limits`` bound what is remembered."""
        super().__init__(limits)
        self._arranged = {} if isinstance(arranged, FieldTests) else arranged
        self._limits = limits
        self._tests = arranged if isinstance(arranged, FieldTests) else None

    @property
    def tests(self) -> FieldTests:
        """The tests of the field, made for the first value: most fields of most tables never see one."""
        if self._tests is None:
            self._tests = FieldTests(self._arranged, self._limits)
        return self._tests

    def of_text(self, value: Any) -> int:
        """Return the class of a value of a field that holds texts: a long one is not remembered whole."""
        if value.__class__ is str and LONG < len(value) <= self.value_chars:
            found = self.tests.decide_by_lines(value)
            return self.classify(value) if found is None else self.number(found)
        return self[value]

    def of_gathered(self, value: list[Any] | None) -> int:
        """Return the class of a list that was gathered, out of what is remembered of its elements."""
        if value is None or len(value) == 1:
            return self[value if value is None else value[0]]
        return self.number(tuple(sorted({i for item in value for i in self.classes[self[item]]})))

    def of_list(self, value: list[Any]) -> int:
        """Return the class of a list: of texts, out of what is remembered of them."""
        if not value or any(item.__class__ is not str for item in value):
            return self.classify(value)
        return self.number(tuple(sorted({i for item in value for i in self.classes[self[item]]})))

    def classify(self, value: Any) -> int:
        """Return the class of any value, lists and objects too, remembering nothing but the class."""
        if value.__class__ is str and len(value) > self.value_chars:
            value = value[: self.value_chars]
            cuts["values"] += 1
        return self.number(self.tests.decide(value))

    def found(self, value: str, folded: str, hits: Collection[int]) -> int:
        """Return the class of a text in which these literals, by their number, were found."""
        return self.number(self.tests.decide_found(value, folded, hits))
