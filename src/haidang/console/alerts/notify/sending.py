"""The worker that tells: what is due goes out, together for each channel, until it is taken or given up.

Rules of this module:

- What goes out together is fixed, with an id, before it is tried: tried again, be it after a sudden end, it
  tells of the same alerts with the same id, so that a receiver can tell.
- What fails is tried again after half a minute, then four times as long each time, up to six hours. After
  eight times it is given up: it stays, says why, and can be sent again (:func:`send_again`).
- Nothing is locked while it is sent, and a channel that fails does not keep others waiting.
"""

from __future__ import annotations

import logging
import smtplib
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone

from haidang.console.alerts.notify.models import Channel, Outgoing
from haidang.console.alerts.notify.webhook import DeliveryError, post
from haidang.console.alerts.notify.wording import mail, payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

__all__ = ["send_again", "send_due"]

_LOG = logging.getLogger(__name__)
_TOGETHER = 500
"""Alerts of one message."""
_ATTEMPTS = 8
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=6)
_KEPT = timedelta(days=30)
"""Time after which what was sent is forgotten; what was given up stays as long as its alert."""
_MAIL_SECONDS = 20
_PROBLEM = 300


def send_due(now: datetime | None = None) -> int:
    """Send what is due; return how many messages were taken."""
    moment = now or timezone.now()
    Outgoing.objects.filter(state=Outgoing.State.SENT, sent_at__lt=moment - _KEPT).delete()
    taken = 0
    for channel in Channel.objects.filter(
        enabled=True, outgoing__state=Outgoing.State.WAITING, outgoing__due__lte=moment
    ).distinct():
        for delivery in _deliveries(channel, moment):
            taken += _deliver(channel, delivery, moment)
    return taken


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


def _deliver(channel: Channel, delivery: str, now: datetime) -> bool:
    rows = list(
        Outgoing.objects.filter(delivery=delivery, state=Outgoing.State.WAITING)
        .select_related("alert__unit", "alert__asset", "alert__source")
        .order_by("pk")
    )
    if not rows:
        return False
    again = Outgoing.objects.filter(delivery=delivery)
    try:
        _send(channel, delivery, rows, now)
    except DeliveryError as error:
        attempts = rows[0].attempts + 1
        dead = attempts >= _ATTEMPTS
        pause = min(_FIRST_PAUSE * 4 ** (attempts - 1), _LONGEST_PAUSE)
        again.update(
            state=Outgoing.State.DEAD if dead else Outgoing.State.WAITING,
            attempts=attempts,
            due=now + pause,
            problem=str(error)[:_PROBLEM],
        )
        _LOG.warning(
            "a notification was not taken",
            extra={"channel": channel.pk, "attempts": attempts, "given_up": dead, "reason": str(error)},
        )
        return False
    again.update(state=Outgoing.State.SENT, sent_at=now, problem="", attempts=rows[0].attempts + 1)
    return True


def _send(channel: Channel, delivery: str, rows: Sequence[Outgoing], now: datetime) -> None:
    alerts = [row.alert for row in rows]
    if channel.kind == Channel.Kind.WEBHOOK:
        body = payload(alerts, delivery)
        post(channel.target.strip(), channel.secret, delivery, int(now.timestamp()), body)
        return
    subject, text = mail(alerts, channel.language)
    to = [address.strip() for address in channel.target.replace("\n", ",").split(",") if address.strip()]
    try:
        connection = get_connection(timeout=_MAIL_SECONDS)
    except TypeError:  # A backend that knows no time-out, such as that which writes files.
        connection = get_connection()
    message = EmailMessage(
        subject,
        text,
        to=to,
        connection=connection,
        headers={"Message-ID": f"<{delivery}@haidang>", "Auto-Submitted": "auto-generated"},
    )
    try:
        if not message.send():
            raise DeliveryError("The channel has no e-mail address.")
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}") from None
