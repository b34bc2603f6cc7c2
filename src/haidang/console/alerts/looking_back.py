"""What correlations look back at, kept with the batches: fed again, in the same order, after a restart.

Rules of this module:

- Members older than what correlations look back, counted from the newest event (an event from the future does
  not count), are removed; so are all but those of the newest ``_MOST_BATCHES`` batches.
- Values are of logs and may be anything that JSON holds: they are kept as JSON, compressed.
"""

from __future__ import annotations

import json
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Max

from haidang.console.alerts.models import Correlated
from haidang.console.alerts.models import Member as Row
from haidang.scanning.live import Member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from haidang.ingest.detecting import Detected

__all__ = ["keep", "members"]

_SECOND = 1_000_000_000
_MOST_BATCHES = 50_000
_PRUNE_EVERY = 64
"""Batches after which what is too old is looked for."""
_REMEMBERED = timedelta(days=30)
"""Time for which the findings of correlations stay known."""


def keep(batches: Sequence[Detected], looks_back: int, now: datetime) -> None:
    """Keep what batches fed correlations with, and let go of what is too old."""
    rows = [
        Row(
            number=batch.number,
            newest=max(member.time for member in batch.members) // _SECOND,
            body=zlib.compress(json.dumps(batch.members, default=str).encode(), 1),
        )
        for batch in batches
        if batch.members
    ]
    Row.objects.bulk_create(rows)
    if rows and any(batch.number % _PRUNE_EVERY == 0 for batch in batches):
        _prune(looks_back, now)


def members() -> Iterator[list[Member]]:
    """Yield what correlations were fed with, batch by batch, in the order in which they were."""
    for body in Row.objects.order_by("id").values_list("body", flat=True).iterator():
        yield [
            Member(rule, time, values, tuple(place))
            for rule, time, values, place in json.loads(zlib.decompress(bytes(body)))
        ]


def _prune(looks_back: int, now: datetime) -> None:
    newest = Row.objects.filter(newest__lte=int(now.timestamp())).aggregate(newest=Max("newest"))["newest"]
    if newest is not None:
        Row.objects.filter(newest__lt=newest - looks_back // _SECOND - 1).delete()
    last = Row.objects.aggregate(last=Max("id"))["last"]
    if last is not None:
        Row.objects.filter(id__lte=last - _MOST_BATCHES).delete()
    Correlated.objects.filter(at__lt=now - _REMEMBERED).delete()
