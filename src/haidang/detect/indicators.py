"""Indicators in the matcher: one more part of each route, decided in the same pass as the rules.

- The part of a route is an :class:`IndicatorTable`: one memo look-up for each field that can hold what
  indicators speak of, one look-up of the signature. Lanes take it as they take a table of rules.
- :class:`ObservedMemo` remembers for each value of such a field its class: the rows of the indicators that
  it meets. Nearly all values meet none, which is class 0. Fields that hold the same kind of thing share one
  memo, whatever their log.
- Events of which no file says what their fields hold meet a :class:`ScatteredTable`, which walks the event
  along the names that schemas and products use.
- STIX patterns are rules whose fields are facets (:mod:`haidang.intel.observed`); a facet's value is what all
  its fields hold (:class:`Gathered`).

Times are not looked at here: whoever makes evidence knows the time of the event, and whether an indicator
counted then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from haidang.detect.arranging import arrange_rules
from haidang.detect.binding import Binding, Gathered
from haidang.detect.facets import spellings
from haidang.detect.routes import Part, fold
from haidang.detect.semantics import text
from haidang.detect.tables import INDICATOR, NOTHING, Held, Signatures, Table
from haidang.intel.observables import EXTRACT
from haidang.intel.observed import FACETS
from haidang.sigma.ir import Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.values import FieldMemo
    from haidang.detect.words import EventWords
    from haidang.events.model import Fields
    from haidang.intel.index import IndicatorIndex
    from haidang.intel.observed import ObservedFields
    from haidang.limits import Limits
    from haidang.sigma.ir import Condition

__all__ = ["IndicatorTable", "ObservedMemo", "ScatteredTable", "Watch"]

_MOST_LEAVES = 4096


class ObservedMemo(dict[Any, int]):
    """Value to the number of its class: the rows of the indicators that it meets; bounded as FieldMemo is."""

    __slots__ = (
        "_chars",
        "_entries",
        "_extract",
        "_index",
        "_left",
        "_longest",
        "_numbers",
        "classes",
        "value_chars",
    )

    def __init__(self, index: IndicatorIndex, extract: str, limits: Limits) -> None:
        """Look values up in ``index``, taken apart by ``EXTRACT[extract]``."""
        super().__init__()
        self._index = index
        self._extract = EXTRACT[extract]
        self.value_chars = limits.value_chars
        self.classes: list[tuple[int, ...]] = [()]
        self._numbers: dict[tuple[int, ...], int] = {(): 0}
        self._entries = limits.memo_entries
        self._chars = limits.memo_chars
        self._longest = 4096
        self._left = self._chars

    def __missing__(self, value: Any) -> int:
        """Decide a value that is not remembered."""
        found = self.classify(value)
        if value.__class__ is str and len(value) <= self._longest:
            self._left -= len(value) + 80
            if self._left < 0 or len(self) >= self._entries:
                self.clear()
                self._left = self._chars
            self[value] = found
        elif value is None:
            self[value] = found
        return found

    def of_text(self, value: Any) -> int:
        """Return the class of a value of a field that holds texts; long ones are not remembered."""
        return self.classify(value) if value.__class__ is str and len(value) > self._longest else self[value]

    def classify(self, value: Any) -> int:
        """Return the class of any value, lists too."""
        return self.number(self.rows(value))

    def rows(self, value: Any) -> tuple[int, ...]:
        """Return the rows of the indicators that a value meets."""
        if value.__class__ is str:
            return self._index.rows_of(self._extract(value[: self.value_chars]))
        if isinstance(value, list | tuple):
            return tuple(sorted({row for item in value for row in self.rows(item)}))
        if value is None or isinstance(value, dict | bool):
            return ()
        return self._index.rows_of(self._extract(text(value)))

    def number(self, rows: tuple[int, ...]) -> int:
        """Return the number of a class, giving it one when it is new."""
        known = self._numbers.get(rows)
        if known is None:
            known = self._numbers[rows] = len(self.classes)
            self.classes.append(rows)
        return known

    def forget(self) -> None:
        """Start anew; whoever remembers class numbers must forget them too."""
        self.clear()
        self._left = self._chars
        self.classes[:] = [()]
        self._numbers.clear()
        self._numbers[()] = 0


def _no_condition(_position: int) -> Condition:
    return ("false",)


class IndicatorTable(Table):
    """The look-ups of the fields of one kind of events; its rules are the classes of the index."""

    def __init__(self, watch: Watch, fields: Sequence[str], memos: Sequence[ObservedMemo]) -> None:
        """Look ``fields`` up, each in the memo that stands in its place."""
        super().__init__(_NO_RULES, (), watch.limits, _no_condition)
        self._watch = watch
        self.fields = tuple(fields)
        self.memos = cast("tuple[FieldMemo, ...]", tuple(memos))  # the same look-ups, over indicators
        self.signatures = Signatures(self._decide, watch.limits.memo_entries)
        self.idle = not fields

    def _met(self, signature: tuple[Any, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the fields of an event that meet indicators, with their rows."""
        for name, memo, number in zip(self.fields, self.memos, signature, strict=True):
            if number:
                yield name, memo.classes[number]

    def _decide(self, signature: tuple[Any, ...]) -> Held:
        rows = {row for _, rows in self._met(signature) for row in rows}
        if not rows:
            return NOTHING
        found = Held(sorted({self._watch.rule_of(row) for row in rows}))
        found.why = ((self, signature),)
        return found

    def reasons(
        self,
        signature: tuple[Any, ...],
        index: int,
        whole: Condition,  # noqa: ARG002 - what a table of rules needs
        decided: Callable[[Test], bool],  # noqa: ARG002 - likewise
    ) -> tuple[Test, ...]:
        """Return a test for each indicator of a class that the event meets."""
        return tuple(
            Test(name, INDICATOR, row)
            for name, rows in self._met(signature)
            for row in rows
            if self._watch.rule_of(row) == index
        )

    def trim(self) -> bool:
        """Leave it to the watch, whose memos these are."""
        return False


class ScatteredTable(IndicatorTable):
    """For events of which nothing is known: walks them along known names, not one look-up for each name."""

    looks_at_events = True

    def __init__(self, watch: Watch, names: Mapping[str, str], memos: Mapping[str, ObservedMemo]) -> None:
        """Look for ``names`` (dotted; templates too), each with what it holds."""
        super().__init__(watch, (), ())
        self.idle = False
        self._by_extract = memos
        self._extracts = dict(names)
        self._templates = [(Binding(None).accessor(name), name) for name in names if "{" in name]
        self._tree: dict[str, Any] = {}
        for name in names:
            if "{" not in name:
                self._plant(name)

    def _plant(self, name: str) -> None:
        """Make the name known as it is, and as a way through objects."""
        self._tree.setdefault(name, [None, {}])[0] = name
        node = self._tree
        *way, last = name.split(".")
        for step in way:
            node = node.setdefault(step, [None, {}])[1]
        node.setdefault(last, [None, {}])[0] = name

    def signature(
        self,
        values: Sequence[Any],  # noqa: ARG002 - what a table of rules needs
        pairs: Sequence[tuple[Any, Any]],  # noqa: ARG002 - likewise
        words: EventWords,
    ) -> tuple[Any, ...]:
        """Return the names whose values meet indicators, each with the class of its value."""
        found: list[tuple[str, int]] = []
        event = words.event
        self._walk(event, self._tree, found)
        for accessor, name in self._templates:
            value = accessor.get(event)
            if value is not None and (number := self._number(name, value)):
                found.append((name, number))
        return tuple(found)

    def _number(self, name: str, value: Any) -> int:
        memo = self._by_extract[self._extracts[name]]
        return memo.classify(value) if isinstance(value, list | dict | tuple) else memo[value]

    def _walk(self, event: Fields, tree: dict[str, Any], found: list[tuple[str, int]]) -> None:
        stack: list[tuple[Any, dict[str, Any]]] = [(event, tree)]
        left = _MOST_LEAVES
        while stack and left:
            fields, names = stack.pop()
            for key, value in fields.items():
                known = names.get(key)
                if known is None:
                    continue
                name, below = known
                left -= 1
                if name is not None and (number := self._number(name, value)):
                    found.append((name, number))
                if below and value.__class__ is dict:
                    stack.append((value, below))
                elif below and value.__class__ is list:
                    stack.extend((item, below) for item in value[:left] if item.__class__ is dict)

    def _met(self, signature: tuple[Any, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
        for name, number in signature:
            yield name, self._by_extract[self._extracts[name]].classes[number]


_NO_RULES: dict[str, Any] = {
    "fields": {},
    "keywords": [],
    "pairs": [],
    "conditions": [],
    "anchors": {},
    "always": [],
}


class _FacetBinding(Binding):
    """Facets as the fields of one kind of events hold them."""

    __slots__ = ("_holds",)

    def __init__(self, holds: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(None)
        self._holds = holds

    def _make(self, name: str) -> Accessor:
        return Gathered(self._holds.get(name, ()), spell=spellings(name))


class Watch:
    """The indicators and patterns that all events meet."""

    def __init__(
        self,
        index: IndicatorIndex,
        fields: ObservedFields,
        limits: Limits,
        *,
        first: int = 0,
        patterns: Sequence[tuple[int, Condition]] = (),
    ) -> None:
        """Watch for the rows of ``index``, the rule of a row's class being ``first`` plus its number.

        ``patterns`` are further rules with their index: conditions over facets.
        """
        self.limits = limits
        self._index = index
        self._fields = fields
        self._first = first
        self._patterns = patterns
        self._memos = {name: ObservedMemo(index, name, limits) for name in EXTRACT}
        self._tables: dict[tuple[tuple[str, ...], ...], IndicatorTable] = {}
        self._pattern_tables: dict[frozenset[str], Table] = {}
        self._wanted_patterns = bool(patterns)

    def rule_of(self, row: int) -> int:
        """Return the index of the rule that a row's finding is of."""
        return self._first + self._index.class_of(row)

    def parts(self, origin: str, routing: Mapping[str, Sequence[str]], *, known: bool) -> Iterator[Part]:
        """Yield the parts of a route.

        Args:
            origin: The family of logs.
            routing: The routing values of the route, lower-cased.
            known: Whether the origin is one that has routes of its own.
        """
        scattered = not (known and origin in self._fields.origins)
        holds = self._fields.anywhere() if scattered else self._fields.of(origin, routing)
        if len(self._index):
            table = self._scattered(holds) if scattered else self._table(holds)
            if not table.idle:
                yield Part.of(table, _NAMES)
        if self._patterns and holds:
            yield Part.of(self._pattern_table(frozenset(holds)), _FacetBinding(holds))

    def _table(self, holds: Mapping[str, tuple[str, ...]]) -> IndicatorTable:
        wanted = _extracts(holds)
        key = tuple(sorted(wanted.items()))
        if key not in self._tables:
            self._tables[key] = IndicatorTable(
                self, [f"={name}" for name in wanted], [self._memos[extract] for extract in wanted.values()]
            )
        return self._tables[key]

    def _scattered(self, holds: Mapping[str, tuple[str, ...]]) -> IndicatorTable:
        if () not in self._tables:
            self._tables[()] = ScatteredTable(self, _extracts(holds), self._memos)
        return self._tables[()]

    def _pattern_table(self, held: frozenset[str]) -> Table:
        """Return the table of the patterns that can hold where only some facets are there."""
        if held not in self._pattern_tables:
            absent = dict.fromkeys(set(FACETS) - held)
            folded = [(index, fold(condition, absent)) for index, condition in self._patterns]
            kept = [(index, condition) for index, condition in folded if condition != ("false",)]
            conditions = [condition for _, condition in kept]
            self._pattern_tables[held] = Table(
                arrange_rules(conditions),
                [index for index, _ in kept],
                self.limits,
                conditions.__getitem__,
                frozenset(absent),
            )
        return self._pattern_tables[held]

    def trim(self) -> bool:
        """Bound what is remembered; return whether what signatures mean was forgotten."""
        forgot = any([table.trim() for table in self._pattern_tables.values()])  # noqa: C419 - each of them is trimmed
        if all(len(memo.classes) <= self.limits.memo_entries for memo in self._memos.values()):
            return forgot
        for memo in self._memos.values():
            memo.forget()
        for table in self._tables.values():
            table.signatures.clear()
        return True


def _extracts(holds: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return field to what is looked up in it; the first facet that looks anything up decides."""
    found: dict[str, str] = {}
    for facet, fields in holds.items():
        if FACETS[facet]:
            for name in fields:
                found.setdefault(name, FACETS[facet])
    return found


_NAMES = Binding(None)
