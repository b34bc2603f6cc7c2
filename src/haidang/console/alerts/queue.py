"""Pages of the queue and the counts beside them.

Rules:

- A page begins where the one before ended (keyset), so that the hundredth is as quick as the first.
- Counts look at the newest :data:`MOST` alerts (of a search, :data:`MOST_SEARCHED`) and say so past them; the
  first page is taken out of what they read.
- Each facet is counted without its own choice, so that one sees what another choice would bring; those of a
  search with it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q

from haidang.console.alerts.filtering import FACETS, Filter
from haidang.console.alerts.models import Alert
from haidang.findings.words import TACTIC_WORDS, tactics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.console.people.models import User

__all__ = ["MOST", "PAGE", "Counts", "Page", "counts", "page"]

PAGE = 60
MOST, MOST_SEARCHED = 5_000, 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Page(NamedTuple):
    """Some alerts, and where the next ones begin ("" at the end)."""

    alerts: list[Alert]
    next: str


def page(asked: Filter, user: User, after: str = "", *, counted: Counts | None = None) -> Page:
    """Return a page of the queue; the first one is among what was ``counted``."""
    if counted is not None and not after:
        return _page(counted.first, user)
    rows = asked.applied(user)
    seen, number = _place(after)
    if number and asked.searches:
        rows = rows.filter(id__lt=number)
    elif number:
        # The first comparison is what the index is entered by.
        rows = rows.filter(last_seen__lte=seen).filter(Q(last_seen__lt=seen) | Q(id__lt=number))
    # First the ids, out of an index; then the rows, which are wide.
    return _page(list(rows.values_list("pk", flat=True)[: PAGE + 1]), user)


def _page(keys: list[int], user: User) -> Page:
    more = len(keys) > PAGE
    wide = Alert.objects.visible_to(user).filter(pk__in=keys[:PAGE]).select_related("unit", "owner")
    by_key = {alert.pk: alert for alert in wide.defer("search")}
    alerts = [by_key[key] for key in keys[:PAGE] if key in by_key]
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
    most: int = MOST
    more: bool = False
    """Whether there are more than were counted."""
    first: list[int] = field(default_factory=list)
    """Keys of the first page, and of one alert more."""
    facets: dict[str, Counter[Any]] = field(default_factory=dict)


def counts(asked: Filter, user: User) -> Counts:
    """Count the newest alerts that are asked for."""
    result = Counts()
    rows = _rows(asked, user)
    result.most = most(asked)
    result.first = [row[_ID] for row in rows[: PAGE + 1]]
    result.total, result.more = min(len(rows), result.most), len(rows) > result.most
    tags = _Tactics()
    for name in FACETS:
        seen = rows
        if name == "state" and not asked.searches:
            seen = rows if asked.state == ("any",) else _rows(replace(asked, state=("any",)), user)
        elif getattr(asked, name) and not asked.searches:
            seen = _rows(asked.without(name), user)
        result.facets[name] = (
            tags.counted(seen) if name == "tactic" else Counter(map(itemgetter(_COLUMN[name]), seen))
        )
    return result


_COLUMN = {"state": 0, "level": 1, "unit": 2, "source": 3, "owner": 4}
_RULE, _ID = 5, 6


def most(asked: Filter) -> int:
    """Return how many alerts are counted."""
    return MOST_SEARCHED if asked.searches else MOST


def _rows(asked: Filter, user: User) -> list[tuple[Any, ...]]:
    rows = asked.applied(user)
    columns = ("state", "level", "unit_id", "source_id", "owner_id", "rule", "id")
    return list(rows.values_list(*columns)[: most(asked) + 1])


class _Tactics:
    """Tactics by rule: those of a rule's newest alert stand for all of them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def counted(self, rows: Sequence[tuple[Any, ...]]) -> Counter[str]:
        rules: Counter[str] = Counter(map(itemgetter(_RULE), rows))
        newest: dict[str, int] = dict(map(itemgetter(_RULE, _ID), reversed(rows)))
        unknown = [number for rule, number in newest.items() if rule not in self._known]
        for start in range(0, len(unknown), 500):
            some = Alert.objects.filter(pk__in=unknown[start : start + 500]).order_by()
            for rule, tags in some.values_list("rule", "tags"):
                self._known[rule] = tactics(tag for tag in tags if isinstance(tag, str))
        counted: Counter[str] = Counter()
        for rule, number in rules.items():
            for tactic in self._known.get(rule, ()):
                counted[tactic] += number
        return Counter({tactic: counted[tactic] for tactic in TACTIC_WORDS if counted[tactic]})
