"""Operations on what could not be delivered through notification channels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Router, Schema

from haidang.console.alerts.notify import letters
from haidang.console.alerts.notify.models import Outgoing
from haidang.console.alerts.notify.problems import problem_said
from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Keys, Limit, Page, Words, page_of
from haidang.console.people.access import Request

__all__ = ["router"]

router = Router(tags=["channels"])


class LetterRow(Schema):
    """An alert that could not be told through a channel, and was given up."""

    id: int
    channel: int
    alert: int
    created: datetime
    attempts: int
    problem: str

    @staticmethod
    def resolve_channel(letter: Outgoing) -> int:
        """Return the key of the channel."""
        return letter.channel_id

    @staticmethod
    def resolve_alert(letter: Outgoing) -> int:
        """Return the key of the alert."""
        return letter.alert_id

    @staticmethod
    def resolve_problem(letter: Outgoing) -> str:
        """Return it in the language asked for."""
        return problem_said(letter.problem)


class LetterPage(Page):
    """A page of dead letters."""

    items: list[LetterRow]


class Letters(Schema):
    """Some dead letters."""

    letters: Keys


class LettersDone(Schema):
    """How many there were."""

    count: int


@operation(router, "get", "", "channels.see", response=LetterPage)
def list_dead_letters(
    request: Request, channel: Key | None = None, limit: Limit = 100, cursor: Words = ""
) -> dict[str, Any]:
    """List what was given up, of all channels or of one, the newest first."""
    rows = letters.dead_letters(request.user)
    if channel is not None:
        rows = rows.filter(channel=channel)
    items, then = page_of(rows, limit, cursor)
    return {"items": items, "next": then}


@operation(router, "post", "/retry", "channels.edit", response=LettersDone)
def retry_dead_letters(request: Request, what: Letters) -> dict[str, int]:
    """Send some again: all of them, or, where one is not there, none."""
    return {"count": letters.retry(request, what.letters)}


@operation(router, "post", "/discard", "channels.edit", response=LettersDone)
def discard_dead_letters(request: Request, what: Letters) -> dict[str, int]:
    """Remove some: nobody is told of these alerts through that channel."""
    return {"count": letters.discard(request, what.letters)}
