"""Sources that have gone quiet: each is an alert, for what is not heard cannot warn.

Rules of this module:

- A source is quiet when nothing came from it for longer than its ``quiet_after``; 0 means that it may be.
- What receivers have taken counts, be detection ever so far behind.
- Time in which the service itself did not run counts for nobody: silence begins at its start at the earliest.
- While the alert is open, silence makes no other one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from haidang.console.alerts.alarms import QUIET_SOURCE, alarm
from haidang.console.sources.models import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.console.alerts.models import Alert

__all__ = ["check_quiet"]


def check_quiet(now: datetime, *, started: datetime, heard: Mapping[str, int] | None = None) -> list[Alert]:
    """Make alerts of the sources that have gone quiet; return the new ones.

    Args:
        now: The time.
        started: When the service started.
        heard: When receivers last took something of a source, by its id, in nanoseconds since 1970.
    """
    made = []
    for source in Source.objects.filter(enabled=True, quiet_after__gt=0):
        told = (heard or {}).get(str(source.pk), 0)
        moments = [
            source.created,
            source.last_seen,
            datetime.fromtimestamp(told / 1e9, UTC) if told else None,
        ]
        last = max(moment for moment in moments if moment is not None)
        if now - max(last, started) > timedelta(minutes=source.quiet_after):
            alert = alarm(QUIET_SOURCE, entity=source.name, now=now, source=source, since=last)
            if alert is not None:
                made.append(alert)
    return made
