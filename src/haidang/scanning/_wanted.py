"""Which fields of an event evidence is made of.

Who reads events by column asks here, so that it reads no more of them: the fields that tell time and host,
those that correlations group and count by, and those that the rules look at that hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.detect.batches import Wanted
from haidang.scanning._evidence import UNKNOWN, known_origins, needed_by_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.scanning._ruleset import Ruleset

__all__ = ["wanted_of_events"]


def wanted_of_events(ruleset: Ruleset) -> Wanted:
    """Return what hits must have of their events."""

    def of_rule(index: int) -> Sequence[str] | None:
        watched = ruleset.watched
        return ruleset.rule(index).fields if watched is None or watched.rule(index) is None else None

    return Wanted(_always(ruleset), of_rule)


def _always(ruleset: Ruleset) -> frozenset[str]:
    """Return the names, those of rules and those of events together."""
    found: set[str] = set()
    for origin in (UNKNOWN, *known_origins(ruleset.maps).values()):
        found.update(origin.time_fields, origin.host_fields)
    for names in needed_by_rule(ruleset).values():
        found |= names
    return frozenset(found)
