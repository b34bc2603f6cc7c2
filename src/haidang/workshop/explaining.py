"""Why a rule fires on an event, or does not: each item of each selection, the condition, the verdict.

Rules of this module:

- First comes the way to the rule: the event's family of logs, and whether the rule's log source is there. A
  rule that would not even be looked at does not fire, whatever its selections say of the event.
- Then each selection, item by item: the field, its value in the event (found as a scan finds it, by the
  logsource map), and whether it holds; then the condition; then the verdict, filters of the ruleset included.

Rules and events are untrusted; whoever shows an explanation neutralises it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.detect.binding import Accessor, Binding
from haidang.detect.naive import evaluate
from haidang.detect.semantics import text
from haidang.i18n import N_
from haidang.scanning._matched import in_words
from haidang.sigma.ir import Test
from haidang.sigma.outline import Item, Selection, outline
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.events.model import Fields
    from haidang.sigma.ir import Condition, EventRule, LogSource, LogsourceEntry, LogsourceMap
    from haidang.sigma.written import Written, WrittenRule
    from haidang.workshop.reading import ReadEvent

__all__ = ["Branch", "Explained", "ItemSaid", "SelectionSaid", "Way", "explain", "routing", "way_to", "words"]

_MOST_WORDS = 4
_LONGEST_VALUE = 2_000


@dataclass(frozen=True, slots=True)
class Way:
    """Whether an event gets to a rule, why, and by which names its fields are then known."""

    reached: bool
    message: Message
    binding: Binding


@dataclass(frozen=True, slots=True)
class ItemSaid:
    """One item of a selection, or one map in a selection that is a list of them (``parts``)."""

    field: str
    """"" for keywords and maps."""
    sources: tuple[str, ...]
    """Where in the event the field's value is looked for."""
    value: Any
    """What the event has; None for nothing, and for keywords."""
    test: str
    """What is asked for, in Sigma's words."""
    holds: bool
    held: tuple[str, ...]
    """Those of several values that hold."""
    failed: tuple[str, ...]
    """Those that do not."""
    every: bool
    """Whether all of several values must hold."""
    parts: tuple[ItemSaid, ...] = ()


@dataclass(frozen=True, slots=True)
class SelectionSaid:
    """One selection."""

    name: str
    holds: bool
    every: bool
    items: tuple[ItemSaid, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One node of the condition: a word (and, or, not) over others, or the name of a selection."""

    word: str
    holds: bool
    parts: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything that is to be said of one rule and one event."""

    rule: WrittenRule
    event: ReadEvent
    logsource: LogSource
    way: Way
    selections: tuple[SelectionSaid, ...]
    conditions: tuple[tuple[str, Branch], ...]
    filtered: bool
    """Whether only a filter of the ruleset keeps the rule from firing."""
    fires: bool


def explain(
    one: WrittenRule, rule: EventRule, written: Written, found: ReadEvent, maps: Sequence[LogsourceMap]
) -> Explained:
    """Return the explanation of one rule on one event.

    Args:
        one: The rule as written.
        rule: The rule as it is matched, with what filters add.
        written: What it was read with.
        found: The event.
        maps: The logsource maps.
    """
    way = way_to(rule.logsource, found.origin, found.event, maps)
    get = partial(way.binding.get, found.event)
    shown = outline(one.document, written.compiler)

    def holds(condition: Condition) -> bool:
        return evaluate(condition, get, found.event)

    selections = {
        name: _selection(selection, way.binding, get, holds) for name, selection in shown.selections.items()
    }
    conditions = tuple((words, _branch(tree, selections)) for words, tree in shown.conditions)
    alone = any(branch.holds for _, branch in conditions)
    whole = holds(rule.condition)
    return Explained(
        one,
        found,
        rule.logsource,
        way,
        tuple(selections.values()),
        conditions,
        filtered=way.reached and alone and not whole,
        fires=way.reached and whole,
    )


def way_to(logsource: LogSource, origin: str, event: Fields, maps: Sequence[LogsourceMap]) -> Way:
    """Return whether an event of an origin is of a log source, as the logsource maps say."""
    name = " ".join(part for part in logsource if part)
    known = [one for one in maps if one.origin == origin]
    meant = [(one, entry) for one in known for entry in one.entries if _means(logsource, entry)]
    ways = [_by_entry(one, entry, name, event) for one, entry in meant]
    if ways:
        # The one that is reached, else the one of which the event misses least.
        return max(ways, key=lambda pair: (pair[1].reached, pair[0]))[1]
    own = Binding(None)
    if known:
        values = {"origin": origin, "source": name}
        message = Message(
            N_("no: the event is of {origin}, and the rule looks at {source}, which is not there"), values
        )
        return Way(reached=False, message=message, binding=own)
    owners = sorted(
        {one.origin for one in maps for entry in one.entries if one.claims and _means(logsource, entry)}
    )
    if owners and logsource.product:
        message = Message(
            N_("no: nothing tells that the event is of {source}, which is read as {origins}"),
            {"source": name, "origins": ", ".join(owners)},
        )
        return Way(reached=False, message=message, binding=own)
    message = Message(
        N_("yes: no logsource map speaks of {source}, so that fields are looked for by their names"),
        {"source": name},
    )
    return Way(reached=True, message=message, binding=own)


def routing(one: LogsourceMap) -> dict[str, Accessor]:
    """Return where in an event the marks are looked for by which a logsource map tells its entries apart."""
    return {
        key: Accessor(places, tuple(sorted(values.items()))) for key, (places, values) in one.routing.items()
    }


def _means(logsource: LogSource, entry: LogsourceEntry) -> bool:
    return logsource.product in ("", entry.logsource.product) and logsource[1:] == entry.logsource[1:]


def _by_entry(one: LogsourceMap, entry: LogsourceEntry, name: str, event: Fields) -> tuple[int, Way]:
    """Return how many marks of an entry an event has, and what comes of it."""
    binding = Binding(entry, routing(one))
    missed = None
    fitting = 0
    for key, wanted in entry.when.items():
        value = binding.get(event, f"={key}")
        if any(text(item).lower() in wanted for item in (value if isinstance(value, list) else [value])):
            fitting += 1
        elif missed is None:
            missed = Message(
                N_("no: {source} has {field} {wanted}, and the event has {value}"),
                {
                    "source": name,
                    "field": key,
                    "wanted": _choice(list(map(repr, wanted))),
                    "value": "–" if value is None else repr(value),
                },
            )
    if missed is not None:
        return fitting, Way(reached=False, message=missed, binding=binding)
    marks = ", ".join(f"{key} = {binding.get(event, f'={key}')}" for key in entry.when)
    template = N_("yes: the event is of {source} ({marks})") if marks else N_("yes: the event is of {source}")
    return fitting, Way(
        reached=True, message=Message(template, {"source": name, "marks": marks}), binding=binding
    )


def _choice(words: list[str]) -> str:
    shown = words[:_MOST_WORDS]
    return " | ".join(shown) + (" | …" if len(words) > len(shown) else "")


_Holds: TypeAlias = "Callable[[Condition], bool]"


def _selection(
    selection: Selection, binding: Binding, get: Callable[[str], Any], holds: _Holds
) -> SelectionSaid:
    items = tuple(_part(part, binding, get, holds) for part in selection.parts)
    return SelectionSaid(selection.name, holds(selection.condition), selection.every, items)


def _part(part: Item | Selection, binding: Binding, get: Callable[[str], Any], holds: _Holds) -> ItemSaid:
    if isinstance(part, Selection):
        inner = tuple(_part(one, binding, get, holds) for one in part.parts)
        return ItemSaid("", (), None, "", holds(part.condition), (), (), part.every, inner)
    held = tuple(words(value) for value in part.values if holds(value))
    failed = tuple(words(value) for value in part.values if not holds(value))
    sources = binding.accessor(part.field).sources if part.field else ()
    value = get(part.field) if part.field else None
    return ItemSaid(
        part.field,
        sources,
        _short(value),
        words(part.condition),
        holds(part.condition),
        held,
        failed,
        part.every,
    )


def words(condition: Condition) -> str:
    """Return a condition in words, cut where it gets long."""
    kind, *parts = condition
    if kind == "is":
        return in_words(Test(*parts[0]))
    if kind == "not":
        return f"not ({words(parts[0])})"
    if kind in {"and", "or"}:
        shown = f" {kind} ".join(words(part) for part in parts[:_MOST_WORDS])
        return shown + (f" {kind} …" if len(parts) > _MOST_WORDS else "")
    return str(kind)


def _short(value: Any) -> Any:
    return value[:_LONGEST_VALUE] + "…" if isinstance(value, str) and len(value) > _LONGEST_VALUE else value


def _branch(tree: Condition, selections: dict[str, SelectionSaid]) -> Branch:
    kind, *parts = tree
    if kind == "name":
        return Branch(parts[0], selections[parts[0]].holds)
    inner = tuple(_branch(part, selections) for part in parts)
    if kind == "not":
        return Branch("not", not inner[0].holds, inner)
    decide = all if kind == "and" else any
    return Branch(kind, decide(branch.holds for branch in inner), inner)
