"""Hunts on pages: what was asked in a line, why there is no answer, what came before an alert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from haidang.console.alerts.alarms import is_alarm
from haidang.console.hunts import actions
from haidang.console.hunts.earlier import earlier
from haidang.console.hunts.running import SAID
from haidang.console.hunts.showing import asked_for, shown
from haidang.findings.details import detail
from haidang.i18n import N_, translator

if TYPE_CHECKING:
    from haidang.console.alerts.models import Alert
    from haidang.console.hunts.models import Hunt

__all__ = ["register"]

register = template.Library()

_ERRORS = (
    (
        re.compile(r"The query took longer than (?P<n>\S+) seconds\."),
        N_("The query took longer than %(n)s seconds. Ask for fewer days, or one source."),
    ),
    (re.compile("The query cannot be answered: (?P<why>.*)", re.DOTALL), N_("The query is wrong: %(why)s")),
    (re.compile(r"This is no single SELECT\."), N_("This is no single SELECT.")),
)
"""What :mod:`haidang.ingest.hunting` says; what DuckDB says stays as it is."""


@register.filter
def in_a_line(hunt: Hunt) -> str:
    """Return what was asked."""
    return asked_for(hunt)


@register.filter
def problem(hunt: Hunt) -> str:
    """Return why there is no answer, in the language of the page."""
    if hunt.problem in SAID:
        return _(hunt.problem)
    for pattern, words in _ERRORS:
        if found := pattern.fullmatch(hunt.problem):
            return _(words) % found.groupdict()
    return detail(hunt.problem, translator("vi" if (get_language() or "").startswith("vi") else "en"))


@register.inclusion_tag("hunts/_seen.html", takes_context=True)
def seen_before(context: template.Context, alert: Alert) -> dict[str, Any]:
    """Show the earlier alerts of the same rule on the same entity, and the way into the archive."""
    request, may = context["request"], context["may"]
    hunt = actions.latest_about(request.user, alert) if may["archive.search"] else None
    return {
        "request": request,
        "may": may,
        "csrf_token": context.get("csrf_token"),
        "alert": alert,
        "earlier": earlier(request.user, alert),
        "archive": actions.has_archive(),
        "alarm": is_alarm(alert),
        "hunt": hunt,
        "shown": hunt and shown(hunt, brief=True),
    }
