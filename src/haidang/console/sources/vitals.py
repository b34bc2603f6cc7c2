"""How sources are: what they sent in the last hour, how late it was, whether they have gone quiet."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Max, Sum
from django.utils import timezone

from haidang.console.sources.models import Source, SourceMinute
from haidang.errors import HaidangError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Health", "health_of"]

_HOUR = dt.timedelta(hours=1)


class Health(NamedTuple):
    """How one source is."""

    source: Source
    events: int
    """Taken in the last hour."""
    refused: int
    """Requests that were not taken in the last hour."""
    lag: float
    """Seconds from reception to detection, the most of the last hour."""
    quarantined: int
    """Broken lines that are kept."""
    quiet: bool
    """Whether it is in use and has been silent for longer than it should."""

    @property
    def per_minute(self) -> float:
        """Events a minute, over the last hour."""
        return self.events / 60


def health_of(sources: Iterable[Source]) -> list[Health]:
    """Return how sources are, in their order."""
    now = timezone.now()
    chosen = list(sources)
    minutes = {
        row["source"]: row
        for row in SourceMinute.objects.filter(source__in=chosen, minute__gte=now - _HOUR)
        .values("source")
        .annotate(events=Sum("events"), refused=Sum("refused"), lag=Max("lag"))
        .order_by()
    }
    broken = _quarantined()
    return [
        Health(
            source,
            minutes.get(source.pk, {}).get("events") or 0,
            minutes.get(source.pk, {}).get("refused") or 0,
            minutes.get(source.pk, {}).get("lag") or 0.0,
            broken.get(str(source.pk), 0),
            _is_quiet(source, now),
        )
        for source in chosen
    ]


def _is_quiet(source: Source, now: dt.datetime) -> bool:
    since = source.last_seen or source.created
    return source.enabled and now - since > dt.timedelta(minutes=source.quiet_after)


def _quarantined() -> dict[str, int]:
    from haidang.console.sources.stores import quarantine

    try:
        return quarantine().counts()
    except HaidangError:
        return {}
