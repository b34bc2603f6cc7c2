"""Pages of the queue and the counts beside them.

Rules:

- A page begins where the one before ended (keyset), so that the hundredth is as quick as the first.
- Counts look at the newest :data:`MOST` alerts: past them they say "at least". Each facet is counted
  without its own choice, so that one sees what another choice would bring.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q

from haidang.console.alerts.filtering import FACETS, Filter
from haidang.console.alerts.models import Alert
from haidang.findings.words import TACTIC_WORDS, tactics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.console.people.models import User

__all__ = ["MOST", "PAGE", "Counts", "Page", "counts", "page"]

PAGE = 60
MOST = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Page(NamedTuple):
    """Some alerts, and where the next ones begin ("" at the end)."""

    alerts: list[Alert]
    next: str


def page(asked: Filter, user: User, after: str = "") -> Page:
    """Return a page of the queue."""
    rows = asked.applied(user)
    seen, number = _place(after)
    if number and asked.searches:
        rows = rows.filter(id__lt=number)
    elif number:
        # The first comparison is what the index is entered by.
        rows = rows.filter(last_seen__lte=seen).filter(Q(last_seen__lt=seen) | Q(id__lt=number))
    alerts = list(rows.select_related("unit", "owner").defer("search", "asset", "source")[: PAGE + 1])
    more = len(alerts) > PAGE
    alerts = alerts[:PAGE]
    if not more:
        return Page(alerts, "")
    last = alerts[-1]
    return Page(alerts, f"{(last.last_seen - _EPOCH) // timedelta(microseconds=1)}-{last.pk}")


def _place(text: str) -> tuple[datetime, int]:
    seen, _, number = text.partition("-")
    if not (seen.isascii() and seen.isdigit() and number.isascii() and number.isdigit()) or len(text) > 40:
        return _EPOCH, 0
    try:
        return _EPOCH + timedelta(microseconds=int(seen)), int(number)
    except OverflowError:
        return _EPOCH, 0


@dataclass(slots=True)
class Counts:
    """How many alerts each value of each facet has, and all together."""

    total: int = 0
    more: bool = False
    """Whether there are more than were counted."""
    facets: dict[str, Counter[Any]] = field(default_factory=dict)


def counts(asked: Filter, user: User) -> Counts:
    """Count the newest alerts that are asked for."""
    result = Counts()
    rows = _rows(asked, user)
    result.total, result.more = min(len(rows), MOST), len(rows) > MOST
    tags = _Tactics()
    for name in FACETS:
        if name == "state":
            seen = rows if asked.state == ("any",) else _rows(replace(asked, state=("any",)), user)
        else:
            seen = _rows(asked.without(name), user) if getattr(asked, name) else rows
        result.facets[name] = (
            tags.counted(seen) if name == "tactic" else Counter(row[_COLUMN[name]] for row in seen)
        )
    return result


_COLUMN = {"state": 0, "level": 1, "unit": 2, "source": 3, "owner": 4}
_RULE, _ID = 5, 6


def _rows(asked: Filter, user: User) -> list[tuple[Any, ...]]:
    rows = asked.applied(user)
    columns = ("state", "level", "unit_id", "source_id", "owner_id", "rule", "id")
    return list(rows.values_list(*columns)[: MOST + 1])


class _Tactics:
    """Tactics by rule: those of a rule's newest alert stand for all of them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def counted(self, rows: Iterable[tuple[Any, ...]]) -> Counter[str]:
        rules: Counter[str] = Counter()
        newest: dict[str, int] = {}
        for row in rows:
            rules[row[_RULE]] += 1
            newest.setdefault(row[_RULE], row[_ID])
        unknown = [number for rule, number in newest.items() if rule not in self._known]
        for start in range(0, len(unknown), 500):
            some = Alert.objects.filter(pk__in=unknown[start : start + 500])
            for rule, tags in some.values_list("rule", "tags"):
                self._known[rule] = tactics(tag for tag in tags if isinstance(tag, str))
        counted: Counter[str] = Counter()
        for rule, number in rules.items():
            for tactic in self._known.get(rule, ()):
                counted[tactic] += number
        return Counter({tactic: counted[tactic] for tactic in TACTIC_WORDS if counted[tactic]})
