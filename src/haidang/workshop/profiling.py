"""Which rules cost what on given logs.

A scan decides all rules of a log source together and remembers what it has decided, so that no clock can be
held to one rule while it runs. Here its steps are taken apart and measured one by one:

- **conditions**: for each distinct combination of tests that hold (a signature), the condition of each rule
  that is looked at, because one of its anchors holds or because it has none;
- **deciders**: for each distinct value of a field, the regular expressions and patterns of each rule that
  the value lets run (it has the text and the length that they require). What several rules share is counted
  for each.

Both are what a scan does the first time that it sees a signature or value; what it remembers costs nothing
more. The figures compare rules on the same logs and machine; they are no promise of speed.
"""

from __future__ import annotations

import time as clock
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.detect.regexes import required_literal, runs_in_linear_time, shortest_match
from haidang.detect.semantics import holds, text
from haidang.detect.words import EventWords
from haidang.scanning._matched import in_words
from haidang.sigma.ir import ONE, Test
from haidang.workshop.reading import read_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.detect.routes import Part
    from haidang.detect.tables import Table
    from haidang.events.model import FileReport
    from haidang.scanning import Ruleset
    from haidang.sigma.ir import Condition, RuleInfo

__all__ = ["Cost", "Profile", "profile"]

_Sign: TypeAlias = "tuple[int, tuple[int, ...]]"
"""A table and the signature of an event in it."""

_MOST_REPEATS = 3
"""Runs of which the quickest counts, since other work of the machine only ever adds."""


@dataclass(slots=True)
class Cost:
    """What one rule costs."""

    info: RuleInfo
    events: int = 0
    """Events of its log source."""
    looked_at: int = 0
    """Events for which an anchor holds, so that the condition is looked at."""
    held: int = 0
    """Events for which it holds."""
    signatures: int = 0
    """Distinct combinations for which the condition was decided."""
    condition_ns: int = 0
    decider_runs: int = 0
    """Distinct values on which a regular expression or pattern was run."""
    decider_ns: int = 0
    slow_expressions: tuple[str, ...] = ()
    """Regular expressions that RE2 cannot run."""
    anchors: Counter[str] = field(default_factory=Counter)
    """Anchor in words, to the events for which it made the rule a candidate."""

    @property
    def total_ns(self) -> int:
        """Both kinds of work."""
        return self.condition_ns + self.decider_ns


@dataclass(slots=True)
class Profile:
    """What all of them cost."""

    costs: list[Cost]
    """The dearest first; rules whose log source has no events are left out."""
    events: int
    rules: int
    reports: list[FileReport]


class _Seen:
    """What one table has seen: the values of each field."""

    def __init__(self, part: Part) -> None:
        self.table: Table = part.table
        self.values: dict[str, dict[str, None]] = {name: {} for name in part.table.fields}


def profile(
    ruleset: Ruleset, paths: Sequence[str], *, most_events: int = 200_000, input_format: str | None = None
) -> Profile:
    """Measure the rules of ``ruleset`` on the events in ``paths``, at most ``most_events`` of them.

    Raises:
        InputError: A path does not exist.
    """
    matcher = ruleset.matcher
    reports: list[FileReport] = []
    seen: dict[int, _Seen] = {}
    met: Counter[tuple[_Sign, ...]] = Counter()
    count = 0
    events = read_events(
        paths, matcher.recognise, input_format=input_format, limits=ruleset.limits, reports=reports
    )
    for found in events:
        if count == most_events:
            break
        count += 1
        signatures: dict[_Sign, None] = {}
        for part in matcher.route(found.origin, found.event).parts:
            known = seen.get(id(part.table))
            if known is None:
                known = seen[id(part.table)] = _Seen(part)
            signature = _take(known, part, found.event, ruleset.limits.memo_entries)
            signatures[id(part.table), signature] = None
        met[tuple(signatures)] += 1
    costs: dict[int, Cost] = {}
    for one in seen.values():
        for index in one.table.indices:
            costs.setdefault(index, Cost(ruleset.infos[index]))
    _conditions(met, {key: one.table for key, one in seen.items()}, costs)
    _Deciders(ruleset).measure(seen.values(), costs)
    ranked = sorted(costs.values(), key=lambda cost: (-cost.total_ns, cost.info.title))
    return Profile(ranked, count, len(ruleset), reports)


def _take(known: _Seen, part: Part, event: dict[str, Any], most: int) -> tuple[int, ...]:
    """Remember the values of an event and return its signature."""
    values = [accessor.get(event) for accessor in part.accessors]
    pairs = [(first.get(event), second.get(event)) for first, second in part.pairs]
    for name, value in zip(part.table.fields, values, strict=True):
        kept = known.values[name]
        for item in value if isinstance(value, list) else (value,):
            if item is not None and not isinstance(item, dict) and len(kept) < most:
                kept[text(item)] = None
    return part.table.signature(values, pairs, EventWords(event))


def _conditions(met: Counter[tuple[_Sign, ...]], tables: dict[int, Table], costs: dict[int, Cost]) -> None:
    """Count events and decide conditions; an event that meets a rule in two tables counts once."""
    decided: dict[_Sign, dict[int, tuple[tuple[Test, ...], bool]]] = {}
    reached: Counter[frozenset[int]] = Counter()
    for signs, count in met.items():
        reached[frozenset(table for table, _ in signs)] += count
        anchors: dict[int, dict[Test, None]] = {}
        held: set[int] = set()
        for sign in signs:
            if sign not in decided:
                decided[sign] = dict(_decided(tables[sign[0]], sign[1], costs))
            for index, (tests, holding) in decided[sign].items():
                anchors.setdefault(index, {}).update(dict.fromkeys(tests))
                if holding:
                    held.add(index)
        for index, found in anchors.items():
            _count(costs[index], list(found), count, held=index in held)
    for together, count in reached.items():
        for index in {index for table in together for index in tables[table].indices}:
            costs[index].events += count


def _count(cost: Cost, anchors: list[Test], count: int, *, held: bool) -> None:
    cost.looked_at += count
    cost.held += count if held else 0
    for test in anchors:
        cost.anchors[f"{test.field or 'keyword'} {in_words(test)}"] += count
    if not anchors:
        cost.anchors["(none: looked at for every event)"] += count


def _decided(
    table: Table, signature: tuple[int, ...], costs: dict[int, Cost]
) -> Iterator[tuple[int, tuple[tuple[Test, ...], bool]]]:
    """Decide the rules that are looked at for a signature, with a clock in hand."""
    for index, (anchors, decide) in table.candidates(signature).items():
        best = 0
        held = False
        for attempt in range(_MOST_REPEATS):
            began = clock.perf_counter_ns()
            held = decide()
            spent = clock.perf_counter_ns() - began
            best = min(best, spent) if attempt else spent
        costs[index].condition_ns += best
        costs[index].signatures += 1
        yield index, (anchors, held)


class _Deciders:
    """Runs the regular expressions and patterns of rules on the values that let them run."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._known: dict[tuple[int, Test], tuple[int, int]] = {}

    def measure(self, seen: Any, costs: dict[int, Cost]) -> None:
        for one in seen:
            for index in one.table.indices:
                cost = costs[index]
                condition = self._ruleset.rule(index).condition
                for test in dict.fromkeys(_deciders(condition)):
                    runs, spent = self._of(one, test)
                    cost.decider_runs += runs
                    cost.decider_ns += spent
                cost.slow_expressions = tuple(
                    test.value[0]
                    for test in dict.fromkeys(_deciders(condition))
                    if test.kind == "re" and not runs_in_linear_time(*test.value)
                )

    def _of(self, seen: _Seen, test: Test) -> tuple[int, int]:
        """Return on how many values a test runs, and how long in all."""
        key = (id(seen), test)
        if key not in self._known:
            needed = _needed(test)
            values = seen.values.get(str(test.field), {})
            shortest = shortest_match(test.value[0]) if test.kind == "re" else 0
            chosen = [value for value in values if len(value) >= shortest and needed in value.lower()]
            holds(test, "")  # Compile it outside the clock.
            began = clock.perf_counter_ns()
            for value in chosen:
                holds(test, value)
            self._known[key] = len(chosen), clock.perf_counter_ns() - began
        return self._known[key]


def _deciders(condition: Condition) -> Iterator[Test]:
    """Yield the tests that no look-up decides: expressions, and patterns with something between wildcards."""
    if condition[0] == "is":
        test = Test(*condition[1])
        if test.field is not None and (test.kind == "re" or (test.kind == "str" and _is_pattern(test.value))):
            yield test
    elif condition[0] in {"and", "or", "not"}:
        for part in condition[1:]:
            yield from _deciders(part)


def _is_pattern(parts: tuple[str | int, ...]) -> bool:
    return sum(isinstance(part, str) for part in parts) > 1 or ONE in parts


def _needed(test: Test) -> str:
    """Return text that a value must have before a test is run on it."""
    if test.kind == "re":
        return required_literal(test.value[0])
    literals = [part.lower() for part in test.value if isinstance(part, str)]
    return max(literals, key=len, default="")
