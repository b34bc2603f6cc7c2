"""What the overview shows, of the alerts and sources that a person may see.

Each query reads an index alone, so that it stays quick with a million alerts (``benchmarks/console.py``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Avg, Count, Expression, F, FloatField, Func, Max, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat, Substr

from haidang.console.alerts import charts
from haidang.console.alerts.models import Alert, Level, Risk
from haidang.console.sources.models import Source
from haidang.console.units.models import Unit
from haidang.findings.attack import technique_names
from haidang.findings.words import TACTIC_WORDS, tactics

if TYPE_CHECKING:
    from haidang.console.people.models import User

__all__ = ["Overview", "overview"]

DAYS = 7
_STEP = timedelta(hours=4)
_SHADES = 5


class Cell(NamedTuple):
    """A technique in the heat map; ``shade`` from 1 to 5 says how many alerts it has."""

    technique: str
    name: str
    number: int
    level: int
    shade: int


class TacticColumn(NamedTuple):
    """A tactic with its techniques, those with the most alerts first."""

    tactic: str
    name: str
    number: int
    level: int
    cells: list[Cell]


class UnitAtRisk(NamedTuple):
    """A unit with its open alerts."""

    unit: Unit
    total: int
    grave: int
    worst: int


class Times(NamedTuple):
    """How long it took on average, None where there was nothing."""

    acknowledge: timedelta | None
    close: timedelta | None


@dataclass(slots=True)
class Overview:
    """All of it."""

    open_by_level: dict[int, int] = field(default_factory=dict)
    new: int = 0
    mine: int = 0
    unowned_grave: int = 0
    urgent: list[Alert] = field(default_factory=list)
    chart: charts.Columns | None = None
    matrix: list[TacticColumn] = field(default_factory=list)
    quiet: list[Source] = field(default_factory=list)
    units: list[UnitAtRisk] = field(default_factory=list)
    risks: list[Risk] = field(default_factory=list)
    times: Times = field(default_factory=lambda: Times(None, None))


def overview(user: User, now: datetime) -> Overview:
    """Work out the overview as of ``now``."""
    rows = Alert.objects.visible_by_key(user, enter=False)
    still = rows.filter(closed_at__isnull=True)
    result = Overview()
    counted = still.order_by().values_list("level", "state", "owner_id").annotate(n=Count("*"))
    for level, state, owner, number in counted:
        result.open_by_level[level] = result.open_by_level.get(level, 0) + number
        result.new += number if state == Alert.State.NEW else 0
        result.mine += number if owner == user.pk else 0
        result.unowned_grave += number if owner is None and level >= Level.HIGH else 0
    result.urgent = _urgent(still, user)
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=DAYS) + timedelta(hours=1)
    since -= timedelta(hours=(since.astimezone().hour) % 4)
    result.chart = _chart(rows, since, now)
    result.matrix = _matrix(rows, since)
    result.quiet = quiet_sources(user, now)
    result.units = _units(still)
    result.risks = list(Risk.objects.visible_to(user).select_related("unit").order_by("-score")[:8])
    result.times = _times(rows, now - timedelta(days=DAYS))
    return result


def quiet_sources(user: User, now: datetime) -> list[Source]:
    """Return the sources that have been silent for longer than they should, the longest first."""
    sources = Source.objects.visible_to(user).filter(enabled=True, last_seen__isnull=False)
    silent = [
        source
        for source in sources.select_related("unit")
        if source.last_seen and source.last_seen < now - timedelta(minutes=source.quiet_after)
    ]
    return sorted(silent, key=lambda source: source.last_seen or now)


def _urgent(still: Any, user: User) -> list[Alert]:
    """Return what to take up first: mine and nobody's, the gravest and newest first."""
    found: list[Alert] = []
    for level in sorted(Level.values, reverse=True):
        # One comparison instead of two: SQLite then walks what is open in its order.
        rows = still.alias(hand=Coalesce("owner_id", user.pk)).filter(level=level, hand=user.pk)
        rows = rows.order_by("-last_seen", "-id").select_related("unit", "owner").defer("search")
        found += rows[: 8 - len(found)]
        if len(found) >= 8:
            break
    return found


def _chart(rows: Any, since: datetime, now: datetime) -> charts.Columns:
    hour = Substr(Cast("created", TextField()), 1, 13)
    counted = rows.filter(created__gte=since).order_by().values_list(hour, "level").annotate(n=Count("*"))
    counts = {
        (datetime.fromisoformat(f"{text}:00").replace(tzinfo=UTC), level): number
        for text, level, number in counted
    }
    number = (now - since) // _STEP + 1
    return charts.columns(counts, since, _STEP, number)


def _matrix(rows: Any, since: datetime) -> list[TacticColumn]:
    by_rule = list(
        rows.filter(created__gte=since)
        .order_by()
        # Not the rule itself: SQLite would walk the index of rules, all of it, instead of that of times.
        .values_list(Concat("rule", Value("")))
        .annotate(n=Count("id"), newest=Max("id"), worst=Max("level"))
    )
    by_rule.sort(key=lambda row: -row[1])
    by_rule = by_rule[:500]
    tags = {
        rule: (tactics(str(tag) for tag in said), ids)
        for rule, said, ids in Alert.objects.filter(pk__in=[row[2] for row in by_rule])
        .order_by()
        .values_list("rule", "tags", "techniques")
    }
    total: Counter[str] = Counter()
    cells: dict[str, Counter[str]] = {}
    worst: dict[str, int] = {}
    for rule, number, _newest, level in by_rule:
        named, ids = tags.get(rule, ((), ()))
        for tactic in named:
            total[tactic] += number
            worst[tactic] = max(worst.get(tactic, 0), level)
            for technique in ids:
                cells.setdefault(tactic, Counter())[technique] += number
                worst[f"{tactic} {technique}"] = max(worst.get(f"{tactic} {technique}", 0), level)
    most = max((number for counter in cells.values() for number in counter.values()), default=1)
    names = technique_names()
    return [
        TacticColumn(
            tactic,
            name,
            total[tactic],
            worst.get(tactic, 0),
            [
                Cell(one, names.get(one, ""), number, worst[f"{tactic} {one}"], _shade(number, most))
                for one, number in cells.get(tactic, Counter()).most_common(6)
            ],
        )
        for tactic, name in TACTIC_WORDS.items()
        if total[tactic]
    ]


def _shade(number: int, most: int) -> int:
    from math import log

    return 1 + round((_SHADES - 1) * log(number) / log(most)) if most > 1 else _SHADES


def _units(still: Any) -> list[UnitAtRisk]:
    # A sum, not the unit itself: SQLite would walk the index of units, all of it, instead of what is open.
    counted = still.order_by().values_list(F("unit_id") + 0, "level").annotate(n=Count("*"))
    totals: dict[int, list[int]] = {}
    for unit, level, number in counted:
        if unit is not None:
            one = totals.setdefault(unit, [0, 0, 0])
            one[0] += number
            one[1] += number if level >= Level.HIGH else 0
            one[2] = max(one[2], level)
    first = sorted(totals.items(), key=lambda item: (-item[1][1], -item[1][2], -item[1][0]))[:8]
    units = Unit.objects.in_bulk([pk for pk, _ in first])
    return [UnitAtRisk(units[pk], *one) for pk, one in first if pk in units]


class _Seconds(Func):
    """A moment as seconds; SQLite's own function, because Django's is Python and slow on many rows."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="julianday(%(expressions)s) * 86400.0", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)", **extra)


def _times(rows: Any, since: datetime) -> Times:
    def mean(name: str) -> timedelta | None:
        span: Expression = _Seconds(F(name)) - _Seconds(F("created"))
        seconds = rows.filter(**{f"{name}__gte": since}).order_by().aggregate(mean=Avg(span))["mean"]
        return None if seconds is None else timedelta(seconds=max(0.0, float(seconds)))

    return Times(mean("acknowledged_at"), mean("closed_at"))
