"""Alerts about the watch itself: a source that went quiet, findings not kept, people not told.

An alarm is an alert like any other, with a rule that no file holds; while it is open, it is not made again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_noop

from haidang.console.alerts.models import Alert, Level
from haidang.console.alerts.notify.queueing import queue

if TYPE_CHECKING:
    from datetime import datetime

    from haidang.console.alerts.notify.models import Channel
    from haidang.console.sources.models import Source

__all__ = ["ALARMS", "FAILING_CHANNEL", "LOST_BATCH", "QUIET_SOURCE", "Alarm", "alarm", "is_alarm"]


class Alarm(NamedTuple):
    """A kind of alarm."""

    rule: str
    title: str
    """Kept in English; pages that show it translate it."""
    level: Level


QUIET_SOURCE = Alarm("haidang.quiet-source", gettext_noop("Source has gone quiet"), Level.MEDIUM)
LOST_BATCH = Alarm(
    "haidang.lost-batch", gettext_noop("Findings could not be kept in the database"), Level.HIGH
)
FAILING_CHANNEL = Alarm(
    "haidang.failing-channel", gettext_noop("Alerts cannot be told through a channel"), Level.HIGH
)
ALARMS = {kind.rule: kind for kind in (QUIET_SOURCE, LOST_BATCH, FAILING_CHANNEL)}
"""By what alerts call their rule."""


def is_alarm(alert: Alert) -> bool:
    """Return whether an alert is about the watch itself: no log says anything of it."""
    return alert.rule in ALARMS


@transaction.atomic
def alarm(
    kind: Alarm,
    *,
    entity: str,
    now: datetime,
    source: Source | None = None,
    channel: Channel | None = None,
    since: datetime | None = None,
) -> Alert | None:
    """Make an alert, unless one of that kind on that entity is open, which is then brought up to date.

    Args:
        kind: What it is.
        entity: Name of the source, or of what else it is about.
        now: The time.
        source: The source that it is about.
        channel: The channel that it is about, through which it is not told.
        since: Since when it is so.

    Returns:
        The new alert, None where one was open.
    """
    about = source or channel
    unit = about.unit_id if about else None
    opened = Alert.objects.exclude(state=Alert.State.CLOSED).filter(
        rule=kind.rule, entity=entity, unit_id=unit
    )
    if opened.update(last_seen=now):
        return None
    made: Alert = Alert.objects.create(
        rule=kind.rule,
        title=kind.title,
        level=kind.level,
        entity=entity,
        entity_kind="channel" if channel else "source",
        unit_id=unit,
        source=source,
        first_seen=since or now,
        last_seen=now,
        created=now,
        search=f"{kind.title} {entity} {kind.rule}".lower(),
    )
    queue([made], now, but=channel)
    return made
