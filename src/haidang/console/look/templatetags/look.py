"""What templates need to say things the way this house does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from haidang.i18n import translator

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

__all__ = ["register"]

register = template.Library()

_LEVELS = {4: _n("Critical"), 3: _n("High"), 2: _n("Medium"), 1: _n("Low"), 0: _n("Informational")}

_ACTIONS = {
    "alert.acknowledge": _n("acknowledged"),
    "alert.assign": _n("assigned"),
    "alert.close": _n("closed"),
    "alert.reopen": _n("reopened"),
    "alert.note": _n("wrote a note"),
    "alert.see": _n("looked at the evidence"),
}

_MENU = (
    ("overview", _n("Overview"), "gauge", "alerts.see"),
    ("alerts", _n("Alerts"), "bell", "alerts.see"),
    ("silences", _n("Silences"), "mute", "alerts.see"),
    ("hunt", _n("Hunt"), "search", "archive.search"),
    ("rules", _n("Rules"), "rule", "rules.see"),
    ("units", _n("Units"), "units", "units.see"),
    ("sources", _n("Sources"), "inbox", "sources.see"),
    ("people", _n("People"), "people", "people.see"),
    ("audit", _n("Audit"), "seal", "audit.see"),
)
"""Name of the address, words, icon and permission. A page that is not there yet is not in the menu."""


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite; it says nothing by itself, so words stand beside it."""
    address = static("look/icons.svg")
    return format_html(
        '<svg class="i" width="16" height="16" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        address,
        name,
    )


@register.simple_tag(takes_context=True)
def menu(context: template.Context) -> list[dict[str, Any]]:
    """Return the pages that the person may open."""
    request, may = context.get("request"), context.get("may")
    if not may:
        return []
    here = getattr(getattr(request, "resolver_match", None), "url_name", "") or ""
    items = []
    for name, words, drawn, permission in _MENU:
        if not may[permission]:
            continue
        try:
            address = reverse(name)
        except NoReverseMatch:
            continue
        path = getattr(request, "path", "")
        on = here == name or (address != "/" and path.startswith(address))
        items.append({"name": name, "address": address, "words": _(words), "icon": drawn, "on": on})
    return items


@register.filter
def level_name(level: int) -> str:
    """Return the name of a level."""
    return _(_LEVELS.get(level, ""))


@register.filter
def tactic_name(name: str) -> str:
    """Return the name of a tactic in the language of the page, from its English one."""
    return translator("vi" if (get_language() or "").startswith("vi") else "en")(name)


@register.filter
def acted(action: str) -> str:
    """Return an action of the audit log in words."""
    return _(_ACTIONS[action]) if action in _ACTIONS else action


@register.filter
def clock(at: datetime | None) -> SafeString | str:
    """Return a moment as short as it is clear: the time today, the day before that."""
    if at is None:
        return "–"
    local, now = timezone.localtime(at), timezone.localtime()
    if local.date() == now.date():
        said = f"{local:%H:%M:%S}"
    elif local.year == now.year:
        said = f"{local:%d/%m %H:%M}"
    else:
        said = f"{local:%d/%m/%Y}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), date_format(local, "DATETIME_FORMAT"), said
    )


@register.filter
def ago(at: datetime | None) -> str:
    """Return how long ago something was, in one unit."""
    return "–" if at is None else span(max(timedelta(), timezone.now() - at))


@register.filter
def span(length: timedelta | None) -> str:
    """Return a length of time in the unit that suits it."""
    if length is None:
        return "–"
    seconds = int(length.total_seconds())
    if seconds < 60:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    if seconds < 2 * 3600:
        return ngettext("%(n)s minute", "%(n)s minutes", seconds // 60) % {"n": seconds // 60}
    if seconds < 48 * 3600:
        return ngettext("%(n)s hour", "%(n)s hours", seconds // 3600) % {"n": seconds // 3600}
    return ngettext("%(n)s day", "%(n)s days", seconds // 86400) % {"n": seconds // 86400}


@register.filter
def technique_address(technique: str) -> str:
    """Return the page of a technique at MITRE."""
    return f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}/"


@register.simple_tag
def new_alerts(user: Any) -> str:
    """Return how many alerts nobody has taken notice of: "" for none, "99+" for many."""
    from haidang.console.alerts.filtering import Filter

    number = Filter(state=("new",)).applied(user).order_by()[:100].count() if user.is_authenticated else 0
    return "99+" if number > 99 else str(number or "")


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """Return what a mapping has under a key."""
    return mapping.get(key) if mapping else None
