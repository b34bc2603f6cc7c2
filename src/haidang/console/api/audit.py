"""Operations on the audit log, which is only read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Query, Router, Schema

from haidang.console.api.operations import operation
from haidang.console.api.values import Limit, Moment, Name, Page, Words, page_of
from haidang.console.audit.checkpoints import sign_now
from haidang.console.audit.models import Entry
from haidang.console.people.access import Request
from haidang.console.people.refusals import MissingError

__all__ = ["router"]

router = Router(tags=["audit"])


class EntryRow(Schema):
    """An entry."""

    number: int
    at: datetime
    actor: str
    address: str
    action: str
    object_kind: str
    object_id: str
    object_name: str
    before: Any
    after: Any
    leaf: str
    """SHA-256 of the canonical entry after RFC 6962, in hexadecimal."""

    @staticmethod
    def resolve_leaf(entry: Entry) -> str:
        """Return the leaf in hexadecimal."""
        return bytes(entry.leaf).hex()


class EntryPage(Page):
    """A page of entries."""

    items: list[EntryRow]


class EntryFilter(Schema):
    """Which entries; each value narrows."""

    actor: Name = ""
    action: Words = ""
    """In whole, or its beginning: ``alert``."""
    object_kind: Words = ""
    object_id: Words = ""
    since: Moment | None = None
    until: Moment | None = None


class CheckpointRow(Schema):
    """A signed statement of how far the log had come (C2SP tlog-checkpoint)."""

    size: int
    at: datetime
    note: str


@operation(router, "get", "", "audit.see", response=EntryPage)
def list_entries(
    request: Request, wanted: Query[EntryFilter], limit: Limit = 100, cursor: Words = ""
) -> dict[str, Any]:
    """List entries, the newest first."""
    rows = Entry.objects.visible_to(request.user)
    asked = {
        "actor": wanted.actor,
        "action__startswith": wanted.action,
        "object_kind": wanted.object_kind,
        "object_id": wanted.object_id,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
    }
    rows = rows.filter(**{name: value for name, value in asked.items() if value})
    items, then = page_of(rows, limit, cursor)
    return {"items": items, "next": then}


@operation(router, "get", "/checkpoint", "audit.see", response=CheckpointRow)
def show_checkpoint(request: Request) -> Any:
    """Return a signed checkpoint of all entries: keep it on another machine, for haidang audit verify."""
    del request
    checkpoint = sign_now()
    if checkpoint is None:
        raise MissingError([])
    return checkpoint
