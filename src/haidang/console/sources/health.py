"""What is known of sources while their events come: whose they are, when they were heard, how far behind."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from haidang.console.alerts.enriching import Place
from haidang.console.alerts.writing import write
from haidang.console.sources.models import Source, SourceMinute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.ingest.detecting import Detected

__all__ = ["Home", "Homes", "count_arrivals", "forget_minutes"]

_FRESH_SECONDS = 10.0
_KEPT = timedelta(days=14)
_NOWHERE = Place(None, "")


class Home(NamedTuple):
    """Whose a source is."""

    pk: int | None
    name: str
    place: Place


class Homes:
    """The sources in memory by their id, as the spool names them; read again after ten seconds."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._homes: dict[str, Home] = {}
        self._read = -_FRESH_SECONDS

    def of(self, source: str) -> Home:
        """Return whose a source is; one that was removed belongs to nobody."""
        if time.monotonic() - self._read >= _FRESH_SECONDS:
            rows = Source.objects.values_list("pk", "name", "unit_id", "unit__path")
            self._homes = {str(pk): Home(pk, name, Place(unit, path)) for pk, name, unit, path in rows}
            self._read = time.monotonic()
        return self._homes.get(source) or Home(None, source, _NOWHERE)


def count_arrivals(batches: Sequence[Detected], homes: Homes, now: datetime) -> None:
    """Count what batches held, minute by minute, and keep when their sources were last heard."""
    counted: dict[tuple[int, datetime], list[Detected]] = {}
    heard: dict[int, datetime] = {}
    for batch in batches:
        pk = homes.of(batch.source).pk
        if pk is not None:
            received = datetime.fromtimestamp(batch.received / 1e9, UTC)
            counted.setdefault((pk, received.replace(second=0, microsecond=0)), []).append(batch)
            heard[pk] = max(received, heard.get(pk, received))
    minutes = SourceMinute.objects.filter(
        source_id__in={pk for pk, _ in counted}, minute__in={minute for _, minute in counted}
    )
    rows = {(row.source_id, row.minute): row for row in minutes}
    for (pk, minute), ones in counted.items():
        row = rows.setdefault((pk, minute), SourceMinute(source_id=pk, minute=minute))
        row.events += sum(one.events for one in ones)
        row.size += sum(one.size for one in ones)
        row.quarantined += sum(one.broken for one in ones)
        row.lag = max(row.lag, *(now.timestamp() - one.received / 1e9 for one in ones))
    write((rows[key] for key in counted), ("events", "size", "quarantined", "lag"))
    for pk, received in heard.items():
        Source.objects.filter(pk=pk).exclude(last_seen__gte=received).update(last_seen=received)


def forget_minutes(now: datetime) -> int:
    """Remove what was counted more than two weeks ago; return how many minutes that were."""
    removed, _ = SourceMinute.objects.filter(minute__lt=now - _KEPT).delete()
    return removed
