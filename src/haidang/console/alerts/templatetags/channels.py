"""How a channel tells, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from haidang.console.alerts.notify.problems import problem_said

if TYPE_CHECKING:
    from haidang.console.alerts.notify.models import Channel

__all__ = ["register"]

register = template.Library()


@register.filter
def quiet_hours(channel: Channel) -> str:
    """Return when a channel is quiet."""
    if channel.quiet_from is None or channel.quiet_until is None:
        return _("none")
    return f"{channel.quiet_from:%H:%M} – {channel.quiet_until:%H:%M}"


@register.filter
def digest(channel: Channel) -> str:
    """Return how often a channel tells what is not urgent."""
    minutes = channel.digest_minutes
    if not minutes:
        return _("none, at once")
    return ngettext("every %(n)s minute", "every %(n)s minutes", minutes) % {"n": minutes}


@register.filter
def problem(kept: str) -> str:
    """Return why something was not taken."""
    return problem_said(kept)
