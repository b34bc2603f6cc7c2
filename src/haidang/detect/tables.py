"""A table: the rules of one group, decided together by what their tests say of an event's values.

Matching is a tuple of memo look-ups, one for each field (the *signature*), and one look-up of the
signature. A signature not seen before evaluates the rules of which an anchor holds. A table knows the
rules' own field names only; how an event has them is its routes' business, so that all routes that serve
the same rules (Sysmon 1 and Security 4688) share one table and what it remembers.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from haidang.detect.naive import satisfied
from haidang.detect.semantics import holds
from haidang.detect.values import FieldMemo, FieldTests
from haidang.sigma.ir import Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.detect.arranging import Arranged
    from haidang.detect.joint import Joint
    from haidang.detect.words import EventWords
    from haidang.limits import Limits
    from haidang.sigma.ir import Condition

__all__ = ["INDICATOR", "NOTHING", "Held", "KeywordSets", "Signatures", "Table"]

INDICATOR = "indicator"
"""Kind of the tests that are the reasons of an indicator's finding; their value is a row of the index."""

_MOST_REASONS = 5000
"""Reasons for findings that a table remembers."""


class Held(tuple[int, ...]):  # noqa: SLOT001 - the slots of a tuple's subclass can hold nothing
    """Indices of the rules that hold for an event, sorted, and why they do."""

    why: tuple[tuple[Table, tuple[int, ...]], ...] = ()
    """The tables in which a rule holds, each with the signature of the event there."""

    @property
    def settled(self) -> bool:
        """Whether the reasons are the same for every event of which the same tables say this."""
        return all(
            table.settles(signature, index)
            for table, signature in self.why
            for index in table.signatures[signature]
        )

    @classmethod
    def merged(cls, answers: Iterable[Held]) -> Held:
        """Join the answers of several tables; nearly always all are empty."""
        held = [answer for answer in answers if answer]
        if len(held) < 2:
            return held[0] if held else NOTHING
        found = cls(sorted({index for answer in held for index in answer}))
        found.why = tuple(why for answer in held for why in answer.why)
        return found


NOTHING = Held()


class KeywordSets:
    """What decides keywords, once for all tables of a matcher: rules on all Windows events bring the same."""

    def __init__(self) -> None:
        """Start empty."""
        self._known: dict[tuple[Test, ...], FieldTests] = {}

    def tests(self, keywords: tuple[Test, ...], limits: Limits) -> FieldTests:
        """Return what decides some keywords, numbered by their places."""
        from haidang.detect.arranging import arrange_field

        if keywords not in self._known:
            self._known[keywords] = FieldTests(arrange_field(enumerate(keywords)), limits)
        return self._known[keywords]


class Signatures(dict[tuple[int, ...], Held]):
    """Signature to the rules that hold, decided on first sight; bounded."""

    __slots__ = ("_decide", "_limit")

    def __init__(self, decide: Callable[[tuple[int, ...]], Held], limit: int) -> None:
        """Ask ``decide`` for what is not remembered; remember at most ``limit``."""
        super().__init__()
        self._decide = decide
        self._limit = limit

    def __missing__(self, signature: tuple[int, ...]) -> Held:
        """Decide a signature and remember it."""
        if len(self) >= self._limit:
            self.clear()
        found = self[signature] = self._decide(signature)
        return found


class Table:
    """Arranged rules with memos; ``indices`` are the rules' places in the ruleset."""

    looks_at_events = False
    """Whether ``signature`` looks at more of an event than its fields and keywords."""

    def __init__(
        self,
        arranged: Arranged,
        indices: Sequence[int],
        limits: Limits,
        written: Callable[[int], Condition],
        fixed: frozenset[str] = frozenset(),
        keyword_sets: KeywordSets | None = None,
    ) -> None:
        """Make the memos; automata and expressions are compiled when values come.

        ``written`` gives a condition as it was before it was arranged, by its position; only whoever asks for
        reasons needs it. ``fixed`` are fields that have the same value in every event that comes here: what
        is asked of them was decided when the table was made. ``keyword_sets`` is shared with other tables.
        """
        self.limits = limits
        """What bounds what is remembered."""
        self._indices = indices
        self._written = written
        self._fixed = fixed
        self._places: dict[int, int] = {}
        self._reasons: dict[tuple[tuple[int, ...], int], tuple[Test, ...]] = {}
        self._conditions: list[Condition] = arranged["conditions"]
        self._anchors: dict[int, list[int]] = arranged["anchors"]
        self._always: list[int] = arranged["always"]
        self.fields: tuple[str, ...] = tuple(arranged["fields"])
        """Fields of the rules, in the order of the signature."""
        self.memos = tuple(FieldMemo(field, limits) for field in arranged["fields"].values())
        self.keywords: tuple[tuple[int, Test], ...] = tuple(
            (i, Test(*test)) for i, test in arranged["keywords"]
        )
        self.pairs: tuple[tuple[int, Test], ...] = tuple((i, Test(*test)) for i, test in arranged["pairs"])
        self.keyword_memo = self._make_keyword_memo(KeywordSets() if keyword_sets is None else keyword_sets)
        """What keywords decide, where there are any; its classes are those of whole events.

        They hold places in ``keywords``, not numbers of tests: other tables share what is looked for.
        """
        self.signatures = Signatures(self._decide, limits.memo_entries)
        self.joints: WeakSet[Joint] = WeakSet()
        """Where classes of this table are remembered together with those of others."""
        self.idle = not (self._anchors or self._always)
        """Whether no rule here can ever hold."""

    def _make_keyword_memo(self, keyword_sets: KeywordSets) -> FieldMemo | None:
        if not self.keywords:
            return None
        return FieldMemo(
            keyword_sets.tests(tuple(test for _, test in self.keywords), self.limits), self.limits
        )

    def signature(
        self, values: Sequence[Any], pairs: Sequence[tuple[Any, Any]], words: EventWords
    ) -> tuple[int, ...]:
        """Return which tests hold, as the key of ``signatures``.

        Args:
            values: One value for each of ``fields``.
            pairs: Both values of each of ``pairs``.
            words: What keywords look at.
        """
        signature = [
            memo.classify(value) if isinstance(value, list | dict | tuple) else memo[value]
            for memo, value in zip(self.memos, values, strict=True)
        ]
        if self.keyword_memo is not None:
            signature.append(self.keyword_class(words))
        signature.extend(int(holds(test, *both)) for (_, test), both in zip(self.pairs, pairs, strict=True))
        return tuple(signature)

    def keyword_class(self, words: EventWords) -> int:
        """Return what of a signature tells which keywords hold; 0 where none does."""
        memo = self.keyword_memo
        return 0 if memo is None else memo.number(memo.tests.decide_any(words))

    def reasons(
        self, signature: tuple[int, ...], index: int, whole: Condition, decided: Callable[[Test], bool]
    ) -> tuple[Test, ...]:
        """Return the tests that made a rule hold, in the order of its condition, each once.

        The answer is mostly the same for all events of a signature; then it is remembered.

        Args:
            signature: Of an event for which the rule holds.
            index: The rule's place in the ruleset.
            whole: Its condition as written.
            decided: Whether a test holds for the event that is not in the table: it was decided when the
                table was made, or what decides it was.
        """
        key = (signature, index)
        known = self._reasons.get(key)
        if known is None:
            known, same = self._reason(signature, index, whole, decided)
            if same:
                if len(self._reasons) >= _MOST_REASONS:
                    self._reasons.clear()
                self._reasons[key] = known
        return known

    def settles(self, signature: tuple[int, ...], index: int) -> bool:
        """Return whether the reasons of a rule, asked for before, are the same for all of a signature."""
        return (signature, index) in self._reasons

    def _reason(
        self, signature: tuple[int, ...], index: int, whole: Condition, decided: Callable[[Test], bool]
    ) -> tuple[tuple[Test, ...], bool]:
        """Return the tests, and whether they are the same for all events of the signature."""
        if not self._places:
            self._places = {one: at for at, one in enumerate(self._indices)}
        at = self._places[index]
        true = set(self._true(signature))
        numbers = dict(_numbers(self._written(at), self._conditions[at]))
        same = True

        def held(test: Test) -> bool:
            nonlocal same
            number = numbers.get(test)
            if number is not None:
                return number in true
            same = same and test.field in self._fixed and test.kind != "fieldref"
            return decided(test)

        return tuple(satisfied(whole, held)), same

    def _true(self, signature: tuple[int, ...]) -> Iterator[int]:
        """Yield the numbers of the tests that a signature says hold."""
        for memo, number in zip(self.memos, signature, strict=False):
            yield from memo.classes[number]
        at = len(self.memos)
        if self.keyword_memo is not None:
            yield from (self.keywords[place][0] for place in self.keyword_memo.classes[signature[at]])
            at += 1
        for (i, _), held in zip(self.pairs, signature[at:], strict=True):
            if held:
                yield i

    def _decide(self, signature: tuple[int, ...]) -> Held:
        true = set(self._true(signature))
        candidates = set(self._always)
        for i in true:
            candidates.update(self._anchors.get(i, ()))
        conditions = self._conditions
        holding = [self._indices[at] for at in candidates if _evaluate(conditions[at], true)]
        if not holding:
            return NOTHING
        found = Held(sorted(holding))
        found.why = ((self, signature),)
        return found

    @property
    def indices(self) -> Sequence[int]:
        """The rules' places in the ruleset."""
        return self._indices

    def candidates(
        self, signature: tuple[int, ...]
    ) -> dict[int, tuple[tuple[Test, ...], Callable[[], bool]]]:
        """Return the rules that are looked at for a signature, by index: the anchors that hold, the decision.

        What matching does in one go, taken apart for whoever measures it.
        """
        true = set(self._true(signature))
        found: dict[int, list[int]] = {at: [] for at in self._always}
        for number in true:
            for at in self._anchors.get(number, ()):
                found.setdefault(at, []).append(number)
        return {
            self._indices[at]: (
                tuple(self._tests[number] for number in anchors if number in self._tests),
                partial(_evaluate, self._conditions[at], true),
            )
            for at, anchors in found.items()
        }

    @cached_property
    def _tests(self) -> dict[int, Test]:
        """The tests by their numbers."""
        return {
            number: test
            for at, numbered in enumerate(self._conditions)
            for test, number in _numbers(self._written(at), numbered)
        }

    def trim(self) -> bool:
        """Forget everything remembered when hostile values have made too many classes of it; say whether."""
        memos = self.memos if self.keyword_memo is None else (*self.memos, self.keyword_memo)
        if all(len(memo.classes) <= self.limits.memo_entries for memo in memos):
            return any([joint.trim() for joint in self.joints])  # noqa: C419 - each of them is trimmed
        for joint in self.joints:
            joint.forget()
        for memo in memos:
            memo.forget()
        self.signatures.clear()
        self._reasons.clear()
        return True


def _numbers(written: Condition, numbered: Condition) -> Iterator[tuple[Test, int]]:
    """Yield the tests of a condition with the numbers that its arranged form has in their place."""
    if written[0] == "is":
        yield Test(*written[1]), numbered[1]
    elif written[0] in {"and", "or", "not"}:
        for pair in zip(written[1:], numbered[1:], strict=True):
            yield from _numbers(*pair)


def _evaluate(condition: Condition, true: set[int]) -> bool:
    kind = condition[0]
    if kind == "is":
        return condition[1] in true
    if kind in {"and", "or"}:
        decides = kind == "or"
        for part in condition[1:]:
            held = part[1] in true if part[0] == "is" else _evaluate(part, true)
            if held is decides:
                return decides
        return not decides
    return not _evaluate(condition[1], true) if kind == "not" else kind == "true"
