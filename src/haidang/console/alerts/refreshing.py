"""Parts of an open page as they are now: rows, what is open beside them, and counts.

Rules:

- A part has the id that it has on the page, and takes the place of what is there where it differs; what a
  person is typing, has ticked or looks at stays (``console.js``).
- Of the open alert the evidence stays as it was opened: that there is more is said, and looking at it is a
  look of its own, which is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.views.decorators.http import require_GET

from haidang.console.alerts.facets import facets
from haidang.console.alerts.filtering import Filter
from haidang.console.alerts.models import Alert
from haidang.console.alerts.queue import counts
from haidang.console.alerts.views import stamp_of, talk_context
from haidang.console.people.access import Request, allowed

if TYPE_CHECKING:
    from django.http import HttpResponse

__all__ = ["now"]

_MOST_ROWS = 100


@require_GET
@allowed("alerts.see")
def now(request: Request) -> HttpResponse:
    """Show parts of the queue as they are now.

    What is asked for: ``id`` (rows), ``shown`` with ``stamp`` and ``count`` (the open alert, as the page has
    it), ``facets`` (any value; the rest of the address says of which queue). The badge comes always.
    """
    asked = request.GET
    keys = [key for one in asked.getlist("id")[:_MOST_ROWS] if (key := _number(one))]
    rows = Alert.objects.visible_to(request.user).filter(pk__in=keys) if keys else Alert.objects.none()
    context: dict[str, Any] = {"changed": rows.select_related("unit", "owner").defer("search")}
    context |= _open_alert(request)
    if asked.get("facets"):
        wanted = Filter.read(asked)
        counted = counts(wanted, request.user)
        context |= {"facets": facets(wanted, counted, request.user), "counts": counted}
    return render(request, "alerts/_now.html", context)


def _open_alert(request: Request) -> dict[str, Any]:
    """Return what the parts of the open alert show; nothing where all is as the page has it."""
    key = _number(request.GET.get("shown", ""))
    if not key:
        return {}
    rows = Alert.objects.visible_to(request.user).select_related("unit", "asset", "source", "owner")
    found: Alert | None = rows.filter(pk=key).first()
    if found is None:
        return {}
    stamp = stamp_of(found)
    if stamp == request.GET.get("stamp"):
        return {}
    had = _number(request.GET.get("count", ""))
    more = max(0, found.count - had) if had else 0
    return {"shown": found, "stamp": stamp, "more": more, **talk_context(found)}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
