"""What people do about alerts: the same for the console's pages and the API.

Rules:

- Alerts are named by their keys; those that the person may not see are as if they were not there
  (:class:`MissingError` names them, and nothing is done).
- A change, its note and one audit entry for each alert are one transaction.
- Doing again what is done already changes nothing and leaves no entry.

Example::

    acknowledge(request, [alert.pk])
    close(request, pks, Alert.Disposition.FALSE_POSITIVE, note="Backup job")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.models import Alert, Note, Silence
from haidang.console.audit.record import Change, record, record_each
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.units.models import Unit

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from haidang.console.people.access import Request
    from haidang.console.people.models import User

__all__ = [
    "MOST_ALERTS",
    "acknowledge",
    "assign",
    "close",
    "end_silence",
    "look_at",
    "note",
    "reopen",
    "silence",
]

MOST_ALERTS = 1000
"""Most alerts of one bulk action."""
_LONGEST_NOTE = 10_000


def acknowledge(request: Request, keys: Iterable[int]) -> list[Alert]:
    """Say that somebody looks at alerts; whoever does so owns those that nobody owns."""

    def change(alert: Alert) -> None:
        if alert.state == Alert.State.NEW:
            alert.state = Alert.State.ACKNOWLEDGED
            alert.acknowledged_at = timezone.now()
            if alert.owner_id is None:
                alert.owner = request.user

    return _change(request, "alert.acknowledge", keys, change)


def assign(request: Request, keys: Iterable[int], owner: User | None) -> list[Alert]:
    """Give alerts to somebody who may see them, or (None) to nobody.

    Raises:
        RefusedError: The person may not work on one of the alerts.
    """
    alerts = list(keys)
    if owner is not None:
        able = owner.may("alerts.work")
        if not able or Alert.objects.visible_to(owner).filter(pk__in=alerts).count() < len(set(alerts)):
            raise RefusedError(_("This person may not work on these alerts."), field="owner")

    def change(alert: Alert) -> None:
        alert.owner = owner

    return _change(request, "alert.assign", alerts, change)


def close(request: Request, keys: Iterable[int], disposition: str, *, note: str = "") -> list[Alert]:
    """Close alerts with what they turned out to be; ``note`` is kept with each.

    Raises:
        RefusedError: There is no such disposition.
    """
    if disposition not in Alert.Disposition.values:
        raise RefusedError(_("Say what it turned out to be."), field="disposition")

    def change(alert: Alert) -> None:
        now = timezone.now()
        alert.state = Alert.State.CLOSED
        alert.disposition = disposition
        alert.closed_at = alert.closed_at or now
        alert.acknowledged_at = alert.acknowledged_at or now
        alert.owner = alert.owner or request.user

    return _change(request, "alert.close", keys, change, said=note)


def reopen(request: Request, keys: Iterable[int]) -> list[Alert]:
    """Take up closed alerts again."""

    def change(alert: Alert) -> None:
        if alert.state == Alert.State.CLOSED:
            alert.state = Alert.State.ACKNOWLEDGED
            alert.disposition = ""
            alert.closed_at = None

    return _change(request, "alert.reopen", keys, change)


def note(request: Request, keys: Iterable[int], text: str) -> list[Note]:
    """Write a note to alerts.

    Raises:
        RefusedError: It is empty or too long.
    """
    text = _noted(text)
    if not text:
        raise RefusedError(_("Write something."), field="text")
    with transaction.atomic():
        alerts = _chosen(request, keys)
        notes = Note.objects.bulk_create([Note(alert=alert, by=request.user, text=text) for alert in alerts])
        record_each(request, "alert.note", [Change(alert, None, {"note": text}) for alert in alerts])
    return notes


def look_at(request: Request, key: int) -> Alert:
    """Return one alert whose evidence is looked at, which is recorded.

    Raises:
        MissingError: There is none that the person may see.
    """
    alert: Alert | None = (
        Alert.objects.visible_to(request.user)
        .select_related("unit", "asset", "source", "owner")
        .filter(pk=key)
        .first()
    )
    if alert is None:
        raise MissingError([key])
    record(request, "alert.see", alert)
    return alert


def silence(
    request: Request,
    *,
    rule: str,
    entity: str,
    unit: Unit | None,
    reason: str,
    until: dt.datetime,
) -> Silence:
    """Keep findings back for some time, from now on.

    Args:
        request: Who asks for it.
        rule: Whose findings; "" for any rule.
        entity: About whom: a name, or a pattern with ``*``; "" for any.
        unit: Only what belongs to it and to those below; None for all that there are.
        reason: Why.
        until: Its end.

    Raises:
        RefusedError: It would silence everything or says no reason, or its end has passed.
    """
    if not rule.strip() and not entity.strip("*? "):
        raise RefusedError(_("Name a rule or an entity: a silence of everything is none."), field="rule")
    if not reason.strip():
        raise RefusedError(_("Say why."), field="reason")
    if until <= timezone.now():
        raise RefusedError(_("The end of the silence has passed."), field="until")
    if unit is None and not request.user.sees_everything:
        raise RefusedError(_("Name a unit."), field="unit")
    if unit is not None and not Unit.objects.visible_to(request.user).filter(pk=unit.pk).exists():
        raise MissingError([unit.pk])
    with transaction.atomic():
        made: Silence = Silence.objects.create(
            rule=rule.strip(),
            entity=entity.strip(),
            unit=unit,
            reason=reason.strip(),
            until=until,
            by=request.user,
        )
        record(request, "silence.add", made, None, _of_silence(made))
    return made


def end_silence(request: Request, key: int) -> Silence:
    """End a silence now; it stays on record.

    Raises:
        MissingError: There is none that the person may see.
    """
    with transaction.atomic():
        found: Silence | None = (
            Silence.objects.visible_to(request.user).select_for_update(of=("self",)).filter(pk=key).first()
        )
        if found is None:
            raise MissingError([key])
        now = timezone.now()
        if found.until > now:
            before, found.until = found.until, now
            found.save(update_fields=["until"])
            record(request, "silence.end", found, {"until": before}, {"until": now})
    return found


def _of_silence(made: Silence) -> dict[str, Any]:
    unit = made.unit.code if made.unit else ""
    return {
        "rule": made.rule,
        "entity": made.entity,
        "unit": unit,
        "reason": made.reason,
        "until": made.until,
    }


_CHANGED = ("state", "owner", "disposition", "acknowledged_at", "closed_at")


def _change(
    request: Request,
    action: str,
    keys: Iterable[int],
    change: Callable[[Alert], None],
    *,
    said: str = "",
) -> list[Alert]:
    """Change alerts, with a note where something is ``said``; return all that were named."""
    said = _noted(said)
    with transaction.atomic():
        alerts = _chosen(request, keys)
        changes: list[Change] = []
        for alert in alerts:
            before = _state(alert)
            change(alert)
            after = _state(alert)
            different = [name for name in after if before[name] != after[name]]
            if different or said:
                old = {name: before[name] for name in different}
                new = {name: after[name] for name in different}
                changes.append(Change(alert, old, {**new, "note": said} if said else new))
        changed = [change.obj for change in changes if isinstance(change.obj, Alert)]
        if changed:
            Alert.objects.bulk_update(changed, _CHANGED, batch_size=200)
            if said:
                Note.objects.bulk_create([Note(alert=alert, by=request.user, text=said) for alert in changed])
            record_each(request, action, changes)
    return alerts


def _state(alert: Alert) -> dict[str, Any]:
    owner = alert.owner
    return {
        "state": alert.state,
        "owner": owner.get_username() if owner else "",
        "disposition": alert.disposition,
    }


def _chosen(request: Request, keys: Iterable[int]) -> list[Alert]:
    """Return the alerts with these keys, locked.

    Raises:
        MissingError: One is not there for this person.
        RefusedError: There are none, or too many.
    """
    wanted = sorted(set(keys))
    if not wanted:
        raise RefusedError(_("Choose an alert."), field="alerts")
    if len(wanted) > MOST_ALERTS:
        raise RefusedError(_("Too many alerts at once."), field="alerts")
    visible = Alert.objects.visible_to(request.user).filter(pk__in=wanted)
    alerts = list(visible.select_related("unit", "owner").select_for_update(of=("self",)).order_by("pk"))
    if len(alerts) < len(wanted):
        raise MissingError([key for key in wanted if key not in {alert.pk for alert in alerts}])
    return alerts


def _noted(text: str) -> str:
    text = text.strip().replace("\0", "")
    if len(text) > _LONGEST_NOTE:
        raise RefusedError(_("The note is too long."), field="text")
    return text
