"""Pages of sources and their quarantine."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haidang.console.look.forms import form_page, secret_page
from haidang.console.people.access import Request, allowed
from haidang.console.sources import actions
from haidang.console.sources.forms import SourceForm
from haidang.console.sources.models import Source
from haidang.console.sources.vitals import health_of
from haidang.errors import StorageError
from haidang.findings.details import detail
from haidang.i18n import translator

if TYPE_CHECKING:
    from django.http import HttpResponse

__all__ = ["add_source", "change_source", "discard", "quarantine", "renew_token", "source", "sources"]

_PAGE = 100


@require_GET
@allowed("sources.see")
def sources(request: Request) -> HttpResponse:
    """Show all sources and how they are; those in trouble first."""
    rows = health_of(Source.objects.visible_to(request.user).select_related("unit"))
    rows.sort(key=lambda one: (not one.quiet, one.quarantined == 0, one.source.name.lower()))
    return render(request, "sources/sources.html", {"rows": rows})


@require_GET
@allowed("sources.see")
def source(request: Request, number: int) -> HttpResponse:
    """Show one source."""
    shown = actions.source_of(request, number)
    minutes = shown.minutes.order_by("-minute")[:60]
    context = {"one": health_of([shown])[0], "minutes": minutes}
    return render(request, "sources/source.html", context)


@require_http_methods(["GET", "POST"])
@allowed("sources.edit")
def add_source(request: Request) -> HttpResponse:
    """Add a source, and show its token."""

    def save(given: dict[str, Any]) -> HttpResponse:
        made, token = actions.add_source(request, given)
        return _token_page(request, made, token)

    form = SourceForm(request.user, request.POST or None)
    return form_page(request, form, save, title=_("New source"), back=reverse("sources"), said="")


@require_http_methods(["GET", "POST"])
@allowed("sources.edit")
def change_source(request: Request, number: int) -> HttpResponse:
    """Change a source."""
    shown = actions.source_of(request, number)
    form = SourceForm(request.user, request.POST or None, instance=copy(shown))
    return form_page(
        request,
        form,
        lambda given: actions.change_source(request, shown, given),
        title=shown.name,
        back=reverse("source", args=[number]),
        said=_("The source was changed."),
    )


@require_POST
@allowed("sources.edit")
def renew_token(request: Request, number: int) -> HttpResponse:
    """Give a source a new token, and show it."""
    shown = actions.source_of(request, number)
    return _token_page(request, shown, actions.new_token(request, shown))


@require_GET
@allowed("quarantine.see")
def quarantine(request: Request, number: int) -> HttpResponse:
    """Show lines of a source that could not be read."""
    shown = actions.source_of(request, number)
    before = request.GET.get("before", "")
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else 0
    translate = translator("vi" if (get_language() or "").startswith("vi") else "en")
    lines = []
    trouble = ""
    try:
        lines = actions.look_at_quarantine(request, shown, before=start, most=_PAGE)
    except StorageError as error:
        trouble = error.message
    context = {
        "source": shown,
        "trouble": trouble,
        "lines": [
            {
                "line": one,
                "said": detail(one.detail, translate),
                "text": one.line.decode("utf-8", "backslashreplace"),
            }
            for one in lines
        ],
        "next": lines[-1].number if len(lines) == _PAGE else None,
    }
    return render(request, "sources/quarantine.html", context)


@require_POST
@allowed("sources.edit")
def discard(request: Request, number: int) -> HttpResponse:
    """Remove lines from the quarantine."""
    shown = actions.source_of(request, number)
    numbers = [int(one) for one in request.POST.getlist("line") if one.isascii() and one.isdigit()]
    count = actions.discard_lines(request, shown, numbers)
    messages.success(request, ngettext("%(n)s line removed", "%(n)s lines removed", count) % {"n": count})
    return redirect("quarantine", number)


def _token_page(request: Request, made: Source, token: str) -> HttpResponse:
    return secret_page(
        request,
        title=made.name,
        secret=token,
        about=_("The token that the sender must show. A new one makes the old one void."),
        back=reverse("source", args=[made.pk]),
    )
