"""Operations on silences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status

from haidang.console.alerts import actions
from haidang.console.alerts.models import Silence
from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Limit, LongText, Moment, Name, Page, Words, page_of
from haidang.console.people.access import Request
from haidang.console.people.refusals import MissingError
from haidang.console.units.models import Unit

__all__ = ["router"]

router = Router(tags=["silences"])


class SilenceRow(Schema):
    """A silence."""

    id: int
    rule: str
    entity: str
    unit: int | None
    reason: str
    by: str
    created: datetime
    until: datetime
    hits: int
    last_hit: datetime | None

    @staticmethod
    def resolve_unit(silence: Silence) -> int | None:
        """Return the key of the unit."""
        return silence.unit_id

    @staticmethod
    def resolve_by(silence: Silence) -> str:
        """Return the user name of who asked for it."""
        return silence.by.get_username()


class SilencePage(Page):
    """A page of silences."""

    items: list[SilenceRow]


class NewSilence(Schema):
    """What is to make no alerts."""

    rule: Name = ""
    entity: Name = ""
    """A name, or a pattern with ``*``."""
    unit: Key | None = None
    reason: LongText
    until: Moment


@operation(router, "get", "", "alerts.see", response=SilencePage)
def list_silences(request: Request, limit: Limit = 50, cursor: Words = "") -> dict[str, Any]:
    """List silences, those that end last first; the ones that have ended, too."""
    rows = Silence.objects.visible_to(request.user).select_related("by")
    items, then = page_of(rows, limit, cursor, "until")
    return {"items": items, "next": then}


@operation(router, "post", "", "alerts.silence", response=SilenceRow, status=201)
def add_silence(request: Request, what: NewSilence) -> Status[Any]:
    """Keep findings back until a time."""
    unit = None
    if what.unit is not None:
        unit = Unit.objects.visible_to(request.user).filter(pk=what.unit).first()
        if unit is None:
            raise MissingError([what.unit])
    made = actions.silence(
        request, rule=what.rule, entity=what.entity, unit=unit, reason=what.reason, until=what.until
    )
    return Status(201, made)


@operation(router, "post", "/{silence}/end", "alerts.silence", response=SilenceRow)
def end_silence(request: Request, silence: Key) -> Silence:
    """End a silence now."""
    return actions.end_silence(request, silence)
