"""What of which alerts is to be told, and when.

Called in the transaction that makes the alerts: they are there together, or neither is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from haidang.console.alerts.notify.models import Channel, Outgoing
from haidang.console.alerts.writing import CHUNK
from haidang.console.units.models import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from haidang.console.alerts.models import Alert

__all__ = ["due", "queue"]


def queue(alerts: Iterable[Alert], now: datetime, *, but: Channel | None = None) -> None:
    """Note for every channel, ``but`` for one, which of some new alerts it is to tell."""
    new = list(alerts)
    if not new:
        return
    channels = [one for one in Channel.objects.filter(enabled=True).select_related("unit") if one != but]
    if not channels:
        return
    units = {alert.unit_id for alert in new if alert.unit_id is not None}
    paths = dict(Unit.objects.filter(pk__in=units).values_list("pk", "path"))
    rows = [
        Outgoing(channel=channel, alert=alert, due=due(channel, alert.level, now), created=now)
        for channel in channels
        for alert in new
        if alert.level >= channel.min_level and _concerns(channel, paths.get(alert.unit_id or 0, ""))
    ]
    Outgoing.objects.bulk_create(rows, batch_size=CHUNK)


def due(channel: Channel, level: int, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return when a channel tells of an alert of ``level`` that is made now.

    Args:
        channel: Says what is urgent, when it is quiet, and how often it tells.
        level: The alert's.
        now: The time.
        zone: Whose clock the quiet hours are read on; by default the service's.
    """
    if level >= channel.urgent_level:
        return now
    moment = now
    if channel.digest_minutes:
        step = channel.digest_minutes * 60
        moment = datetime.fromtimestamp((now.timestamp() // step + 1) * step, now.tzinfo)
    return _after_quiet(channel, moment, zone or timezone.get_default_timezone())


def _after_quiet(channel: Channel, moment: datetime, zone: tzinfo) -> datetime:
    begin, end = channel.quiet_from, channel.quiet_until
    if begin is None or end is None or begin == end:
        return moment
    local = moment.astimezone(zone)
    clock = local.time()
    quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not quiet:
        return moment
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone).astimezone(moment.tzinfo)


def _concerns(channel: Channel, path: str) -> bool:
    return channel.unit is None or path.startswith(channel.unit.path)
