"""What people do with alerts: each act changes them and leaves one audit entry for each, or does nothing.

The caller hands in alerts that the person may see and work on; nothing here asks for permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from haidang.console.alerts.models import Alert, Note, Silence
from haidang.console.audit.record import Change, record, record_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from haidang.console.people.access import Request
    from haidang.console.people.models import User
    from haidang.console.units.models import Unit

__all__ = ["acknowledge", "assign", "close", "end_silence", "note", "reopen", "silence"]

_FIELDS = ("state", "owner", "disposition", "acknowledged_at", "closed_at")


def acknowledge(request: Request, alerts: Iterable[Alert]) -> list[Alert]:
    """Take notice of new alerts; who does so owns those that nobody owned."""

    def change(alert: Alert, now: datetime) -> bool:
        if alert.state != Alert.State.NEW:
            return False
        alert.state, alert.acknowledged_at = Alert.State.ACKNOWLEDGED, now
        alert.owner = alert.owner or request.user
        return True

    return _apply(request, "alert.acknowledge", alerts, change)


def assign(request: Request, alerts: Iterable[Alert], owner: User | None) -> list[Alert]:
    """Give alerts to somebody, or to nobody."""

    def change(alert: Alert, now: datetime) -> bool:
        del now
        if alert.owner_id == (owner.pk if owner else None):
            return False
        alert.owner = owner
        return True

    return _apply(request, "alert.assign", alerts, change)


def close(request: Request, alerts: Iterable[Alert], disposition: str, text: str = "") -> list[Alert]:
    """Close alerts with what they turned out to be; ``text``, where there is one, becomes a note of each."""

    def change(alert: Alert, now: datetime) -> bool:
        if alert.state == Alert.State.CLOSED and alert.disposition == disposition:
            return False
        alert.state, alert.disposition = Alert.State.CLOSED, disposition
        alert.closed_at = alert.closed_at or now
        alert.acknowledged_at = alert.acknowledged_at or now
        alert.owner = alert.owner or request.user
        return True

    with transaction.atomic():
        closed = _apply(request, "alert.close", alerts, change)
        if text:
            note(request, closed, text)
    return closed


def reopen(request: Request, alerts: Iterable[Alert]) -> list[Alert]:
    """Take up closed alerts again."""

    def change(alert: Alert, now: datetime) -> bool:
        del now
        if alert.state != Alert.State.CLOSED:
            return False
        alert.state, alert.disposition, alert.closed_at = Alert.State.ACKNOWLEDGED, "", None
        return True

    return _apply(request, "alert.reopen", alerts, change)


def note(request: Request, alerts: Iterable[Alert], text: str) -> list[Alert]:
    """Write a note to each alert."""
    alerts = list(alerts)
    with transaction.atomic():
        Note.objects.bulk_create([Note(alert=alert, by=request.user, text=text) for alert in alerts])
        record_each(request, "alert.note", [Change(alert, None, {"note": text}) for alert in alerts])
    return alerts


def silence(
    request: Request, *, rule: str, entity: str, unit: Unit | None, reason: str, until: datetime
) -> Silence:
    """Have findings make no alert until a time."""
    with transaction.atomic():
        made = Silence.objects.create(
            rule=rule, entity=entity, unit=unit, reason=reason, until=until, by=request.user
        )
        after = {"rule": rule, "entity": entity, "reason": reason, "until": until}
        record(request, "silence.create", made, None, after)
    return made


def end_silence(request: Request, made: Silence) -> None:
    """End a silence now."""
    with transaction.atomic():
        before = {"until": made.until}
        made.until = timezone.now()
        made.save(update_fields=["until"])
        record(request, "silence.end", made, before, {"until": made.until})


def _apply(
    request: Request, action: str, alerts: Iterable[Alert], change: Callable[[Alert, datetime], bool]
) -> list[Alert]:
    """Return the alerts that changed; rows are locked, so that of two who act at once each sees the other."""
    numbers = [alert.pk for alert in alerts]
    now = timezone.now()
    changed, entries = [], []
    with transaction.atomic():
        rows = Alert.objects.select_for_update(of=("self",)).filter(pk__in=numbers)
        for alert in rows.select_related("unit", "owner"):
            before = _said(alert)
            if change(alert, now):
                after = _said(alert)
                differs = [name for name in _FIELDS if before[name] != after[name]]
                changed.append(alert)
                entries.append(
                    Change(alert, {n: before[n] for n in differs}, {n: after[n] for n in differs})
                )
        if changed:
            Alert.objects.bulk_update(changed, _FIELDS, batch_size=200)
            record_each(request, action, entries)
    return changed


def _said(alert: Alert) -> dict[str, Any]:
    return {
        "state": alert.state,
        "owner": alert.owner.get_username() if alert.owner else None,
        "disposition": alert.disposition,
        "acknowledged_at": alert.acknowledged_at,
        "closed_at": alert.closed_at,
    }
