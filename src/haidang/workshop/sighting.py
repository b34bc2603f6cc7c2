"""Which log sources are seen in given logs: a rule that could fire needs logs that somebody sends.

Rules of this module:

- An event is of a log source where a rule on that log source would be given it, as ``explain`` tells.
- Events whose routing fields (channel, number, program …) have the same values are of the same log sources,
  so that each combination is judged once; the last ones judged are remembered.

Events are untrusted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from haidang.detect.binding import Binding
from haidang.workshop.explaining import routing, way_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from haidang.sigma.ir import LogSource, LogsourceMap
    from haidang.workshop.reading import ReadEvent

__all__ = ["OriginSources", "Sighting", "sighting"]

_MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class Sighting:
    """What was seen."""

    events: int = 0
    seen: Counter[LogSource] = field(default_factory=Counter)
    """Log source to the number of its events."""
    unneeded: Counter[str] = field(default_factory=Counter)
    """Origin to the number of events that no rule looks at."""


def sighting(
    events: Iterable[ReadEvent], needed: Mapping[LogSource, Iterable[str]], maps: Sequence[LogsourceMap]
) -> Sighting:
    """Return how many events of each log source there are.

    Args:
        events: The events.
        needed: The log sources that rules look at, each with the origins that its events may have.
        maps: The logsource maps.
    """
    found = Sighting()
    by_origin: dict[str, OriginSources] = {}
    for one in events:
        origin = by_origin.get(one.origin)
        if origin is None:
            wanted = [logsource for logsource, origins in needed.items() if one.origin in origins]
            origin = by_origin[one.origin] = OriginSources(one.origin, wanted, maps)
        found.events += 1
        reached = origin.reached(one.event)
        found.seen.update(reached)
        if not reached:
            found.unneeded[one.origin] += 1
    return found


class OriginSources:
    """The log sources of one family of logs."""

    def __init__(self, name: str, needed: Sequence[LogSource], maps: Sequence[LogsourceMap]) -> None:
        """Look for the log sources ``needed`` in events of the origin ``name``."""
        self._name = name
        self._maps = [one for one in maps if one.origin == name]
        self._needed = needed
        self._known: dict[tuple[str, ...], tuple[LogSource, ...]] = {}

    @cached_property
    def _routing(self) -> list[tuple[Binding, str]]:
        found = []
        for one in self._maps:
            binding = Binding(None, routing(one))
            found += [
                (binding, name) for name in sorted({key for entry in one.entries for key in entry.when})
            ]
        return found

    def reached(self, event: dict[str, Any]) -> tuple[LogSource, ...]:
        """Return those that an event is of."""
        if not self._needed:
            return ()
        key = tuple(repr(binding.get(event, f"={name}")) for binding, name in self._routing)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[key] = tuple(
                one for one in self._needed if way_to(one, self._name, event, self._maps).reached
            )
        return known
