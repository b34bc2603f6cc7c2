"""Rules and techniques in the language of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.translation import gettext as _

from haidang.console.alerts.models import Alert, Level
from haidang.console.alerts.related import KIND_WORDS
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.findings.attack import technique_names
from haidang.i18n import N_

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["register"]

register = template.Library()


@register.filter
def said(alert: Alert) -> str:
    """Return the title of an alert."""
    return RULEBOOK.title(alert.rule, alert.title)


@register.filter
def technique_name(technique: str) -> str:
    """Return the name of a technique, "" where it is not known."""
    return technique_names().get(technique, "")


@register.filter
def rule_title(rule: str) -> str:
    """Return the title of a rule by its id, the id where it is not known."""
    info = RULEBOOK.info(rule)
    return RULEBOOK.title(rule, info.title if info else rule)


@register.filter
def indicator_kind(kind: str) -> str:
    """Return what kind of thing an indicator is, in words."""
    return _(KIND_WORDS[kind]) if kind in KIND_WORDS else kind


@register.filter
def disposition(value: str) -> str:
    """Return a disposition in words."""
    return str(dict(Alert.Disposition.choices).get(value, value))


@register.filter
def level_words(level: str) -> str:
    """Return the name of a level that is given as a digit."""
    return str(Level(int(level)).label)


@register.filter
def at(counts: dict[int, int], level: str) -> int:
    """Return how many there are of a level that is given as a digit."""
    return counts.get(int(level), 0)


@register.filter
def lane(number: int) -> int:
    """Return the height of a lane of the time line."""
    return 10 + 12 * number


@register.filter
def unlocal(number: float) -> str:
    """Return a number as SVG reads it, whatever the language of the page."""
    return f"{number:g}"


@register.filter
def iso(at: datetime) -> str:
    """Return a moment as an address holds it."""
    return at.isoformat()


_TIMES = {"1h": N_("1 hour"), "24h": N_("24 hours"), "7d": N_("7 days"), "30d": N_("30 days")}


@register.filter
def time_words(key: str) -> str:
    """Return a range of time in words."""
    return _(_TIMES[key])
