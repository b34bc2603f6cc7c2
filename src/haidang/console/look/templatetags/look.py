"""What templates need to say things the way this house does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django import template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from haidang.i18n import N_, translator
from haidang.sigma.ir import LEVELS

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

__all__ = ["register"]

register = template.Library()

_LEVELS = {4: N_("Critical"), 3: N_("High"), 2: N_("Medium"), 1: N_("Low"), 0: N_("Informational")}

_ACTIONS = {
    "alert.acknowledge": N_("acknowledged"),
    "alert.assign": N_("assigned"),
    "alert.close": N_("closed"),
    "alert.reopen": N_("reopened"),
    "alert.note": N_("wrote a note"),
    "alert.see": N_("looked at the evidence"),
}

_MENU = (
    ("overview", N_("Overview"), "gauge", "alerts.see"),
    ("alerts", N_("Alerts"), "bell", "alerts.see"),
    ("silences", N_("Silences"), "mute", "alerts.see"),
    ("hunt", N_("Hunt"), "search", "archive.search"),
    ("rules", N_("Rules"), "rule", "rules.see"),
    ("units", N_("Units"), "units", "units.see"),
    ("sources", N_("Sources"), "inbox", "sources.see"),
    ("channels", N_("Channels"), "send", "channels.see"),
    ("people", N_("People"), "people", "people.see"),
    ("audit", N_("Audit"), "seal", "audit.see"),
)
"""Name of the address, words, icon and permission. A page that is not there yet is not in the menu."""


@register.simple_tag
@lru_cache(100)
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite; it says nothing by itself, so words stand beside it."""
    address = static("look/icons.svg")
    return format_html(
        '<svg class="i" width="16" height="16" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"/></svg>',
        address,
        name,
    )


@register.simple_tag
def level_icon(level: int) -> SafeString:
    """Draw a level: as many bars of four as it has, so that it can be told without its colour."""
    return icon(f"level-{level}")


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
def level_word(level: str) -> str:
    """Return the name of a level from Sigma's word for it."""
    return _(_LEVELS[LEVELS.index(level)]) if level in LEVELS else level


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
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        date_format(local, "DATETIME_FORMAT"),
        said,
    )


@register.filter
def moment(nanoseconds: int) -> datetime:
    """Return the moment of nanoseconds since 1970."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


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
