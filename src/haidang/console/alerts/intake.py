"""Where findings become alerts: the sink of :mod:`haidang.ingest.detecting`, on Django's database.

For each batch, in one transaction with its number (:class:`~haidang.console.alerts.models.Batch`): findings
of rules that are off are dropped and counted; silences keep back; what is left is told apart by rule, entity
and unit (:mod:`~haidang.console.alerts.merging`), and gets an asset, a unit and a score. A batch that is
delivered again has no effect, nor has a correlation's finding that is made again after a restart, but that
its example is brought up to date.

Findings hold what logs hold: they are untrusted.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from haidang.console.alerts import looking_back
from haidang.console.alerts.alarms import LOST_BATCH, alarm
from haidang.console.alerts.enriching import Assets
from haidang.console.alerts.entities import entity_of
from haidang.console.alerts.merging import Merger
from haidang.console.alerts.models import Batch, Correlated, Example, RuleDay
from haidang.console.alerts.notify.queueing import queue
from haidang.console.alerts.silencing import Silences, rules_off
from haidang.console.alerts.storing import storable_finding
from haidang.console.alerts.told import Group, Told, rule_told
from haidang.console.alerts.writing import write
from haidang.console.sources.health import Homes, count_arrivals
from haidang.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from haidang.console.alerts.entities import Entity
    from haidang.findings.model import Finding
    from haidang.ingest.detecting import Detected
    from haidang.scanning.live import Member

__all__ = ["AlertSink"]

_LOG = logging.getLogger(__name__)
_BATCHES_KEPT = 1000
"""Numbers of batches that stay known, so that a second detector by mistake finds them taken."""
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(minutes=5)
"""An event from further ahead has a wrong clock or zone; then it counts when it was received."""


class AlertSink:
    """Makes alerts; one for each detector."""

    def __init__(
        self,
        spool: str = "spool",
        *,
        looks_back: int = 0,
        window: timedelta = timedelta(hours=24),
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        """Keep the settings.

        Args:
            spool: Which spool the numbers of batches are of.
            looks_back: Nanoseconds that correlations look back (``LiveMatcher.looks_back``).
            window: Findings of a rule on an entity that are not further apart are one alert.
            clock: The time.
        """
        self._spool = spool
        self._looks_back = looks_back
        self._window = window
        self._clock = clock
        self._assets = Assets()
        self._homes = Homes()

    def look_back(self, nanoseconds: int) -> None:
        """Keep what correlations are fed with for so long from now on."""
        self._looks_back = nanoseconds

    def position(self) -> int:
        """Return the number of the last batch whose effects are kept, 0 for none.

        Raises:
            StorageError: The database is away.
        """
        with _storage():
            return self._position()

    def members(self) -> Iterator[Sequence[Member]]:
        """Yield what correlations were fed with, batch by batch.

        Raises:
            StorageError: The database is away.
        """
        with _storage():
            yield from looking_back.members()

    def apply(self, batches: Sequence[Detected], correlated: Sequence[Finding]) -> None:
        """Keep the effects of batches in one transaction with their numbers.

        Raises:
            StorageError: The database is away; nothing was kept.
        """
        try:
            self._transact(batches, correlated)
        except StorageError:
            raise
        except DatabaseError:
            if len(batches) > 1:
                # Whatever the database refuses, it is one batch that holds it.
                _LOG.exception("the database refuses batches; trying one by one")
                for batch in batches[:-1]:
                    self.apply([batch], ())
                self.apply(batches[-1:], correlated)
            else:
                self._give_up(batches)

    def _give_up(self, batches: Sequence[Detected]) -> None:
        """Keep an alarm in place of what the database refuses; the batches behind must not wait for it."""
        last = self.position()
        if batches and all(batch.number <= last for batch in batches):
            return  # Another detector was quicker.
        _LOG.exception("the database refuses findings")
        emptied = [replace(batch, findings=(), members=()) for batch in batches]
        try:
            self._transact(emptied, (), refused=True)
        except DatabaseError as error:
            raise StorageError(f"the database refuses a batch: {error}") from error

    def _transact(
        self, batches: Sequence[Detected], correlated: Sequence[Finding], *, refused: bool = False
    ) -> None:
        with _storage(), _on_disk(), transaction.atomic():
            last = self._position()
            fresh = [batch for batch in batches if batch.number > last]
            now = self._clock()
            if fresh:
                self._note(fresh, now)
            if refused:
                alarm(LOST_BATCH, entity=f"batch {batches[0].number}" if batches else "correlation", now=now)
            self._make_alerts(fresh, correlated, now)

    def _position(self) -> int:
        return Batch.objects.filter(spool=self._spool).aggregate(last=Max("number"))["last"] or 0

    def _note(self, batches: Sequence[Detected], now: datetime) -> None:
        """Keep the numbers first: who comes second learns of it before anything else is done."""
        Batch.objects.bulk_create(Batch(spool=self._spool, number=batch.number) for batch in batches)
        Batch.objects.filter(spool=self._spool, number__lt=batches[0].number - _BATCHES_KEPT).delete()
        looking_back.keep(batches, self._looks_back, now)
        count_arrivals(batches, self._homes, now)

    def _make_alerts(self, batches: Sequence[Detected], correlated: Sequence[Finding], now: datetime) -> None:
        new = _news(correlated)
        if not new and not any(batch.findings for batch in batches):
            return
        self._assets.refresh()
        counts = _RuleCounts(rules_off())
        groups: dict[tuple[str, str, int | None], Group] = {}
        for batch in batches:
            self._gather(groups, batch.findings, batch.source, _moment(batch.received), counts)
        for finding in new:
            self._gather(groups, [finding], finding.source.path.partition("/")[0], now, counts)
        silences = Silences(now)
        merger = Merger(self._window, now)
        loud = []
        for group in groups.values():
            if silences.holds(group.rule.key, group.entity.name, group.place.path, len(group.items)):
                counts.silenced[group.rule.key] += len(group.items)
            else:
                loud.append(group)
        merger.merge(loud)
        queue(merger.new, now)
        silences.save()
        counts.save(timezone.localdate(now))
        Correlated.objects.bulk_create(
            Correlated(finding_id=finding.id, alert=merger.alerts.get(finding.id), at=now) for finding in new
        )

    def _gather(
        self,
        groups: dict[tuple[str, str, int | None], Group],
        findings: Iterable[Finding],
        source: str,
        received: datetime,
        counts: _RuleCounts,
    ) -> None:
        """Put findings of a source together by rule, entity and unit."""
        home = self._homes.of(source)
        latest = received + _AHEAD
        for finding in findings:
            rule = rule_told(finding.rule)
            counts.findings[rule.key] += 1
            if rule.key in counts.rules_off:
                counts.off[rule.key] += 1
                continue
            entity: Entity = entity_of(finding, home.name)
            place = self._assets.find(entity, home.place)
            key = (rule.key, entity.name, place.unit)
            group = groups.get(key)
            if group is None:
                group = groups[key] = Group(rule, entity, place, home.pk, [])
            time = datetime.fromisoformat(finding.time) if finding.time else received
            # In UTC, since PostgreSQL takes no offset beyond 15:59 hours.
            group.items.append(
                Told(time.astimezone(UTC) if _EARLIEST < time <= latest else received, finding)
            )


class _RuleCounts:
    """What rules found, and what became of it."""

    def __init__(self, off: frozenset[str]) -> None:
        self.rules_off = off
        self.findings: Counter[str] = Counter()
        self.off: Counter[str] = Counter()
        self.silenced: Counter[str] = Counter()

    def save(self, day: date) -> None:
        rows = {row.rule: row for row in RuleDay.objects.filter(day=day, rule__in=list(self.findings))}
        for rule, findings in self.findings.items():
            row = rows.setdefault(rule, RuleDay(rule=rule, day=day))
            row.findings += findings
            row.off += self.off[rule]
            row.silenced += self.silenced[rule]
        write(rows.values(), ("findings", "off", "silenced"))


def _news(correlated: Sequence[Finding]) -> list[Finding]:
    """Return the findings of correlations that were not handed on before; bring the others up to date."""
    if not correlated:
        return []
    # One that goes on and ends at the same time comes twice; the later one knows all.
    latest = {finding.id: finding for finding in correlated}
    known = Correlated.objects.in_bulk(list(latest), field_name="finding_id")
    for finding_id, one in known.items():
        told = storable_finding(latest[finding_id])
        Example.objects.filter(alert_id=one.alert_id, finding_id=finding_id).update(finding=told)
    return [finding for finding in latest.values() if finding.id not in known]


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


@contextmanager
def _on_disk() -> Iterator[None]:
    """Have what is committed on the disk: the spool lets go of its batches then, and power may fail."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = FULL")
    yield


@contextmanager
def _storage() -> Iterator[None]:
    """Say of a database that is away that it is; it is asked anew the next time."""
    _let_go()
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        _let_go()
        raise StorageError(f"the console's database is away: {error}") from error


def _let_go() -> None:
    """Close a connection that is of no use any more, unless somebody else's transaction is open on it."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
