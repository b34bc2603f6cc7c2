"""Operations on threat intelligence: what detection works with, and what an alert's evidence meets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Router, Schema

from haidang.console.alerts.actions import look_at
from haidang.console.alerts.models import Example
from haidang.console.alerts.related import related
from haidang.console.api.operations import operation
from haidang.console.api.values import Key
from haidang.console.people.access import Request
from haidang.console.rules import indicators
from haidang.console.rules.models import Loaded

__all__ = ["alert_router", "router"]

router = Router(tags=["intelligence"])
alert_router = Router(tags=["alerts"])


class IntelSource(Schema):
    """A source of indicators."""

    name: str
    kind: str
    indicators: int
    refused: int
    """Entries that cannot be used."""
    updated: datetime | None
    failed: str
    """Why the last update failed; empty where it did not."""
    tlp: str
    confidence: int
    """Of indicators that have none of their own; -1 for none."""
    pack: str
    """The pack that it came in."""


class Part(Schema):
    """How one part was last taken up."""

    at: datetime | None
    tried: datetime
    problem: str
    """Why the last try failed; what was there before is in use."""


class Intelligence(Schema):
    """What detection works with; null for what it has not told."""

    rules: Part | None
    rule_count: int
    refused: list[str]
    """Rules that cannot be used, up to fifty."""
    indicators: Part | None
    indicator_count: int
    sources: list[IntelSource]
    update: Part | None
    next_update: datetime | None


class RelatedIndicator(Schema):
    """An indicator that a value of an alert's evidence meets."""

    kind: str
    value: str
    name: str
    source: str
    confidence: int | None
    tlp: str
    valid_from: datetime | None
    valid_until: datetime | None
    holds: bool
    """Whether it holds at the time of the event."""
    own: bool
    """Whether the alert is of this very indicator."""
    fields: list[str]
    said: str
    """What the finding said of an indicator that is no longer kept."""


class RelatedIndicators(Schema):
    """The alert's own first, then the surest; up to fifty."""

    items: list[RelatedIndicator]


@operation(router, "get", "", "sources.see", response=Intelligence)
def show_intelligence(request: Request) -> dict[str, Any]:
    """Show which rules and indicators detection works with, and what went wrong with those that changed."""
    del request
    rows = {row.part: row for row in Loaded.objects.all()}
    rules, known, update = (rows.get(part) for part in Loaded.Part)
    about, figures = known.about if known else {}, rules.about if rules else {}
    return {
        "rules": rules,
        "rule_count": figures.get("rules", 0),
        "refused": figures.get("refused", []),
        "indicators": known,
        "indicator_count": about.get("indicators", 0),
        "sources": about.get("sources", []),
        "update": update,
        "next_update": update.about.get("next") if update else None,
    }


@operation(alert_router, "get", "/{alert}/indicators", "alerts.see", response=RelatedIndicators)
def list_alert_indicators(request: Request, alert: Key) -> dict[str, Any]:
    """List the kept indicators that the alert's evidence meets; the look goes into the audit log."""
    found = look_at(request, alert)
    examples = Example.objects.filter(alert=found)[:20]
    said = [one.finding for one in examples if isinstance(one.finding, dict)]
    return {"items": [one._asdict() for one in related(said, indicators.known())]}
