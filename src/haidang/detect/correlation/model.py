"""What goes into correlation and what comes out of it.

The values of hits come from logs and are untrusted; nothing here interprets them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from haidang.sigma.ir import CorrelationRule  # noqa: TC001 - msgspec reads the annotations of a struct

__all__ = ["Correlated", "Hit"]


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One rule that one event satisfied, or one moment at which a correlation was satisfied."""

    rule: str
    """Key of the rule."""
    time: int | None
    """Event time in nanoseconds since 1970 UTC, None where the event has none."""
    position: int
    """Position of the event in the run; it orders events of one time. All hits of one event share it."""
    values: dict[str, Any]
    """The fields that ``Correlator.needed`` names for this rule, those that the event has."""
    finding: Any
    """Opaque, handed back with the members; for a hit of a correlation it is its :class:`Correlated`."""


class Correlated(msgspec.Struct):
    """One correlation rule on one group of events: one burst, reported once, when it is over.

    ``rule``, ``group``, ``time_first`` and ``time_met`` never change once the condition holds, so an
    identity made of them is the same for a burst that still goes on (``Correlator.pending``, or the
    ``finding`` of a member) and for the finished one. The rest grows with the burst.
    """

    rule: CorrelationRule
    time_first: int
    """Time of the first member."""
    time_last: int
    """Time of the last member."""
    group: dict[str, Any]
    """The group-by fields, with the values of the first member as they were written."""
    members: tuple[Hit, ...]
    """In order of time; at most ``limits.correlation_members``, but at least two of each rule, the first
    and the latest."""
    count: int
    """How many events the burst joins, all of them; a correlation that is a member counts as one."""
    value: float | None
    """The most extreme number that satisfied the condition: the lowest where it only has lt and lte, else
    the highest; None for temporal types."""
    time_met: int
    """When the condition held for the first time."""
