"""Operations on alerts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from haidang.console.alerts import actions, fulltext
from haidang.console.alerts.models import Alert, Example, Note
from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Keys, Limit, LongText, Moment, Name, Page, Words, page_of
from haidang.console.people.access import Request
from haidang.console.people.models import User
from haidang.console.people.refusals import MissingError

if TYPE_CHECKING:
    from haidang.console.people.scope import VisibleQuerySet

__all__ = ["router"]

router = Router(tags=["alerts"])

State = Literal["new", "acknowledged", "closed"]
Disposition = Literal["true-positive", "benign", "false-positive"]
Level = Literal["informational", "low", "medium", "high", "critical"]
_LEVELS: tuple[str, ...] = ("informational", "low", "medium", "high", "critical")


class AlertRow(Schema):
    """An alert in a list."""

    id: int
    rule: str
    title: str
    level: Level
    tags: list[str]
    techniques: list[str]
    entity: str
    entity_kind: str
    unit: int | None
    asset: int | None
    source: int | None
    count: int
    first_seen: datetime
    last_seen: datetime
    risk: int
    state: State
    owner: str | None
    disposition: Disposition | Literal[""]
    acknowledged_at: datetime | None
    closed_at: datetime | None

    @staticmethod
    def resolve_level(alert: Alert) -> str:
        """Return Sigma's name of the level."""
        return _LEVELS[alert.level]

    @staticmethod
    def resolve_unit(alert: Alert) -> int | None:
        """Return the key of the unit; so do the next two."""
        return alert.unit_id

    @staticmethod
    def resolve_asset(alert: Alert) -> int | None:
        """Return the key of the asset."""
        return alert.asset_id

    @staticmethod
    def resolve_source(alert: Alert) -> int | None:
        """Return the key of the source."""
        return alert.source_id

    @staticmethod
    def resolve_owner(alert: Alert) -> str | None:
        """Return the user name of who works on it."""
        return alert.owner.get_username() if alert.owner else None


class NoteRow(Schema):
    """A note to an alert."""

    id: int
    by: str
    at: datetime
    text: str

    @staticmethod
    def resolve_by(note: Note) -> str:
        """Return the user name of who wrote it."""
        return note.by.get_username()


class AlertDetail(AlertRow):
    """An alert with its evidence."""

    notes: list[NoteRow]
    findings: list[Any]
    """Up to twenty, as in the findings' NDJSON contract."""

    @staticmethod
    def resolve_notes(alert: Alert) -> list[Note]:
        """Return what was written to it."""
        return list(alert.notes.select_related("by"))

    @staticmethod
    def resolve_findings(alert: Alert) -> list[Any]:
        """Return the examples that are kept."""
        return [example.finding for example in Example.objects.filter(alert=alert)]


class AlertPage(Page):
    """A page of alerts."""

    items: list[AlertRow]


class AlertFilter(Schema):
    """Which alerts; each value narrows."""

    state: list[State] = Field([], max_length=3)
    level: list[Level] = Field([], max_length=5)
    rule: Name = ""
    entity: Name = ""
    technique: Annotated[str, Field(pattern=r"^([Tt][0-9]{4}(\.[0-9]{3})?)?$")] = ""
    """An ATT&CK technique, as T1059.001."""
    unit: Key | None = None
    """That unit, and those below it."""
    source: Key | None = None
    owner: Name = ""
    """A user name, or ``none``."""
    disposition: Disposition | None = None
    since: Moment | None = None
    """Last seen at this time or later."""
    until: Moment | None = None
    q: Words = ""
    """Beginnings of words, all of which the alert holds; "two words" side by side, -word not at all."""

    def rows(self, user: User) -> VisibleQuerySet[Alert]:
        """Return what is asked for, of what a person may see."""
        rows = Alert.objects.visible_by_key(user, () if self.unit is None else (self.unit,))
        if self.state:
            rows = rows.filter(state__in=self.state)
        if self.level:
            rows = rows.filter(level__in=[_LEVELS.index(level) for level in self.level])
        if self.owner:
            rows = (
                rows.filter(owner=None) if self.owner == "none" else rows.filter(owner__username=self.owner)
            )
        exact = {
            "rule": self.rule,
            "entity": self.entity,
            "source": self.source,
            "disposition": self.disposition,
            "last_seen__gte": self.since,
            "last_seen__lt": self.until,
        }
        rows = rows.filter(**{name: value for name, value in exact.items() if value})
        tags = (f"attack.{self.technique.lower()}",) if self.technique else ()
        return fulltext.matching(rows, fulltext.parsed(self.q), tags)

    @property
    def order(self) -> str:
        """By which time the alerts come; what is searched for comes by its key, as the index has it."""
        return "" if self.technique or fulltext.parsed(self.q).wanted else "last_seen"


class Bulk(Schema):
    """What is done to several alerts at once."""

    action: Literal["acknowledge", "assign", "note", "close", "reopen"]
    alerts: Keys
    owner: Name | None = None
    """With ``assign``: a user name; null for nobody."""
    text: LongText = ""
    """With ``note`` and ``close``."""
    disposition: Disposition | None = None
    """With ``close``."""


class Assignment(Schema):
    """Who is to work on it."""

    owner: Name | None
    """A user name; null for nobody."""


class Remark(Schema):
    """A note."""

    text: LongText


class Closing(Schema):
    """What it turned out to be."""

    disposition: Disposition
    note: LongText = ""


class Done(Schema):
    """How many records there were."""

    count: int


@operation(router, "get", "", "alerts.see", response=AlertPage)
def list_alerts(
    request: Request, wanted: Query[AlertFilter], limit: Limit = 50, cursor: Words = ""
) -> dict[str, Any]:
    """List alerts, those seen last first; those that are searched for, the newest first."""
    rows = wanted.rows(request.user).select_related("owner")
    items, then = page_of(rows, limit, cursor, wanted.order)
    return {"items": items, "next": then}


@operation(router, "post", "/bulk", "alerts.work", response=Done)
def change_alerts(request: Request, what: Bulk) -> dict[str, int]:
    """Do the same to several alerts: to all of them, or, where one is not there, to none."""
    if what.action == "assign":
        actions.assign(request, what.alerts, _person(request, what.owner))
    elif what.action == "note":
        actions.note(request, what.alerts, what.text)
    elif what.action == "close":
        actions.close(request, what.alerts, what.disposition or "", note=what.text)
    else:
        {"acknowledge": actions.acknowledge, "reopen": actions.reopen}[what.action](request, what.alerts)
    return {"count": len(set(what.alerts))}


@operation(router, "get", "/{alert}", "alerts.see", response=AlertDetail)
def show_alert(request: Request, alert: Key) -> Alert:
    """Show an alert with its evidence; that it was looked at goes into the audit log."""
    return actions.look_at(request, alert)


@operation(router, "post", "/{alert}/acknowledge", "alerts.work", response=AlertRow)
def acknowledge_alert(request: Request, alert: Key) -> Alert:
    """Say that somebody looks at it."""
    return actions.acknowledge(request, [alert])[0]


@operation(router, "post", "/{alert}/assign", "alerts.work", response=AlertRow)
def assign_alert(request: Request, alert: Key, what: Assignment) -> Alert:
    """Give it to somebody."""
    return actions.assign(request, [alert], _person(request, what.owner))[0]


@operation(router, "post", "/{alert}/notes", "alerts.work", response=NoteRow, status=201)
def note_alert(request: Request, alert: Key, what: Remark) -> Status[Any]:
    """Write a note to it."""
    return Status(201, actions.note(request, [alert], what.text)[0])


@operation(router, "post", "/{alert}/close", "alerts.work", response=AlertRow)
def close_alert(request: Request, alert: Key, what: Closing) -> Alert:
    """Close it."""
    return actions.close(request, [alert], what.disposition, note=what.note)[0]


@operation(router, "post", "/{alert}/reopen", "alerts.work", response=AlertRow)
def reopen_alert(request: Request, alert: Key) -> Alert:
    """Take it up again."""
    return actions.reopen(request, [alert])[0]


def _person(request: Request, name: str | None) -> User | None:
    """Return who is called so, of those that may be named to this person.

    Raises:
        MissingError: There is no such person.
    """
    if name is None:
        return None
    person = User.objects.visible_to(request.user).filter(username=name).first()
    if person is None:
        raise MissingError([name])
    return person
