"""Operations on rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from ninja import Router, Schema
from pydantic import Field

from haidang.console.api.operations import operation
from haidang.console.api.values import LongText, Name, Words
from haidang.console.people.access import Request
from haidang.console.people.refusals import MissingError
from haidang.console.rules import actions, catalogue

__all__ = ["router"]

router = Router(tags=["rules"])


class NoiseRow(Schema):
    """What a rule made in the last thirty days."""

    alerts: int
    findings: int
    judged: int
    false: int
    false_ratio: float | None
    last_seen: datetime | None


class RuleRow(Schema):
    """A rule that is loaded."""

    rule: str
    """How alerts name it: its id, or its title where it has none."""
    title: str
    level: str
    status: str
    tags: list[str]
    description: str
    correlation: bool
    enabled: bool
    reason: str
    """Why it was switched; empty where it never was."""
    noise: NoiseRow


class RulePage(Schema):
    """Rules, those that make most alerts first."""

    items: list[RuleRow]
    total: int


class Switching(Schema):
    """How a rule is to be, and why."""

    enabled: bool
    reason: LongText


class RuleState(Schema):
    """How a rule is."""

    rule: str
    enabled: bool
    reason: str
    at: datetime


class Trial(Schema):
    """Events to look at, and rules to look with."""

    events: Annotated[str, Field(max_length=actions.MOST_EVENTS_BYTES)]
    """Lines as a log has them."""
    format: Name = ""
    """Name of a reader; empty to have it recognised."""
    rule: Name = ""
    """A rule that is loaded; empty for all of them."""
    rule_text: Annotated[str, Field(max_length=actions.MOST_RULE_BYTES)] = ""
    """YAML of rules that are tried instead."""


class ProblemRow(Schema):
    """What could not be read."""

    kind: str
    where: str
    detail: str


class Trialled(Schema):
    """What was found."""

    format: str
    records: int
    count: int
    problems: list[ProblemRow]
    findings: list[Any]
    """Up to 200, as in the findings' NDJSON contract."""


@operation(router, "get", "", "rules.see", response=RulePage)
def list_rules(
    request: Request,
    q: Words = "",
    state: Literal["on", "off", ""] = "",
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    """List rules that are loaded, those that make most alerts first."""
    wanted = q.lower()
    found = [
        entry
        for entry in catalogue.entries(request.user)
        if state in {"", "on" if entry.enabled else "off"}
        and wanted in f"{entry.name} {entry.info.title} {' '.join(entry.info.tags)}".lower()
    ]
    return {"items": [_row(entry) for entry in found[offset : offset + limit]], "total": len(found)}


@operation(router, "post", "/try", "rules.test", response=Trialled)
def try_rules(request: Request, what: Trial) -> dict[str, Any]:
    """Look for findings in events; nothing is kept."""
    del request
    tried = actions.try_on_events(what.events, format_name=what.format, rule=what.rule, text=what.rule_text)
    return {
        "format": tried.format,
        "records": tried.records,
        "count": tried.total,
        "problems": [{"kind": one.kind, "where": one.where, "detail": one.detail} for one in tried.problems],
        "findings": [msgspec.to_builtins(finding) for finding in tried.findings],
    }


@operation(router, "get", "/{rule}", "rules.see", response=RuleRow)
def show_rule(request: Request, rule: Name) -> dict[str, Any]:
    """Show a rule."""
    entry = catalogue.entry_of(request.user, rule)
    if entry is None:
        raise MissingError([rule])
    return _row(entry)


@operation(router, "post", "/{rule}/switch", "rules.switch", response=RuleState)
def switch_rule(request: Request, rule: Name, what: Switching) -> Any:
    """Switch a rule on or off."""
    return actions.switch(request, rule, enabled=what.enabled, reason=what.reason)


def _row(entry: catalogue.RuleEntry) -> dict[str, Any]:
    info = entry.info
    return {
        "rule": entry.name,
        "title": info.title,
        "level": info.level,
        "status": info.status,
        "tags": list(info.tags),
        "description": info.description,
        "correlation": info.correlation,
        "enabled": entry.enabled,
        "reason": entry.state.reason if entry.state else "",
        "noise": {**entry.noise._asdict(), "false_ratio": entry.noise.false_ratio},
    }
