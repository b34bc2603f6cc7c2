"""What the pipeline carries from findings to alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from haidang.console.alerts.entities import Entity, bounded
from haidang.console.alerts.storing import storable_text
from haidang.sigma.ir import LEVELS

if TYPE_CHECKING:
    from datetime import datetime

    from haidang.console.alerts.enriching import Place
    from haidang.findings.model import Finding, FindingRule

__all__ = ["Group", "Rule", "Told", "rule_told"]

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)\Z", re.IGNORECASE)
_MOST_RULES = 100_000


class Rule(NamedTuple):
    """What an alert says of its rule."""

    key: str
    """Its id, or its title where it has none."""
    title: str
    level: int
    tags: list[str]
    techniques: list[str]


class Told(NamedTuple):
    """A finding and when it was: the event's time, or that of its reception where that cannot be."""

    time: datetime
    finding: Finding


class Group(NamedTuple):
    """Findings of one rule on one entity of one unit."""

    rule: Rule
    entity: Entity
    place: Place
    source: int | None
    items: list[Told]


_RULES: dict[int, tuple[FindingRule, Rule]] = {}


def rule_told(rule: FindingRule) -> Rule:
    """Return what is kept of a rule; findings of one rule share one object, which is looked at once."""
    known = _RULES.get(id(rule))
    if known is None or known[0] is not rule:
        if len(_RULES) >= _MOST_RULES:
            _RULES.clear()
        tags = [storable_text(tag) for tag in rule.tags]
        told = Rule(
            key=bounded(storable_text(rule.id or rule.title), 200),
            title=bounded(storable_text(rule.title), 300),
            level=LEVELS.index(rule.level) if rule.level in LEVELS else LEVELS.index("medium"),
            tags=tags,
            techniques=sorted({found[1].upper() for tag in tags if (found := _TECHNIQUE.match(tag))}),
        )
        known = _RULES[id(rule)] = (rule, told)
    return known[1]
