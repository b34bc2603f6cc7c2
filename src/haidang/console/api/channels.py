"""Operations on notification channels."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field

from haidang.console.alerts.notify import channels as actions
from haidang.console.alerts.notify.models import Channel
from haidang.console.alerts.notify.problems import problem_said
from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Limit, LongText, Name, Page, Patch, Words, page_of
from haidang.console.people.access import Request
from haidang.console.units.actions import unit_of

__all__ = ["router"]

router = Router(tags=["channels"])

_Level = Annotated[int, Field(ge=0, le=4)]


class ChannelRow(Schema):
    """A notification channel, and how it fares."""

    id: int
    name: str
    kind: str
    target: str
    """E-mail addresses; of a webhook's address the host alone, for the rest may be secret."""
    unit: int | None
    min_level: int
    urgent_level: int
    quiet_from: time | None
    quiet_until: time | None
    digest_minutes: int
    language: str
    enabled: bool
    waiting: int
    """Alerts that are still to be told."""
    dead: int
    """Alerts that could not be told and were given up."""
    last_sent: datetime | None
    failing_since: datetime | None
    problem: str
    """Why the last message was not taken, where it fails."""

    @staticmethod
    def resolve_target(channel: Channel) -> str:
        """Return what may be seen of it."""
        return channel.shown_target

    @staticmethod
    def resolve_unit(channel: Channel) -> int | None:
        """Return the key of the unit."""
        return channel.unit_id

    @staticmethod
    def resolve_problem(channel: Channel) -> str:
        """Return it in the language asked for."""
        return problem_said(channel.problem)


class ChannelPage(Page):
    """A page of channels."""

    items: list[ChannelRow]


class ChannelFields(Schema):
    """What is known of a channel."""

    name: Name
    kind: Literal["email", "webhook"]
    target: LongText
    """E-mail addresses with commas between them, or one address that begins with http:// or https://."""
    unit: Key | None = None
    """Alerts of this unit and those below it alone; null for all."""
    min_level: _Level = 3
    """0 informational, 1 low, 2 medium, 3 high, 4 critical."""
    urgent_level: _Level = 4
    """What is at least this grave is told at once."""
    quiet_from: time | None = None
    quiet_until: time | None = None
    """On the clock of the service; may lie beyond midnight."""
    digest_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    language: Literal["vi", "en"] = "vi"
    enabled: bool = True


class ChannelSecret(Schema):
    """A channel and the secret that its messages are signed with, which is shown this once."""

    channel: ChannelRow
    secret: str


class TrialRow(Schema):
    """What became of a test message."""

    delivered: bool
    problem: str
    seconds: float

    @staticmethod
    def resolve_problem(trial: actions.Trial) -> str:
        """Return it in the language asked for."""
        return problem_said(trial.problem)


@operation(router, "get", "", "channels.see", response=ChannelPage)
def list_channels(request: Request, limit: Limit = 100, cursor: Words = "") -> dict[str, Any]:
    """List channels, in the order in which they were made."""
    items, then = page_of(actions.channels_of(request.user), limit, cursor, newest_first=False)
    return {"items": items, "next": then}


@operation(router, "post", "", "channels.edit", response=ChannelSecret, status=201)
def add_channel(request: Request, what: ChannelFields) -> Status[Any]:
    """Add a channel; the answer has its signing secret, this once."""
    made, secret = actions.add_channel(request, _values(request, what.dict()))
    return Status(201, {"channel": actions.channel_of(request, made.pk), "secret": secret})


@operation(router, "get", "/{channel}", "channels.see", response=ChannelRow)
def show_channel(request: Request, channel: Key) -> Channel:
    """Show a channel."""
    return actions.channel_of(request, channel)


@operation(router, "patch", "/{channel}", "channels.edit", response=ChannelRow)
def change_channel(request: Request, channel: Key, what: Patch[ChannelFields]) -> Channel:
    """Change a channel."""
    found = actions.channel_of(request, channel)
    return actions.change_channel(request, found, _values(request, what.dict(exclude_unset=True)))


@operation(router, "delete", "/{channel}", "channels.edit", status=204)
def remove_channel(request: Request, channel: Key) -> Status[Any]:
    """Remove a channel with all that waits in it."""
    actions.remove_channel(request, actions.channel_of(request, channel))
    return Status(204, None)


@operation(router, "post", "/{channel}/secret", "channels.edit", response=ChannelSecret)
def renew_channel_secret(request: Request, channel: Key) -> dict[str, Any]:
    """Give it a new signing secret; the old one signs no more."""
    found = actions.channel_of(request, channel)
    return {"secret": actions.renew_secret(request, found), "channel": found}


@operation(router, "post", "/{channel}/test", "channels.edit", response=TrialRow)
def test_channel(request: Request, channel: Key) -> actions.Trial:
    """Send a test message now; the answer says whether it was taken."""
    return actions.test_channel(request, actions.channel_of(request, channel))


def _values(request: Request, said: dict[str, Any]) -> dict[str, Any]:
    if said.get("unit") is not None:
        said["unit"] = unit_of(request, said["unit"])
    for name in ("quiet_from", "quiet_until"):
        if said.get(name) is not None:
            # On the clock of the service: an offset says nothing there.
            said[name] = said[name].replace(tzinfo=None, microsecond=0)
    return said
