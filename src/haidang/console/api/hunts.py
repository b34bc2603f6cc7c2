"""Operations on hunts: questions to the archive, answered in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field

from haidang.console.alerts.actions import look_at as look_at_alert
from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Name
from haidang.console.hunts import actions
from haidang.console.hunts.models import Hunt
from haidang.console.hunts.showing import asked_for
from haidang.console.people.access import Request

__all__ = ["before_router", "router"]

router = Router(tags=["hunts"])
before_router = Router(tags=["alerts"])
_Days = Annotated[int, Field(ge=1, le=actions.MOST_DAYS)]


class NewHunt(Schema):
    """What is looked for, in what was received in the last days."""

    kind: Literal["words", "sql", "rules"] = "words"
    days: _Days = 7
    source: Key | None = None
    """Only what this source sent."""
    words: Annotated[str, Field(max_length=500)] = ""
    """With ``words``: texts that the record holds, all of them; "two words" side by side."""
    field: Name = ""
    """With ``words``: a field by its exact name."""
    value: Annotated[str, Field(max_length=1000)] = ""
    """Of that field; * is any text."""
    sql: Annotated[str, Field(max_length=actions.MOST_SQL)] = ""
    """With ``sql``: one SELECT over the view ``events``."""
    rule: Name = ""
    """With ``rules``: a rule that is loaded."""
    rule_text: Annotated[str, Field(max_length=actions.MOST_RULE_TEXT)] = ""
    """With ``rules``: YAML of rules in place of it."""


class Before(Schema):
    """How far to look back."""

    days: _Days = 90


class HuntRow(Schema):
    """A hunt."""

    id: int
    kind: Literal["words", "sql", "rules", "before"]
    question: str
    alert: int | None
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    created: datetime
    ended: datetime | None
    done: int
    """Files of the archive that rules went through."""
    total: int
    problem: str

    @staticmethod
    def resolve_question(hunt: Hunt) -> str:
        """Return what was asked in a line."""
        return asked_for(hunt)

    @staticmethod
    def resolve_alert(hunt: Hunt) -> int | None:
        """Return the key of the alert that it asks about."""
        return hunt.alert_id


class HuntDetail(HuntRow):
    """A hunt with its answer."""

    answer: Any
    """What was found, once it is done; else null."""


class HuntList(Schema):
    """The hunts of who asks, the newest first; twenty are kept."""

    items: list[HuntRow]


@operation(router, "get", "", "archive.search", response=HuntList)
def list_hunts(request: Request) -> dict[str, Any]:
    """List one's own hunts."""
    return {"items": actions.hunts_of(request.user)}


@operation(router, "post", "", "archive.search", response=HuntRow, status=202)
def start_hunt(request: Request, what: NewHunt) -> Status[Any]:
    """Begin to look for something; ask for the hunt until it is done. One at a time for each person."""
    return Status(202, actions.ask(request, actions.Asked(**what.dict())))


@operation(router, "get", "/{hunt}", "archive.search", response=HuntDetail)
def show_hunt(request: Request, hunt: Key) -> Hunt:
    """Show one of one's own hunts; a look at what was found goes into the audit log."""
    return actions.look_at(request, hunt)


@operation(router, "post", "/{hunt}/cancel", "archive.search", response=HuntRow)
def cancel_hunt(request: Request, hunt: Key) -> Hunt:
    """End a hunt; one that has ended stays as it is."""
    return actions.cancel(request, hunt)


@operation(before_router, "post", "/{alert}/before", "archive.search", response=HuntRow, status=202)
def look_before_alert(request: Request, alert: Key, what: Before) -> Status[Any]:
    """Begin to look for the alert's rule on its entity, and for what it matched, in what came before."""
    return Status(202, actions.ask_before(request, look_at_alert(request, alert), days=what.days))
