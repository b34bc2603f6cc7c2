"""Dead letters: what was given up, what people see of it, and what they do: send again, or discard.

Each leaves one audit entry for each alert. What somebody may not see, of channels or of alerts, is as if it
were not there, and nothing is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.notify.models import Channel, Outgoing
from haidang.console.alerts.notify.sending import send_again
from haidang.console.audit.record import Change, record_each
from haidang.console.people.refusals import MissingError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.console.people.access import Request
    from haidang.console.people.models import User
    from haidang.console.people.scope import VisibleQuerySet

__all__ = ["MOST_LETTERS", "dead_letters", "discard", "retry"]

MOST_LETTERS = 1000
"""Most of them in one act."""


def dead_letters(user: User) -> VisibleQuerySet[Outgoing]:
    """Return what was given up, of the channels and alerts that a person may see; the newest first."""
    rows = Outgoing.objects.visible_to(user).filter(
        state=Outgoing.State.DEAD, channel__in=Channel.objects.visible_to(user)
    )
    return rows.select_related("channel", "alert__unit").order_by("-pk")


def retry(request: Request, keys: Iterable[int]) -> int:
    """Have dead letters sent again; return how many alerts that are.

    Raises:
        MissingError: One is not there for this person.
        RefusedError: There are none or too many, or a channel is out of use.
    """
    with transaction.atomic():
        chosen = _chosen(request, keys)
        if any(not letter.channel.enabled for letter in chosen):
            raise RefusedError(_("The channel is out of use. Put it in use first."))
        before = [
            Change(letter, {"state": letter.state}, {"state": Outgoing.State.WAITING}) for letter in chosen
        ]
        count = send_again(chosen)
        record_each(request, "outgoing.retry", before)
    return count


def discard(request: Request, keys: Iterable[int]) -> int:
    """Remove dead letters: nobody is told of these alerts through that channel; return how many they are.

    Raises:
        MissingError: One is not there for this person.
        RefusedError: There are none or too many.
    """
    with transaction.atomic():
        chosen = _chosen(request, keys)
        record_each(
            request, "outgoing.discard", [Change(letter, {"state": letter.state}) for letter in chosen]
        )
        Outgoing.objects.filter(pk__in=[letter.pk for letter in chosen]).delete()
    return len(chosen)


def _chosen(request: Request, keys: Iterable[int]) -> list[Outgoing]:
    wanted = sorted(set(keys))
    if not wanted:
        raise RefusedError(_("Choose at least one."), field="letters")
    if len(wanted) > MOST_LETTERS:
        raise RefusedError(_("Too many at once."), field="letters")
    rows = dead_letters(request.user).filter(pk__in=wanted).select_for_update(of=("self",)).order_by("pk")
    chosen = list(rows)
    if len(chosen) < len(wanted):
        raise MissingError([key for key in wanted if key not in {letter.pk for letter in chosen}])
    return chosen
