"""Drawings for pages: places and sizes of shapes, worked out here; templates write them as SVG attributes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from haidang.console.alerts.models import Alert

__all__ = ["Bar", "Columns", "Dot", "TimeLine", "columns", "time_line"]

_WIDTH, _HEIGHT = 720, 120
_LEVELS = (0, 1, 2, 3, 4)


class Bar(NamedTuple):
    """A part of a column: the alerts of one level."""

    level: int
    y: float
    height: float


class Column(NamedTuple):
    """The alerts of one stretch of time, the gravest at the bottom."""

    x: float
    width: float
    since: datetime
    until: datetime
    total: int
    bars: list[Bar]


class Tick(NamedTuple):
    """A mark on the axis."""

    x: float
    at: datetime


class Columns(NamedTuple):
    """Alerts by level over time."""

    width: int
    height: int
    most: int
    columns: list[Column]
    ticks: list[Tick]


def columns(
    counts: Mapping[tuple[datetime, int], int], since: datetime, step: timedelta, number: int
) -> Columns:
    """Return the columns of ``number`` steps from ``since`` on.

    Args:
        counts: How many alerts, by the beginning of an hour (UTC) and the level.
        since: Where the first column begins.
        step: How long a column is.
        number: How many columns there are.
    """
    sums: list[dict[int, int]] = [{} for _ in range(number)]
    for (hour, level), count in counts.items():
        place = (hour - since) // step
        if 0 <= place < number:
            sums[place][level] = sums[place].get(level, 0) + count
    most = max((sum(one.values()) for one in sums), default=0)
    slot = _WIDTH / number
    made = []
    for place, one in enumerate(sums):
        y, bars = float(_HEIGHT), []
        for level in reversed(_LEVELS):
            if count := one.get(level, 0):
                height = max(1.5, count / most * (_HEIGHT - 4))
                y -= height
                bars.append(Bar(level, round(max(y, 0), 1), round(height, 1)))
        begins = since + place * step
        made.append(
            Column(
                round(place * slot + 1, 1), round(slot - 2, 1), begins, begins + step, sum(one.values()), bars
            )
        )
    days = [
        Tick(column.x, column.since)
        for column in made
        if column.since.astimezone().hour < step // timedelta(hours=1)
    ]
    return Columns(_WIDTH, _HEIGHT, most, made, days)


class Dot(NamedTuple):
    """An alert on a time line."""

    x: float
    y: float
    alert: Alert
    this: bool


class TimeLine(NamedTuple):
    """Alerts of one entity in the order of time; ``lanes`` are levels, the gravest on top."""

    dots: list[Dot]
    since: datetime
    until: datetime


def time_line(alerts: Iterable[Alert], this: Alert) -> TimeLine:
    """Place alerts by when they were last seen, and by level."""
    ordered = sorted(alerts, key=lambda alert: alert.last_seen)
    since = ordered[0].last_seen if ordered else this.last_seen
    until = ordered[-1].last_seen if ordered else this.last_seen
    span = (until - since) / timedelta(seconds=1) or 1.0
    dots = [
        Dot(
            round(10 + (alert.last_seen - since) / timedelta(seconds=1) / span * 380, 1),
            float(10 + (4 - alert.level) * 12),
            alert,
            alert.pk == this.pk,
        )
        for alert in ordered
    ]
    return TimeLine(dots, since.astimezone(UTC), until.astimezone(UTC))
