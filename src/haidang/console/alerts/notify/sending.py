"""The worker that tells: what is due goes out, together for each channel, until it is taken or given up.

Rules of this module:

- What goes out together is fixed, with an id, before it is tried: tried again, be it after a sudden end, it
  tells of the same alerts with the same id, so that a receiver can tell.
- What fails is tried again after half a minute, then four times as long each time, up to six hours. After
  eight times it is given up: it stays, says why, and can be sent again (:func:`send_again`).
- A mail that some recipients did not take is tried again for those alone.
- From the fourth time on an alarm says that the channel fails: in the console, and through other channels.
- Nothing is locked while it is sent. A channel that fails is left alone for half a minute, be there ever so
  much to tell, so that one whose receiver hangs does not keep others waiting; the channel says since when.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from haidang.console.alerts.alarms import FAILING_CHANNEL, alarm
from haidang.console.alerts.notify.addresses import addresses
from haidang.console.alerts.notify.delivering import MissedError, mail_to, post_to
from haidang.console.alerts.notify.models import Channel, Outgoing
from haidang.console.alerts.notify.problems import DeliveryError
from haidang.console.alerts.notify.wording import mail, payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

__all__ = ["forget_sent", "note_health", "send_again", "send_due"]

_LOG = logging.getLogger(__name__)
_TOGETHER = 500
"""Alerts of one message."""
_ATTEMPTS, _ATTEMPTS_QUIETLY = 8, 3
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=6)
_KEPT = timedelta(days=30)
"""Time after which what was sent is forgotten; what was given up stays as long as its alert."""


def send_due(now: datetime | None = None) -> int:
    """Send what is due; return how many messages were taken."""
    moment = now or timezone.now()
    taken = 0
    for channel in Channel.objects.filter(
        enabled=True, outgoing__state=Outgoing.State.WAITING, outgoing__due__lte=moment
    ).distinct():
        for delivery in _deliveries(channel, moment):
            went_well = _deliver(channel, delivery, moment)
            if went_well is False:
                _leave_alone(channel, moment)
                break
            taken += went_well is True
    return taken


def forget_sent(now: datetime) -> None:
    """Forget what was sent long ago."""
    Outgoing.objects.filter(state=Outgoing.State.SENT, sent_at__lt=now - _KEPT).delete()


def note_health(channel: Channel, now: datetime, error: DeliveryError | None = None) -> None:
    """Keep with a channel whether it works, and since when it does not."""
    row = Channel.objects.filter(pk=channel.pk)
    if error is None:
        row.update(last_sent=now, failing_since=None, problem="")
    else:
        row.update(failing_since=Coalesce("failing_since", now), problem=error.kept)


def send_again(outgoing: Iterable[Outgoing], now: datetime | None = None) -> int:
    """Let what was given up be tried again, as a new message; return how many alerts that are."""
    keys = [one.pk for one in outgoing]
    return Outgoing.objects.filter(pk__in=keys, state=Outgoing.State.DEAD).update(
        state=Outgoing.State.WAITING, due=now or timezone.now(), delivery="", attempts=0
    )


def _deliveries(channel: Channel, now: datetime) -> list[str]:
    """Return the ids of the messages that are due: those that were tried, and what is new, put together."""
    with transaction.atomic():
        waiting = Outgoing.objects.select_for_update().filter(
            channel=channel, state=Outgoing.State.WAITING, due__lte=now
        )
        rows = list(waiting.values_list("pk", "delivery"))
        known = list(dict.fromkeys(delivery for _, delivery in rows if delivery))
        new = [pk for pk, delivery in rows if not delivery]
        for start in range(0, len(new), _TOGETHER):
            delivery = f"msg_{uuid.uuid4().hex}"
            Outgoing.objects.filter(pk__in=new[start : start + _TOGETHER]).update(delivery=delivery)
            known.append(delivery)
    return known


def _leave_alone(channel: Channel, now: datetime) -> None:
    Outgoing.objects.filter(channel=channel, state=Outgoing.State.WAITING, due__lt=now + _FIRST_PAUSE).update(
        due=now + _FIRST_PAUSE
    )


def _deliver(channel: Channel, delivery: str, now: datetime) -> bool | None:
    """Try a message; return whether it was taken, None where there is nothing left to tell."""
    rows = list(
        Outgoing.objects.filter(delivery=delivery, state=Outgoing.State.WAITING)
        .select_related("alert__unit", "alert__asset", "alert__source")
        .order_by("pk")
    )
    if not rows:
        return None
    message = Outgoing.objects.filter(delivery=delivery)
    attempts = rows[0].attempts + 1
    try:
        _send(channel, delivery, rows, now)
    except DeliveryError as error:
        dead = attempts >= _ATTEMPTS
        pause = min(_FIRST_PAUSE * 4 ** (attempts - 1), _LONGEST_PAUSE)
        missed = ", ".join(error.missed) if isinstance(error, MissedError) else rows[0].missed
        message.update(
            state=Outgoing.State.DEAD if dead else Outgoing.State.WAITING,
            attempts=attempts,
            due=now + pause,
            problem=error.kept,
            missed=missed,
        )
        note_health(channel, now, error)
        if attempts > _ATTEMPTS_QUIETLY:
            alarm(FAILING_CHANNEL, entity=channel.name, now=now, channel=channel, since=rows[0].created)
        _LOG.warning(
            "a notification was not taken",
            extra={"channel": channel.pk, "attempts": attempts, "given_up": dead, "reason": str(error)},
        )
        return False
    message.update(state=Outgoing.State.SENT, sent_at=now, problem="", missed="", attempts=attempts)
    note_health(channel, now)
    return True


def _send(channel: Channel, delivery: str, rows: Sequence[Outgoing], now: datetime) -> None:
    alerts = [row.alert for row in rows]
    if channel.is_mail:
        # Who has been taken off the channel meanwhile is told no more.
        missed = [one for one in addresses(rows[0].missed) if one in channel.recipients]
        mail_to(missed or channel.recipients, delivery, mail(alerts, channel.language))
    else:
        post_to(channel, delivery, now, payload(alerts, delivery, channel.language))
