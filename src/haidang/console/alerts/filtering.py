"""What the queue shows: facets, words and a time, read from an address and written back into one.

Values of an address come from anybody: what is not understood is left out, and what is understood only ever
narrows the alerts that the person may see.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from haidang.console.alerts import fulltext
from haidang.console.alerts.models import Alert, Level
from haidang.findings.words import TACTIC_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import QueryDict

    from haidang.console.people.models import User
    from haidang.console.people.scope import VisibleQuerySet

__all__ = ["FACETS", "TIMES", "Filter"]

FACETS = ("state", "level", "unit", "source", "tactic", "owner")
TIMES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
"""Ranges that end now."""

_STATES = frozenset(Alert.State.values)
_NOBODY, _ME = "none", "me"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; without states, what is open."""

    state: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    tactic: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    technique: str = ""
    rule: str = ""
    entity: str = ""
    time: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    _now: datetime = field(default_factory=timezone.now, compare=False)

    @classmethod
    def read(cls, query: QueryDict) -> Filter:
        """Read an address."""

        def words(name: str, known: Iterable[str] | None = None) -> tuple[str, ...]:
            values = dict.fromkeys(value for value in query.getlist(name) if value)
            if known is None:
                return tuple(
                    v for v in values if v in {_NOBODY, _ME} or (v.isascii() and v.isdigit() and len(v) < 18)
                )
            allowed = set(known)
            return tuple(v for v in values if v in allowed)

        def moment(name: str) -> str:
            said = _moment(query.get(name, ""))
            return said.isoformat() if said else ""

        return cls(
            state=words("state", {*_STATES, "any"}),
            level=words("level", map(str, Level.values)),
            unit=words("unit"),
            source=words("source"),
            tactic=words("tactic", TACTIC_WORDS),
            owner=words("owner"),
            technique=_technique(query.get("technique", "")),
            rule=query.get("rule", "")[:_LONGEST],
            entity=query.get("entity", "")[:_LONGEST],
            time=query.get("time", "") if query.get("time") in TIMES else "",
            since=moment("since"),
            until=moment("until"),
            q=query.get("q", "").replace("\0", "").strip()[:_LONGEST],
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Return names and values, as in an address."""
        said: list[tuple[str, str]] = []
        for name in (*FACETS, "technique", "rule", "entity", "time", "since", "until", "q"):
            value = getattr(self, name)
            said += [(name, one) for one in ([value] if isinstance(value, str) else value) if one]
        return said

    def address(self) -> str:
        """Return the query of an address."""
        return urlencode(self.pairs())

    def changed(self, name: str, value: str) -> Filter:
        """Return the filter with a value of a facet turned on or off."""
        had: tuple[str, ...] = getattr(self, name)
        now = tuple(v for v in had if v != value) if value in had else (*had, value)
        changed: dict[str, Any] = {name: now}
        return replace(self, **changed)

    def without(self, name: str) -> Filter:
        """Return the filter without a facet or field."""
        empty: Any = () if name in FACETS else ""
        return replace(self, **{name: empty})

    @property
    def searches(self) -> bool:
        """Whether the full-text index is asked; then alerts come by id."""
        return bool(self._words().wanted or self._tags())

    def _words(self) -> fulltext.Words:
        return fulltext.parsed(self.q)

    def _tags(self) -> tuple[str, ...]:
        # A technique is narrower than the tactics that may stand beside it.
        if self.technique:
            return (f"attack.{self.technique.lower()}",)
        return tuple(f"attack.{tactic}" for tactic in self.tactic)

    def applied(self, user: User) -> VisibleQuerySet[Alert]:
        """Return the alerts that are asked for, of those that a person may see, newest first."""
        rows = self._by_state(Alert.objects.visible_by_key(user, _numbers(self.unit)))
        if self.level:
            rows = rows.filter(level__in=[int(level) for level in self.level])
        if self.source:
            rows = rows.filter(source_id__in=_numbers(self.source))
        if self.owner:
            rows = self._by_owner(rows, user)
        for name in ("rule", "entity"):
            if value := getattr(self, name):
                rows = rows.filter(**{name: value})
        since, until = self.range()
        if since:
            rows = rows.filter(last_seen__gte=since)
        if until:
            rows = rows.filter(last_seen__lt=until)
        narrow = not user.sees_everything or bool(
            self.unit
            or set(self.state) & _STATES - {Alert.State.CLOSED}
            or not self.state
            or self.level
            or self.source
            or self.owner
            or self.rule
            or self.entity
            or since
            or until
        )
        rows = rows.order_by("-last_seen", "-id")
        return fulltext.matching(rows, self._words(), self._tags(), narrow=narrow)

    def range(self) -> tuple[datetime | None, datetime | None]:
        """Return the time that is asked for."""
        if self.time:
            return self._now - TIMES[self.time], None
        return _moment(self.since), _moment(self.until)

    def _by_state(self, rows: VisibleQuerySet[Alert]) -> VisibleQuerySet[Alert]:
        states = set(self.state)
        if "any" in states or states == _STATES:
            return rows
        if not states or states == _STATES - {Alert.State.CLOSED}:
            return rows.filter(closed_at__isnull=True)
        rows = rows.filter(state__in=states)
        return rows.filter(closed_at__isnull=True) if Alert.State.CLOSED not in states else rows

    def _by_owner(self, rows: VisibleQuerySet[Alert], user: User) -> VisibleQuerySet[Alert]:
        from django.db.models import Q

        ids = _numbers(self.owner)
        if _ME in self.owner and user.pk is not None:
            ids.append(user.pk)
        asked = Q(owner_id__in=ids) if ids else Q()
        return rows.filter(asked | Q(owner__isnull=True) if _NOBODY in self.owner else asked)


def _numbers(values: tuple[str, ...]) -> list[int]:
    return [int(value) for value in values if value.isdigit()]


def _moment(text: str) -> datetime | None:
    try:
        said = parse_datetime(text)
    except ValueError:
        return None
    if said is None or not 1970 <= said.year <= 9000:
        return None
    # In UTC, since PostgreSQL takes no offset beyond 15:59 hours.
    return (said if said.tzinfo else said.replace(tzinfo=timezone.get_current_timezone())).astimezone(UTC)


def _technique(text: str) -> str:
    import re

    return text.upper() if re.fullmatch(r"[Tt]\d{4}(\.\d{3})?", text, re.ASCII) else ""
