"""Which fields of an event evidence is made of.

Who reads events by column asks here, so that it reads no more of them: the fields that tell time and host,
those that correlations group and count by, and those that the rules look at that hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.detect.batches import Preferred, Wanted
from haidang.events.times import parse_time
from haidang.scanning._evidence import UNKNOWN, known_origins, needed_by_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.scanning._ruleset import Ruleset

__all__ = ["wanted_of_events"]


def wanted_of_events(ruleset: Ruleset) -> Wanted:
    """Return what hits must have of their events."""
    origins = known_origins(ruleset.maps)

    def first(name: str) -> tuple[Preferred, Preferred]:
        origin = origins.get(name, UNKNOWN)
        return (
            Preferred(origin.time_fields or UNKNOWN.time_fields, lambda value: parse_time(value) is not None),
            Preferred(origin.host_fields or UNKNOWN.host_fields, lambda _: True),
        )

    def of_rule(index: int) -> Sequence[str] | None:
        watched = ruleset.watched
        return ruleset.rule(index).fields if watched is None or watched.rule(index) is None else None

    return Wanted(frozenset().union(*needed_by_rule(ruleset).values()), first, of_rule)
