"""What detection works with, on pages: what is loaded, and what went wrong."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.translation import get_language

from haidang.console.rules.models import Loaded
from haidang.findings.details import detail
from haidang.i18n import translator

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["register"]

register = template.Library()


@register.inclusion_tag("rules/_troubles.html", takes_context=True)
def loading_troubles(context: template.Context) -> dict[str, Any]:
    """Name what could not be taken up, to whoever may see rules."""
    may = context["may"]
    found = list(Loaded.objects.exclude(problem="")) if may["rules.see"] else []
    return {"troubles": [{"row": row, "lines": list(_lines(row.problem))} for row in found]}


@register.inclusion_tag("rules/_intelligence.html")
def intelligence() -> dict[str, Any]:
    """Show the sources of indicators that detection works with."""
    rows = {row.part: row for row in Loaded.objects.all()}
    loaded, update = rows.get(Loaded.Part.INDICATORS), rows.get(Loaded.Part.UPDATE)
    about = loaded.about if loaded is not None else {}
    sources = [
        {**one, "updated": _moment(one.get("updated")), "failed": " ".join(_lines(one.get("failed", "")))}
        for one in about.get("sources", ())
    ]
    following = _moment(update.about.get("next")) if update is not None else None
    return {"loaded": loaded, "about": about, "sources": sources, "next": following}


def _lines(problem: str) -> Iterator[str]:
    translate = translator("vi" if (get_language() or "").startswith("vi") else "en")
    for line in problem.splitlines():
        yield detail(line, translate)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
