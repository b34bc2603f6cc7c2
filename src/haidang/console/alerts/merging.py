"""Findings of the same rule on the same entity of the same unit, not far apart, are one alert.

Rules of this module:

- An alert takes findings until it is closed, and while they are within the window of its first or last one.
  What comes after makes a new alert.
- The first twenty findings are kept as examples; all are counted.
- The level, the title and the unit of an alert are those it was made with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.console.alerts.models import Alert, Example
from haidang.console.alerts.scoring import Scores, points
from haidang.console.alerts.storing import storable_finding, storable_text
from haidang.console.alerts.writing import CHUNK, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from haidang.console.alerts.told import Group, Told

__all__ = ["EXAMPLES", "Merger"]

EXAMPLES = 20
"""Findings that are kept with an alert."""
_OPEN = (Alert.State.NEW, Alert.State.ACKNOWLEDGED)
_SEARCH_FINDINGS = 3
_SEARCH_VALUE = 300
_SEARCH_CHARS = 4000
_MOST_RISK = 2_000_000_000


class Merger:
    """Puts groups of findings into alerts."""

    def __init__(self, window: timedelta, now: datetime) -> None:
        """Begin with nothing."""
        self._window = window
        self._now = now
        self._new: list[Alert] = []
        self._grown: dict[int, Alert] = {}
        self._examples: list[tuple[Alert, Told]] = []
        self.alerts: dict[str, Alert] = {}
        """Id of a correlation's finding to the alert that took it."""

    @property
    def new(self) -> Sequence[Alert]:
        """The alerts that were made."""
        return self._new

    def merge(self, groups: Sequence[Group]) -> None:
        """Make and grow alerts, and write them."""
        if not groups:
            return
        known = _open_alerts(groups)
        scores = Scores(((group.entity.name, group.place.unit) for group in groups), self._now)
        for group in groups:
            candidates = known.setdefault((group.rule.key, group.entity.name, group.place.unit), [])
            for cluster in self._clusters(group.items):
                self._take(group, cluster, candidates, scores)
        write([*self._new, *self._grown.values()], ("count", "first_seen", "last_seen", "risk"))
        Example.objects.bulk_create(
            (
                Example(
                    alert=alert,
                    finding_id=told.finding.id,
                    at=told.time,
                    finding=storable_finding(told.finding),
                )
                for alert, told in self._examples
            ),
            batch_size=CHUNK,
            ignore_conflicts=True,
        )
        scores.save()

    def _clusters(self, items: list[Told]) -> Iterator[list[Told]]:
        """Yield findings that are within the window of each other, in order of time."""
        if len(items) > 1:
            items.sort(key=lambda told: told.time)
        begin = 0
        for at in range(1, len(items)):
            if items[at].time - items[at - 1].time > self._window:
                yield items[begin:at]
                begin = at
        yield items[begin:]

    def _take(self, group: Group, cluster: list[Told], candidates: list[Alert], scores: Scores) -> None:
        first, last = cluster[0].time, cluster[-1].time
        alert = next(
            (
                one
                for one in candidates
                if one.first_seen - self._window <= last and first <= one.last_seen + self._window
            ),
            None,
        )
        before = 0
        if alert is None:
            alert = self._made(group, cluster)
            candidates.append(alert)
        else:
            before = alert.count
            alert.count += len(cluster)
            alert.first_seen = min(alert.first_seen, first)
            alert.last_seen = max(alert.last_seen, last)
            if alert.pk is not None:
                self._grown[alert.pk] = alert
        more = points(alert.level, group.place.criticality, before, alert.count)
        score = scores.add(group.entity.name, group.place.unit, group.entity.kind, more)
        alert.risk = min(score, _MOST_RISK)
        self._examples.extend((alert, told) for told in cluster[: max(0, EXAMPLES - before)])
        for told in cluster:
            if told.finding.origin == "correlation":
                self.alerts[told.finding.id] = alert

    def _made(self, group: Group, cluster: list[Told]) -> Alert:
        rule = group.rule
        alert = Alert(
            rule=rule.key,
            title=rule.title,
            level=rule.level,
            tags=rule.tags,
            techniques=rule.techniques,
            entity=group.entity.name,
            entity_kind=group.entity.kind,
            unit_id=group.place.unit,
            asset_id=group.place.asset,
            source_id=group.source,
            count=len(cluster),
            first_seen=cluster[0].time,
            last_seen=cluster[-1].time,
            created=self._now,
            search=_search(group, cluster),
        )
        self._new.append(alert)
        return alert


def _open_alerts(groups: Iterable[Group]) -> dict[tuple[str, str, int | None], list[Alert]]:
    """Return the open alerts of some groups, those that were seen last first."""
    rules = sorted({group.rule.key for group in groups})
    names = sorted({group.entity.name for group in groups})
    found: dict[tuple[str, str, int | None], list[Alert]] = {}
    for start in range(0, len(names), CHUNK):
        # On PostgreSQL, who closes an alert meanwhile waits for its findings to be counted.
        rows = Alert.objects.select_for_update().filter(
            rule__in=rules, entity__in=names[start : start + CHUNK], state__in=_OPEN
        )
        for alert in rows.order_by("-last_seen", "-id"):
            found.setdefault((alert.rule, alert.entity, alert.unit_id), []).append(alert)
    return found


def _search(group: Group, cluster: Sequence[Told]) -> str:
    """Return the words that an alert is found by, lower-cased."""
    words: dict[str, None] = dict.fromkeys(
        (group.rule.title, group.entity.name, group.rule.key, *group.rule.tags)
    )
    for told in cluster[:_SEARCH_FINDINGS]:
        for value in (told.finding.host, *(match.value for match in told.finding.matched)):
            if isinstance(value, str | int) and value != "":
                words[storable_text(str(value)[:_SEARCH_VALUE])] = None
    return " ".join(words).lower()[:_SEARCH_CHARS]
