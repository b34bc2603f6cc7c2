"""The matcher: events of any origin in, indices of the rules that hold out.

It owns the routes, which are made when events of their kind first come, and the lanes for undecoded
JSON. It reads no files, knows no output, and gives the same answer for an event whether it comes
decoded or not.

Which rules an event meets:

- An origin with logsource maps (windows, auditd, zeek …): the rules whose logsource has an entry whose
  ``when`` the event satisfies; numbers in it are equal however they are spelled (``1``, ``"1"``, ``0001``).
- Any other event: the rules that name no product (``category: webserver``) or whose logsource no map
  claims (``product: our-own``), by the names of their fields.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from haidang.detect.arranging import folded_value
from haidang.detect.binding import Accessor, Binding
from haidang.detect.gate import KeywordGate
from haidang.detect.lanes import NEEDLES, PATIENCE, LaneSet
from haidang.detect.origins import Recogniser
from haidang.detect.routes import Route
from haidang.detect.semantics import lookup, number, text
from haidang.events.shapes import INSIDE
from haidang.native import library
from haidang.sigma.logsource import serves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from haidang.detect.indicators import Watch
    from haidang.detect.plans import PlanSet
    from haidang.detect.routes import Group, Part
    from haidang.detect.tables import Held
    from haidang.events.model import Fields
    from haidang.limits import Limits
    from haidang.sigma.ir import Condition, LogSource, LogsourceEntry, LogsourceMap, Test

__all__ = ["Matcher"]

_MOST_ROUTES = 4096
_LANE_FIELDS = ("Channel", "EventID")
_PLAIN = frozenset({str, int})


class _Entry:
    """A logsource entry with its groups, bound once for all routes that use it."""

    __slots__ = ("_guard", "_when", "binding", "entry", "groups")

    def __init__(
        self,
        entry: LogsourceEntry | None,
        groups: Sequence[Group],
        routed_by: Sequence[str] = (),
        routing: Mapping[str, Accessor] | None = None,
    ) -> None:
        self.entry = entry
        self.binding = Binding(entry, routing)
        self.groups = groups
        when = entry.when if entry else {}
        self._when = {name: _folded(values) for name, values in when.items() if name in routed_by}
        self._guard: tuple[Condition, ...] = tuple(
            ("or", *(("is", _equals(f"={name}", value)) for value in values))
            for name, values in when.items()
            if name not in routed_by
        )

    def accepts(self, values: Mapping[str, tuple[str, ...]]) -> bool:
        """Return whether events with these routing values can be of this entry."""
        return all(not wanted.isdisjoint(values.get(name, ())) for name, wanted in self._when.items())

    def parts(self, constants: Mapping[str, Any]) -> Iterator[Part]:
        """Yield the parts of a route with these routing values."""
        for group in self.groups:
            yield group.part(self.binding, self._guard, constants)


class Matcher:
    """Thousands of rules, ready for events.

    ``groups`` are the rules by logsource; what is not in them does not exist here, so that filters are
    applied before.
    """

    def __init__(
        self,
        groups: Mapping[LogSource, Group],
        maps: Sequence[LogsourceMap],
        watch: Watch | None = None,
    ) -> None:
        """Arrange the entries; nothing is compiled until events come."""
        self._watch = watch
        self._recogniser = Recogniser((m.origin, names) for m in maps for names in m.recognise)
        self.recognise = self._recogniser.origin
        """Returns the origin of an event of which only the fields are known, "" for an unknown one."""
        self._entries: dict[str, list[_Entry]] = {}
        self._route_by: dict[str, tuple[str, ...]] = {}
        self._routing: dict[str, dict[str, Accessor]] = {}
        claimed: set[LogSource] = set()
        for m in maps:
            # Only the first fields make the route; a ``when`` on others is tested on each event.
            names = self._route_by.setdefault(m.origin, m.route_by[: m.route_depth])
            routing = self._routing.setdefault(m.origin, {})
            for name, (places, values) in m.routing.items():
                routing.setdefault(name, Accessor(places, tuple(sorted(values.items()))))
            for entry in m.entries:
                meant = [logsource for logsource in groups if serves(entry.logsource, logsource)]
                claimed.update(logsource for logsource in meant if m.claims and logsource.product)
                if meant:
                    known = [groups[logsource] for logsource in meant]
                    self._entries.setdefault(m.origin, []).append(_Entry(entry, known, names, routing))
        self.unclaimed = sorted(set(groups) - claimed)
        """Logsources that no map speaks of; their rules meet events of unknown origin."""
        self._rest = [_Entry(None, [groups[logsource] for logsource in self.unclaimed])]
        self._groups = tuple(groups.values())
        self._routes: dict[tuple[Any, ...], Route] = {}
        self._nearest: dict[tuple[str, Any, Any], Route] = {}
        """The same, by values as they are."""

    @property
    def recognised(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        """Origins with fields by which an event is known to be of them; the first that fit count."""
        return self._recogniser.sets

    def needs(self, origin: str, names: Collection[str]) -> set[str]:
        """Return the event fields that tell what events of an origin are, and those that ``names`` may be."""
        entries = self._entries.get(origin, [])
        found = set(names)
        for entry in entries:
            found.update(need for name in names for need in entry.binding.accessor(name).needs())
            found.update(entry.entry.when if entry.entry else ())
        return found

    def routing_fields(self, origin: str) -> tuple[str, ...] | None:
        """Return the fields whose values make the route of an event; () where all events share one.

        None where a map puts these values together from others.
        """
        return None if self._routing.get(origin) else self._route_by.get(origin, ())

    def match(self, origin: str, event: Fields) -> Held:
        """Return the rules that hold for one event."""
        return self.route(origin, event).match(event)

    def route(self, origin: str, event: Fields) -> Route:
        """Return the route of an event, made on first sight."""
        names = self._route_by.get(origin)
        if names == _LANE_FIELDS:
            channel, event_id = event.get("Channel"), event.get("EventID")
            if channel.__class__ is str and event_id.__class__ in _PLAIN and not self._routing[origin]:
                near = (origin, channel, event_id)
                route = self._nearest.get(near)
                if route is None:
                    if len(self._nearest) >= _MOST_ROUTES:
                        self._nearest.clear()
                    route = self._nearest[near] = self._far_route(origin, event, names)
                return route
        return self._far_route(origin, event, names)

    def _far_route(self, origin: str, event: Fields, names: tuple[str, ...] | None) -> Route:
        """Return a route by its values, however they are written."""
        if names is None:
            key: tuple[Any, ...] = ()
        elif routing := self._routing[origin]:
            key = (origin, *(_routing_value(_find(event, name, routing)) for name in names))
        else:
            key = (origin, *(_routing_value(lookup(event, name)) for name in names))
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            route = self._routes[key] = self._make(origin, names or (), key)
        return route

    def _make(self, origin: str, names: tuple[str, ...], key: tuple[Any, ...]) -> Route:
        values = {
            name: tuple(map(folded_value, _items(value))) for name, value in zip(names, key[1:], strict=False)
        }
        constants = dict(zip(names, (_as_value(value) for value in key[1:]), strict=False))
        entries = self._entries.get(origin, []) if names or origin in self._route_by else self._rest
        parts = [part for entry in entries if entry.accepts(values) for part in entry.parts(constants)]
        if self._watch is not None:
            parts += self._watch.parts(origin, values, known=origin in self._route_by)
        return Route(parts)

    def trim(self) -> bool:
        """Bound what is remembered, between batches; return whether what signatures mean was forgotten."""
        watched = self._watch is not None and self._watch.trim()
        return any([group.trim() for group in self._groups]) or watched  # noqa: C419 - each of them is trimmed

    def lanes(
        self, shape: str, wrapper: str, limits: Limits, patience: int | None = None
    ) -> LaneSet | PlanSet | None:
        """Return the lanes for Windows documents of a JSON shape; None when there can be none.

        ``limits`` bound what they remember; ``patience`` is how many documents of a route go the plain way
        before a lane is made for it.
        """
        if shape not in NEEDLES or wrapper not in INSIDE or self._route_by.get("windows") != _LANE_FIELDS:
            return None

        def route(routing: dict[str, Any]) -> Route:
            return self.route("windows", routing)

        covered = self.gate.covers
        found = library()
        if found is None:
            return LaneSet(shape, wrapper, route, covered, PATIENCE if patience is None else patience)
        # What it takes to call the library is not there on every system.
        from haidang.detect import plans

        patience = plans.PATIENCE if patience is None else patience
        return plans.PlanSet(found, shape, wrapper, route, covered, limits, patience)

    @cached_property
    def gate(self) -> KeywordGate:
        """The gate for documents, for the keywords of rules that meet every Windows event."""
        return KeywordGate.over(self._keywords(everywhere=True))

    @cached_property
    def text_gate(self) -> KeywordGate:
        """The gate for texts, for the same keywords."""
        return KeywordGate.over(self._keywords(everywhere=True), plain=True)

    @cached_property
    def wide_text_gate(self) -> KeywordGate:
        """The gate for texts, for the keywords of all rules that meet some Windows event."""
        return KeywordGate.over(self._keywords(everywhere=False), plain=True)

    def _keywords(self, *, everywhere: bool) -> list[tuple[Test, ...]]:
        """Return the keywords of rules that meet some Windows event, or every; the broadest rules first."""
        found: list[tuple[int, tuple[Test, ...]]] = []
        for entry in self._entries.get("windows", []):
            breadth = len(entry.entry.when) if entry.entry else 0
            if entry.entry and not (everywhere and breadth):
                found.extend((breadth, tests) for group in entry.groups for tests in group.keywords())
        return [tests for _, tests in sorted(found, key=lambda item: (item[0], len(item[1])))]


def _folded(values: Iterable[str]) -> frozenset[str]:
    return frozenset(map(folded_value, values))


def _equals(field: str, value: str) -> tuple[Any, ...]:
    """Return the test that a field has a value of ``when``: a number in any spelling, or a text."""
    spelled = number(value)
    return (field, "str", (value,), False) if spelled is None else (field, "num", spelled, False)


def _find(event: Fields, name: str, routing: Mapping[str, Accessor]) -> Any:
    """Return the value of a routing field."""
    accessor = routing.get(name)
    return lookup(event, name) if accessor is None else accessor.get(event)


def _items(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _routing_value(value: Any) -> Any:
    """Return a hashable value: text for scalars, a tuple of texts for lists, None for absent."""
    if value is None or value.__class__ is str:
        return value
    if isinstance(value, list):
        return tuple(text(item) for item in value)
    return text(value)


def _as_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
