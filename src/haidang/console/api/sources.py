"""Operations on sources of logs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Limit, Name, Page, Patch, Words, page_of
from haidang.console.people.access import Request
from haidang.console.sources import actions
from haidang.console.sources.models import Source
from haidang.console.sources.vitals import Health, health_of
from haidang.console.units.actions import unit_of

if TYPE_CHECKING:
    from haidang.ingest.quarantine import Quarantined

__all__ = ["router"]

router = Router(tags=["sources"])

_Count = Annotated[int, Field(ge=0, le=2**31 - 1)]


class SourceRow(Schema):
    """A source."""

    id: int
    unit: int
    name: str
    certificate: str
    format: str
    rate: int
    body_bytes: int
    quiet_after: int
    enabled: bool
    created: datetime
    last_seen: datetime | None

    @staticmethod
    def resolve_unit(source: Source) -> int:
        """Return the key of the unit."""
        return source.unit_id


class SourcePage(Page):
    """A page of sources."""

    items: list[SourceRow]


class SourceFields(Schema):
    """What is known of a source."""

    unit: Key
    name: Name
    certificate: Name = ""
    """SHA-256 fingerprint of the certificate that it shows, in hexadecimal."""
    format: Name = ""
    """Name of a reader (``haidang formats``); empty to have it recognised."""
    rate: _Count = 0
    """Most events a second; 0 for any number."""
    body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 64 << 20
    quiet_after: Annotated[int, Field(ge=1, le=525_600)] = 60
    """Minutes until its silence is an alert."""
    enabled: bool = True


class SourceToken(Schema):
    """A source and its token, which is shown this once."""

    source: SourceRow
    token: str


class HealthRow(Schema):
    """How a source is."""

    source: int
    name: str
    events: int
    per_minute: float
    refused: int
    lag: float
    quarantined: int
    quiet: bool
    last_seen: datetime | None

    @staticmethod
    def resolve_source(health: Health) -> int:
        """Return the key of the source."""
        return health.source.pk

    @staticmethod
    def resolve_name(health: Health) -> str:
        """Return the name of the source."""
        return health.source.name

    @staticmethod
    def resolve_last_seen(health: Health) -> datetime | None:
        """Return when something last came."""
        return health.source.last_seen


class BrokenRow(Schema):
    """A line that could not be read."""

    number: int
    reason: str
    detail: str
    first: datetime
    last: datetime
    times: int
    size: int
    line: str
    """Its beginning, as text; bytes that are none are escaped."""

    @staticmethod
    def resolve_line(broken: Quarantined) -> str:
        """Return the line as text."""
        return broken.line.decode("utf-8", "backslashreplace")

    @staticmethod
    def resolve_first(broken: Quarantined) -> float:
        """Return the time in seconds; so does the next."""
        return broken.first / 1e9

    @staticmethod
    def resolve_last(broken: Quarantined) -> float:
        """Return the time in seconds."""
        return broken.last / 1e9


class BrokenPage(Schema):
    """Broken lines, the newest first."""

    items: list[BrokenRow]
    next: int | None
    """Hand this over as ``before`` for the lines behind; null on the last page."""


class Numbers(Schema):
    """Numbers of broken lines."""

    numbers: Annotated[list[Key], Field(min_length=1, max_length=1000)]


class Discarded(Schema):
    """How many lines were removed."""

    count: int


@operation(router, "get", "", "sources.see", response=SourcePage)
def list_sources(request: Request, limit: Limit = 100, cursor: Words = "") -> dict[str, Any]:
    """List sources, in the order in which they were made."""
    items, then = page_of(Source.objects.visible_to(request.user), limit, cursor, newest_first=False)
    return {"items": items, "next": then}


@operation(router, "post", "", "sources.edit", response=SourceToken, status=201)
def add_source(request: Request, what: SourceFields) -> Status[Any]:
    """Add a source; the answer has its token, this once."""
    source, token = actions.add_source(request, _values(request, what.dict()))
    return Status(201, {"source": source, "token": token})


@operation(router, "get", "/health", "sources.see", response=list[HealthRow])
def list_health(request: Request) -> list[Health]:
    """List how all sources are."""
    return health_of(Source.objects.visible_to(request.user))


@operation(router, "get", "/{source}", "sources.see", response=SourceRow)
def show_source(request: Request, source: Key) -> Source:
    """Show a source."""
    return actions.source_of(request, source)


@operation(router, "patch", "/{source}", "sources.edit", response=SourceRow)
def change_source(request: Request, source: Key, what: Patch[SourceFields]) -> Source:
    """Change a source."""
    return actions.change_source(
        request, actions.source_of(request, source), _values(request, what.dict(exclude_unset=True))
    )


@operation(router, "post", "/{source}/token", "sources.edit", response=SourceToken)
def renew_source_token(request: Request, source: Key) -> dict[str, Any]:
    """Give it a new token; the old one holds no more."""
    found = actions.source_of(request, source)
    return {"token": actions.new_token(request, found), "source": found}


@operation(router, "get", "/{source}/health", "sources.see", response=HealthRow)
def show_health(request: Request, source: Key) -> Health:
    """Show how a source is."""
    return health_of([actions.source_of(request, source)])[0]


@operation(router, "get", "/{source}/quarantine", "quarantine.see", response=BrokenPage)
def list_quarantine(
    request: Request, source: Key, before: Key | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """List lines that could not be read; that they were looked at goes into the audit log."""
    found = actions.source_of(request, source)
    lines = actions.look_at_quarantine(request, found, before=before or 0, most=limit)
    return {"items": lines, "next": lines[-1].number if len(lines) == limit else None}


@operation(router, "post", "/{source}/quarantine/discard", "sources.edit", response=Discarded)
def discard_quarantine(request: Request, source: Key, what: Numbers) -> dict[str, int]:
    """Remove lines from the quarantine."""
    return {"count": actions.discard_lines(request, actions.source_of(request, source), what.numbers)}


def _values(request: Request, said: dict[str, Any]) -> dict[str, Any]:
    if "unit" in said:
        said["unit"] = unit_of(request, said["unit"])
    return said
