"""A route: the tables that events of one kind meet, and how those events name the rules' fields.

A route is what the events of an origin with the same routing values (for Windows: Channel and EventID)
share. Groups whose rules never look at a routing field use the group's table as it is. Of the others, the
rules that the routing values rule out are dropped, their tests on routing fields are decided once, and
what is left makes a table of its own.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from haidang.detect.arranging import accepted_values, arrange_rules, folded_value, rule_keywords
from haidang.detect.decoded import generate
from haidang.detect.joint import Joint
from haidang.detect.naive import evaluate_test
from haidang.detect.semantics import holds
from haidang.detect.tables import NOTHING, Held, Table
from haidang.detect.words import EventWords
from haidang.sigma.ir import Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from haidang.detect.arranging import Arranged
    from haidang.detect.binding import Accessor, Binding
    from haidang.detect.tables import KeywordSets
    from haidang.events.model import Fields
    from haidang.limits import Limits
    from haidang.sigma.ir import Condition, EventRule

__all__ = ["PATIENCE", "Fold", "Folds", "Group", "Kept", "Part", "Route"]

PATIENCE = 16
"""Writing a function takes as long as matching so many events plainly, and many routes see fewer."""

TRUE: Condition = ("true",)
FALSE: Condition = ("false",)


class Part(NamedTuple):
    """One table of a route, and where its fields are in the route's events."""

    table: Table
    binding: Binding
    """How the route's events name the rules' fields."""
    accessors: tuple[Accessor, ...]
    """One for each of the table's fields."""
    pairs: tuple[tuple[Accessor, Accessor], ...]
    """Both fields of each of the table's pairs."""

    @property
    def looked_at(self) -> tuple[Accessor, ...]:
        """Everything that is asked of an event."""
        return (*self.accessors, *(accessor for pair in self.pairs for accessor in pair))

    @classmethod
    def of(cls, table: Table, binding: Binding) -> Part:
        """Bind a table to the names of one logsource entry."""
        return cls(
            table,
            binding,
            tuple(binding.accessor(name) for name in table.fields),
            tuple(
                (binding.accessor(str(test.field)), binding.accessor(test.value[0]))
                for _, test in table.pairs
            ),
        )

    @property
    def keywords_alone(self) -> bool:
        """Whether no rule can hold where no keyword is found."""
        table = self.table
        alone = bool(table.keywords) and not table.fields and not table.pairs
        return alone and not table.signatures[(0,)]

    def match(self, event: Fields, words: EventWords) -> Held:
        """Return the rules that hold for a decoded event."""
        values = [accessor.get(event) for accessor in self.accessors]
        pairs = [(first.get(event), second.get(event)) for first, second in self.pairs]
        return self.table.signatures[self.table.signature(values, pairs, words)]


class Route:
    """The parts that events of one kind meet."""

    def __init__(self, parts: Iterable[Part], patience: int = PATIENCE) -> None:
        """Keep the parts in which a rule can hold.

        ``patience`` is how many events are matched plainly before a function is written for the others.
        """
        self.parts = tuple(part for part in parts if not part.table.idle)
        self.idle = not self.parts
        self.match: Callable[[Fields], Held] = self._first if patience and self.parts else self._write()
        """Returns the rules that hold for a decoded event."""
        self._left = patience

    @cached_property
    def joint(self) -> Joint | None:
        """The parts that are looked up together, None where there are no two of them."""
        parts = [part for part in self.parts if type(part.table) is Table and not part.keywords_alone]
        return Joint(parts, parts[0].table.limits) if len(parts) > 1 else None

    def _write(self) -> Callable[[Fields], Held]:
        return generate(self.parts, self.joint) if self.parts else _nothing

    def _first(self, event: Fields) -> Held:
        """Match one of the first events; the function for all others is written for the next one."""
        self._left -= 1
        if not self._left:
            self.match = self._write()
        return self.match_plainly(event)

    def match_plainly(self, event: Fields) -> Held:
        """Return the rules that hold for a decoded event, table by table, field by field."""
        words = EventWords(event)
        return Held.merged([part.match(event, words) for part in self.parts])

    def reasons(
        self, held: Held, event: Fields, condition: Callable[[int], Condition]
    ) -> dict[int, tuple[Binding, tuple[Test, ...]]]:
        """Return for each rule that holds how it names the event's fields, and the tests that made it hold.

        Args:
            held: What this route said of the event.
            event: The event, decoded.
            condition: Gives the condition of a rule, as written, by its index.
        """
        found: dict[int, tuple[Binding, tuple[Test, ...]]] = {}
        for part in self.parts:
            get = partial(part.binding.get, event)
            decided = partial(evaluate_test, get=get, event=event)
            for signature in (signature for table, signature in held.why if table is part.table):
                for index in part.table.signatures[signature]:
                    if index not in found:
                        tests = part.table.reasons(signature, index, condition(index), decided)
                        found[index] = part.binding, tests
        return found


def _nothing(event: Fields) -> Held:  # noqa: ARG001 - of an event that no rule looks at
    return NOTHING


class Fold(NamedTuple):
    """What is left of a group's rules where routing values decide some of their tests."""

    positions: Sequence[int]
    """Of the rules that may hold."""
    conditions: Sequence[Condition]
    """What is left of their conditions."""
    arranged: Arranged
    """The arrangement of these."""


class Folds(Protocol):
    """Remembers folds over runs."""

    def get(self, key: str) -> Fold | None:
        """Return what was made before."""
        ...

    def put(self, key: str, fold: Fold) -> None:
        """Remember what was made."""
        ...


class Kept(NamedTuple):
    """What is at hand of a group's rules, so that most of them need not be decoded."""

    indices: Sequence[int]
    fields: Sequence[str]
    keywords: Sequence[Sequence[tuple[Any, ...]]]
    arranged: Callable[[], Arranged]
    folds: Folds


class Group:
    """The active rules of one logsource, with the tables made of them."""

    def __init__(
        self,
        rules: Callable[[], Sequence[tuple[int, EventRule]]],
        kept: Kept | None,
        limits: Limits,
        keyword_sets: KeywordSets | None = None,
    ) -> None:
        """Take the rules (index, rule), and what is at hand of them; ``keyword_sets`` is the matcher's."""
        self._keyword_sets = keyword_sets
        self._rules = rules
        self._kept = kept
        self._limits = limits
        self._table: Table | None = None
        self._known: dict[Any, Table] = {}
        self._by_value: dict[str, tuple[dict[str, list[int]], list[int]]] = {}

    def part(self, binding: Binding, guard: Sequence[Condition], constants: Mapping[str, Any]) -> Part:
        """Return the part of this group in a route.

        Args:
            binding: How the route's events name the rules' fields.
            guard: What an event must satisfy besides, on fields named ``=name`` (the event's own names).
            constants: The routing fields of the route's events with their values.
        """
        fields = self._whole().fields if self._kept is None else self._kept.fields
        routed = {name for name in fields if binding.accessor(name).plain_name in constants}
        if not routed and not guard:
            return Part.of(self._whole(), binding)
        key = (
            tuple(sorted((name, repr(value)) for name, value in constants.items())) if routed else (),
            tuple(guard),
        )
        folded = self._known.get(key)
        if folded is None:
            folded = self._known[key] = self._folded(binding, guard, constants, routed)
        return Part.of(folded, binding)

    def _whole(self) -> Table:
        if self._table is None:
            rules = self._rules
            if self._kept is None:
                arranged = arrange_rules([rule.condition for _, rule in rules()])
                indices: Sequence[int] = [index for index, _ in rules()]
            else:
                arranged, indices = self._kept.arranged(), self._kept.indices
            self._table = Table(
                arranged,
                indices,
                self._limits,
                lambda at: rules()[at][1].condition,
                keyword_sets=self._keyword_sets,
            )
        return self._table

    def _folded(
        self, binding: Binding, guard: Sequence[Condition], constants: Mapping[str, Any], routed: set[str]
    ) -> Table:
        decided = {name: constants[binding.accessor(name).plain_name] for name in routed}
        # Nothing but this and the rules themselves goes into a fold.
        key = repr((sorted((name, repr(value)) for name, value in decided.items()), list(guard)))
        fold = None if self._kept is None else self._kept.folds.get(key)
        if fold is None:
            fold = self._fold(decided, guard)
            if self._kept is not None:
                self._kept.folds.put(key, fold)
        if self._kept is None:
            rules = self._rules()
            indices = [rules[at][0] for at in fold.positions]
        else:
            indices = [self._kept.indices[at] for at in fold.positions]
        written = fold.conditions.__getitem__
        return Table(
            fold.arranged, indices, self._limits, written, frozenset(decided), keyword_sets=self._keyword_sets
        )

    def _fold(self, decided: Mapping[str, Any], guard: Sequence[Condition]) -> Fold:
        rules = self._rules()
        positions: Iterable[int] = range(len(rules))
        for name, value in decided.items():
            if not isinstance(value, list):
                chosen = self._possible(name, folded_value(value))
                positions = sorted(chosen.intersection(positions))
        kept: list[int] = []
        conditions: list[Condition] = []
        for at in positions:
            condition = fold(rules[at][1].condition, decided)
            if condition != FALSE:
                kept.append(at)
                conditions.append(_join("and", [*guard, condition]))
        return Fold(kept, conditions, arrange_rules(conditions))

    def _possible(self, name: str, value: str) -> set[int]:
        """Return the positions of the rules that may hold when the field ``name`` has that value."""
        if name not in self._by_value:
            by_value: dict[str, list[int]] = {}
            anything: list[int] = []
            for at, (_, rule) in enumerate(self._rules()):
                accepted = accepted_values(rule.condition, name)
                if accepted is None:
                    anything.append(at)
                for one in accepted or ():
                    by_value.setdefault(one, []).append(at)
            self._by_value[name] = (by_value, anything)
        by_value, anything = self._by_value[name]
        return {*anything, *by_value.get(value, ())}

    def keywords(self) -> list[tuple[Test, ...]]:
        """Return the keywords of each rule that has any, as they are tested on one value."""
        if self._kept is not None:
            return [tuple(Test(*test) for test in tests) for tests in self._kept.keywords]
        return rule_keywords(rule.condition for _, rule in self._rules())

    def trim(self) -> bool:
        """Bound what the tables remember; return whether one forgot what its signatures mean."""
        tables = [*self._known.values(), *([] if self._table is None else [self._table])]
        return any([table.trim() for table in tables])  # noqa: C419 - each of them is trimmed


def fold(condition: Condition, decided: Mapping[str, Any]) -> Condition:
    """Decide the tests on fields whose value is known; return what is left."""
    kind = condition[0]
    if kind == "is":
        test = Test(*condition[1])
        if test.field in decided and test.kind != "fieldref":
            return TRUE if holds(test, decided[str(test.field)]) else FALSE
        return condition
    if kind == "not":
        part = fold(condition[1], decided)
        return {TRUE: FALSE, FALSE: TRUE}.get(part, ("not", part))
    if kind in {"and", "or"}:
        return _join(kind, [fold(part, decided) for part in condition[1:]])
    return condition


def _join(kind: str, parts: Sequence[Condition]) -> Condition:
    decides, neutral = (FALSE, TRUE) if kind == "and" else (TRUE, FALSE)
    if decides in parts:
        return decides
    left = tuple(part for part in parts if part != neutral)
    if not left:
        return neutral
    return left[0] if len(left) == 1 else (kind, *left)
