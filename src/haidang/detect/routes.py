"""A route: the tables that events of one kind meet, and how those events name the rules' fields.

A route is what the events of an origin with the same routing values (for Windows: Channel and EventID)
share. Groups whose rules never look at a routing field use the group's table as it is. Of the others, the
rules that the routing values rule out are dropped, their tests on routing fields are decided once, and
what is left makes a table of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.detect.arranging import accepted_values, arrange_rules, folded_value, rule_keywords
from haidang.detect.naive import evaluate_test
from haidang.detect.semantics import holds
from haidang.detect.tables import Held, Table
from haidang.detect.words import EventWords
from haidang.sigma.ir import Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from haidang.detect.arranging import Arranged
    from haidang.detect.binding import Accessor, Binding
    from haidang.events.model import Fields
    from haidang.limits import Limits
    from haidang.sigma.ir import Condition, EventRule

__all__ = ["Group", "Part", "Route"]

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

    def match(self, event: Fields, words: EventWords) -> Held:
        """Return the rules that hold for a decoded event."""
        values = [accessor.get(event) for accessor in self.accessors]
        pairs = [(first.get(event), second.get(event)) for first, second in self.pairs]
        return self.table.signatures[self.table.signature(values, pairs, words)]


class Route:
    """The parts that events of one kind meet."""

    def __init__(self, parts: Iterable[Part]) -> None:
        """Keep the parts in which a rule can hold."""
        self.parts = tuple(part for part in parts if not part.table.idle)
        self.idle = not self.parts

    def match(self, event: Fields) -> Held:
        """Return the rules that hold for a decoded event."""
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


class Group:
    """The active rules of one logsource, with the tables made of them."""

    def __init__(
        self,
        rules: Callable[[], Sequence[tuple[int, EventRule]]],
        arranged: Callable[[], Arranged] | None,
        limits: Limits,
        keywords: Sequence[Sequence[tuple[Any, ...]]] | None = None,
    ) -> None:
        """Take the rules (index, rule) and, where they are at hand, their arrangement and keywords."""
        self._rules = rules
        self._keywords = keywords
        self._arranged = arranged
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
        table = self._whole()
        routed = {name for name in table.fields if binding.accessor(name).plain_name in constants}
        if not routed and not guard:
            return Part.of(table, binding)
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
            rules = self._rules()
            arranged = (
                arrange_rules([rule.condition for _, rule in rules])
                if self._arranged is None
                else self._arranged()
            )
            indices = [index for index, _ in rules]
            self._table = Table(arranged, indices, self._limits, lambda at: rules[at][1].condition)
        return self._table

    def _folded(
        self, binding: Binding, guard: Sequence[Condition], constants: Mapping[str, Any], routed: set[str]
    ) -> Table:
        decided = {name: constants[binding.accessor(name).plain_name] for name in routed}
        rules = self._rules()
        positions: Iterable[int] = range(len(rules))
        for name, value in decided.items():
            if not isinstance(value, list):
                chosen = self._possible(name, folded_value(value))
                positions = sorted(chosen.intersection(positions))
        indices: list[int] = []
        conditions: list[Condition] = []
        for at in positions:
            condition = fold(rules[at][1].condition, decided)
            if condition != FALSE:
                indices.append(rules[at][0])
                conditions.append(_join("and", [*guard, condition]))
        return Table(
            arrange_rules(conditions), indices, self._limits, conditions.__getitem__, frozenset(decided)
        )

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
        if self._keywords is not None:
            return [tuple(Test(*test) for test in tests) for tests in self._keywords]
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
