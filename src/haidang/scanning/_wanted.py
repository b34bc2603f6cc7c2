"""Which fields of an event evidence is made of, besides those that a rule looks at.

Who reads events by column asks here, so that it reads no more of them: the fields that tell time and host,
and those that correlations group and count by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.scanning._evidence import UNKNOWN, known_origins, needed_by_rule

if TYPE_CHECKING:
    from haidang.scanning._ruleset import Ruleset

__all__ = ["wanted_fields"]


def wanted_fields(ruleset: Ruleset) -> frozenset[str]:
    """Return the names, those of rules and those of events together."""
    found: set[str] = set()
    for origin in (UNKNOWN, *known_origins(ruleset.maps).values()):
        found.update(origin.time_fields, origin.host_fields)
    for names in needed_by_rule(ruleset).values():
        found |= names
    return frozenset(found)
