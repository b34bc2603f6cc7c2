"""Which rules can fire at all: those whose log source is in some log that can be read.

Rules of this module:

- A rule has a route when an entry of a logsource map is for its log source, some format gives the events of
  the map's origin, and its condition can hold on them: a test on a field that those events never have
  (``absent`` in the map), or on a routing field whose value the entry excludes, is decided; what is left may
  go either way.
- A rule that names no product also meets events of which nothing is known, by the names of their fields.
- A rule of a product that no map knows meets such events too, but nothing says that they are of that
  product: that is no route here.
- A correlation has a route when all rules that it refers to have one.

Nothing here looks at events. Rules and maps are the user's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.binding import Binding
from haidang.detect.semantics import holds
from haidang.sigma.ir import LogSource, Test
from haidang.sigma.logsource import serves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from haidang.sigma.ir import Condition, CorrelationRule, EventRule, LogsourceEntry, LogsourceMap, RuleInfo

__all__ = [
    "BY_NAME",
    "CORRELATION",
    "NO_FIELD",
    "NO_FORMAT",
    "NO_MAP",
    "NO_RULE",
    "NO_SOURCE",
    "NO_VALUE",
    "Covered",
    "cover",
]

NO_MAP = "no-map"
"""No map speaks of the rule's product."""
NO_SOURCE = "no-log-source"
"""A map speaks of the product, but not of this log source of it."""
NO_FORMAT = "no-format"
"""A map speaks of the log source, but no format gives its events."""
NO_FIELD = "no-field"
"""The events of the log source never have the fields that the condition needs."""
NO_VALUE = "no-value"
"""The condition asks for a value (of a channel, an event id …) that the log source's events never have."""
NO_RULE = "no-rule"
"""The rules that a correlation refers to have no route, or cannot be loaded."""

BY_NAME = "json"
"""The origin of events of which nothing is known but their fields."""
CORRELATION = LogSource("", "correlation", "")
"""What stands for the log source of a correlation."""


class Covered(NamedTuple):
    """One rule and its routes."""

    info: RuleInfo
    logsource: LogSource
    routes: tuple[str, ...]
    """Origins whose events the rule can fire on."""
    reason: str = ""
    """Why there is no route; "" where there is one."""
    fields: tuple[str, ...] = ()
    """With NO_FIELD: the fields that are not there."""


class _Place(NamedTuple):
    """One entry of a map."""

    origin: str
    product: str
    entry: LogsourceEntry
    binding: Binding


def cover(
    rules: Iterable[EventRule],
    correlations: Sequence[CorrelationRule],
    maps: Sequence[LogsourceMap],
    formats: Mapping[str, Sequence[str]],
) -> Iterator[Covered]:
    """Yield each rule with its routes; ``formats`` says which formats give the events of each origin."""
    places = [_Place(m.origin, m.product, entry, Binding(entry)) for m in maps for entry in m.entries]
    routed: dict[str, bool] = {}
    for rule in rules:
        covered = _of_rule(rule, places, formats)
        routed[rule.info.key] = bool(covered.routes)
        yield covered
    waiting = list(correlations)
    while waiting:
        # A correlation of correlations comes after what it refers to; what is left refers to nothing known.
        ready = [rule for rule in waiting if all(key in routed for key in rule.rules)]
        if not ready:
            yield from (Covered(rule.info, CORRELATION, (), NO_RULE) for rule in waiting)
            return
        for joined in ready:
            fires = routed[joined.info.key] = all(routed[key] for key in joined.rules)
            routes = (CORRELATION.category,) if fires else ()
            yield Covered(joined.info, CORRELATION, routes, "" if fires else NO_RULE)
        waiting = [rule for rule in waiting if rule.info.key not in routed]


def _of_rule(rule: EventRule, places: Sequence[_Place], formats: Mapping[str, Sequence[str]]) -> Covered:
    logsource = rule.logsource
    meant = [place for place in places if serves(place.entry.logsource, logsource)]
    read = [place for place in meant if formats.get(place.origin)]
    able = {place.origin: None for place in read if _outcomes(rule.condition, place)[0]}
    if not logsource.product and formats.get(BY_NAME):
        able[BY_NAME] = None
    if able:
        return Covered(rule.info, logsource, tuple(able))
    if read:
        absent = min(([name for name in rule.fields if _lacks(name, place)] for place in read), key=len)
        return Covered(rule.info, logsource, (), NO_FIELD if absent else NO_VALUE, tuple(sorted(absent)))
    if meant:
        return Covered(rule.info, logsource, (), NO_FORMAT)
    known = any(logsource.product == place.entry.logsource.product for place in places)
    return Covered(rule.info, logsource, (), NO_SOURCE if known else NO_MAP)


def _lacks(name: str, place: _Place) -> bool:
    """Return whether the events of an entry never have a field of the rules."""
    absent = place.entry.absent
    return name in absent or ("*" in absent and name not in place.entry.fields)


def _outcomes(condition: Condition, place: _Place) -> tuple[bool, bool]:
    """Return whether the condition may hold, and whether it may fail, on some event of an entry."""
    kind = condition[0]
    if kind == "is":
        return _of_test(Test(*condition[1]), place)
    parts = [_outcomes(part, place) for part in condition[1:]] if kind in {"and", "or", "not"} else []
    if kind == "not":
        return parts[0][1], parts[0][0]
    if kind == "and":
        return all(part[0] for part in parts), any(part[1] for part in parts)
    if kind == "or":
        return any(part[0] for part in parts), all(part[1] for part in parts)
    return (True, False) if kind == "true" else (False, True)


def _of_test(test: Test, place: _Place) -> tuple[bool, bool]:
    if test.field is None:
        return True, True
    if _lacks(test.field, place):
        held = holds(test, None)
        return held, not held
    if test.kind == "fieldref":
        return not _lacks(test.value[0], place), True
    given = place.entry.when.get(place.binding.accessor(test.field).plain_name)
    if given is None or test.cased:
        return True, True
    found = {holds(test, value) for value in given}
    return True in found, False in found
