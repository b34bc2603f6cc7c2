"""How much there is against an entity: points for its alerts, of which half are left after a day.

An alert gives the points of its level when it is made, and as much again each time that the number of its
findings doubles: a rule that fires ten thousand times does not drown the rest. What happens on a critical
asset counts more.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

from haidang.console.alerts.models import Level, Risk
from haidang.console.alerts.writing import CHUNK, write
from haidang.console.units.models import Criticality

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["Scores", "decayed", "points"]

_DAY_SECONDS = 86_400.0
_POINTS = {
    Level.INFORMATIONAL: 0.0,
    Level.LOW: 1.0,
    Level.MEDIUM: 5.0,
    Level.HIGH: 20.0,
    Level.CRITICAL: 50.0,
}
_FACTORS = {
    Criticality.LOW: 0.5,
    Criticality.MEDIUM: 1.0,
    Criticality.HIGH: 2.0,
    Criticality.CRITICAL: 3.0,
}


def points(level: int, criticality: int, before: int, after: int) -> float:
    """Return the points of an alert whose findings grow from ``before`` to ``after``."""
    return _POINTS[Level(level)] * _FACTORS[Criticality(criticality)] * (log2(1 + after) - log2(1 + before))


def decayed(score: float, since: datetime, now: datetime) -> float:
    """Return what is left of a score; a clock that was put back leaves it as it is."""
    return float(score * 0.5 ** (max(0.0, (now - since).total_seconds()) / _DAY_SECONDS))


class Scores:
    """The scores of some entities, on their way from and to the database."""

    def __init__(self, entities: Iterable[tuple[str, int | None]], now: datetime) -> None:
        """Read the scores of entities, each with its unit."""
        self._now = now
        self._rows: dict[tuple[str, int | None], Risk] = {}
        names = sorted({name for name, _ in entities})
        for start in range(0, len(names), CHUNK):
            for row in Risk.objects.filter(entity__in=names[start : start + CHUNK]):
                self._rows[row.entity, row.unit_id] = row
        self._touched: set[tuple[str, int | None]] = set()

    def add(self, entity: str, unit: int | None, kind: str, more: float) -> int:
        """Add points to an entity; return its score."""
        key = (entity, unit)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Risk(entity=entity, unit_id=unit, entity_kind=kind, updated=self._now)
        row.score = decayed(row.score, row.updated, self._now) + more
        row.updated = self._now
        self._touched.add(key)
        return round(row.score)

    def save(self) -> None:
        """Write the scores that changed."""
        write((self._rows[key] for key in self._touched), ("score", "updated"))
