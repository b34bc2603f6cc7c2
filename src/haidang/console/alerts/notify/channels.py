"""What people do with channels: within what they see, recorded in the audit log; for pages and the API.

A signing secret is returned when it is made, this once; nothing else says it, the audit log least of all.

Example::

    channel, secret = add_channel(request, {"name": "SIEM", "kind": "webhook", "target": "https://…"})
    trial = test_channel(request, channel)
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.notify.delivering import mail_to, post_to
from haidang.console.alerts.notify.models import Channel, Outgoing, new_secret
from haidang.console.alerts.notify.problems import DeliveryError
from haidang.console.alerts.notify.sending import note_health
from haidang.console.alerts.notify.wording import test_mail, test_payload
from haidang.console.audit.changing import add, change, remove
from haidang.console.audit.record import record
from haidang.console.lockbox import sealed
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.units.models import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.console.people.access import Request
    from haidang.console.people.models import User
    from haidang.console.people.scope import VisibleQuerySet

__all__ = [
    "Trial",
    "add_channel",
    "change_channel",
    "channel_of",
    "channels_of",
    "remove_channel",
    "renew_secret",
    "test_channel",
]


class Trial(NamedTuple):
    """What became of a test message."""

    delivered: bool
    problem: str
    """Why not, as it is kept (:func:`~.problems.problem_said`)."""
    seconds: float


def channels_of(user: User) -> VisibleQuerySet[Channel]:
    """Return the channels that a person may see, with how many alerts wait in them and were given up."""
    rows = (
        Channel.objects.visible_to(user)
        .select_related("unit")
        .annotate(
            waiting=_number(Outgoing.State.WAITING),
            dead=_number(Outgoing.State.DEAD),
        )
    )
    return cast("VisibleQuerySet[Channel]", rows)


def _number(state: str) -> Coalesce:
    """Count what is in a state, which is little beside all that was ever sent, by its index."""
    rows = Outgoing.objects.filter(channel=OuterRef("pk"), state=state).order_by().values("channel")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


def channel_of(request: Request, key: int) -> Channel:
    """Return a channel.

    Raises:
        MissingError: There is none that the person may see.
    """
    found: Channel | None = channels_of(request.user).filter(pk=key).first()
    if found is None:
        raise MissingError([key])
    return found


def add_channel(request: Request, values: Mapping[str, Any]) -> tuple[Channel, str]:
    """Add a channel; return it with its signing secret, which is shown now and never again.

    Raises:
        RefusedError: A value is wrong.
    """
    _check_unit(request, values.get("unit"))
    secret = new_secret()
    return add(request, Channel(**values, secret=sealed(secret))), secret


def change_channel(request: Request, channel: Channel, values: Mapping[str, Any]) -> Channel:
    """Change a channel.

    Raises:
        RefusedError: A value is wrong.
    """
    _check_unit(request, values.get("unit", channel.unit))
    return change(request, channel, values)


def remove_channel(request: Request, channel: Channel) -> None:
    """Remove a channel with all that waits in it."""
    remove(request, channel)


def renew_secret(request: Request, channel: Channel) -> str:
    """Give a channel a new signing secret, returned here and never again; the old one signs no more."""
    secret = new_secret()
    with transaction.atomic():
        channel.secret = sealed(secret)
        channel.save(update_fields=["secret"])
        record(request, "channel.secret", channel)
    return secret


def test_channel(request: Request, channel: Channel) -> Trial:
    """Send a test message now, whatever the quiet hours; the channel keeps whether it was taken."""
    now, begun = timezone.now(), time.monotonic()
    delivery = f"msg_{uuid.uuid4().hex}"
    problem = ""
    try:
        if channel.is_mail:
            mail_to(channel.recipients, delivery, test_mail(channel.name, channel.language))
        else:
            post_to(channel, delivery, now, test_payload(channel.name, delivery))
    except DeliveryError as error:
        problem = error.kept
        note_health(channel, now, error)
    else:
        note_health(channel, now)
    record(request, "channel.test", channel, None, {"delivered": not problem, "problem": problem})
    channel.refresh_from_db(fields=["last_sent", "failing_since", "problem"])
    return Trial(not problem, problem, time.monotonic() - begun)


def _check_unit(request: Request, unit: Unit | None) -> None:
    if unit is None and not request.user.sees_everything:
        raise RefusedError(_("Name a unit."), field="unit")
    if unit is not None and not Unit.objects.visible_to(request.user).filter(pk=unit.pk).exists():
        raise RefusedError(_("There is no such unit."), field="unit")
