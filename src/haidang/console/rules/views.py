"""Pages of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haidang.console.look.forms import add_refusal
from haidang.console.people.access import Request, allowed
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.rules import actions, catalogue
from haidang.console.rules.forms import SwitchForm, TrialForm
from haidang.findings.details import detail
from haidang.i18n import translator

if TYPE_CHECKING:
    from django.http import HttpResponse

__all__ = ["rule", "rules", "switch", "try_rules"]

_PAGE = 50


@require_GET
@allowed("rules.see")
def rules(request: Request) -> HttpResponse:
    """Show what is loaded and how it fares, those that make most alerts first."""
    query, state = request.GET.get("q", "").strip()[:200], request.GET.get("state", "")
    wanted = query.lower()
    found = [
        entry
        for entry in catalogue.entries(request.user)
        if state not in {"on", "off"} or state == ("on" if entry.enabled else "off")
        if wanted in f"{entry.name} {_title(entry)} {entry.info.title} {' '.join(entry.info.tags)}".lower()
    ]
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    loaded = catalogue.loaded()
    context = {
        "page": page,
        "rows": [{"entry": entry, "title": _title(entry)} for entry in page],
        "q": query,
        "state": state,
        "total": len(loaded.by_name),
        "refused": loaded.ruleset.refused[:50],
        "origin": catalogue.origin(),
    }
    return render(request, "rules/rules.html", context)


@require_GET
@allowed("rules.see")
def rule(request: Request, name: str) -> HttpResponse:
    """Show one rule."""
    return _shown(request, name, SwitchForm(label_suffix=""))


@require_POST
@allowed("rules.switch")
def switch(request: Request, name: str) -> HttpResponse:
    """Switch a rule on or off."""
    form = SwitchForm(request.POST, label_suffix="")
    if form.is_valid():
        try:
            actions.switch(request, name, **form.cleaned_data)
        except RefusedError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("The rule was switched."))
            return redirect("rule", name)
    return _shown(request, name, form, status=400)


@require_http_methods(["GET", "POST"])
@allowed("rules.test")
def try_rules(request: Request) -> HttpResponse:
    """Try rules on events that were pasted."""
    form = TrialForm(
        request.POST or None, initial={"rule": request.GET.get("rule", "")[:300]}, label_suffix=""
    )
    context: dict[str, Any] = {"form": form, **_archive()}
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            tried = actions.try_on_events(
                given["events"], format_name=given["format"], rule=given["rule"], text=given["rule_text"]
            )
        except RefusedError as error:
            add_refusal(form, error)
        except MissingError as error:
            form.add_error("rule", error.message)
        else:
            translate = translator("vi" if (get_language() or "").startswith("vi") else "en")
            context["tried"] = tried
            context["problems"] = [
                {"where": one.where, "said": detail(one.detail, translate)} for one in tried.problems
            ]
    return render(request, "rules/try.html", context, status=400 if form.errors else 200)


def _shown(request: Request, name: str, form: SwitchForm, status: int = 200) -> HttpResponse:
    entry = catalogue.entry_of(request.user, name)
    if entry is None:
        raise Http404
    words = catalogue.words_of(entry.info, get_language() or "")
    context = {
        "entry": entry,
        "title": _title(entry),
        "description": (words and words.description) or entry.info.description,
        "advice": (words and words.advice) or "",
        "form": form,
        **_archive(),
    }
    return render(request, "rules/rule.html", context, status=status)


def _archive() -> dict[str, Any]:
    """Return whether a rule can be tried on the archive, and on how many days of it."""
    from haidang.console.hunts.actions import has_archive
    from haidang.console.hunts.forms import day_choices

    return {"archive": has_archive(), "days": day_choices()}


def _title(entry: catalogue.RuleEntry) -> str:
    words = catalogue.words_of(entry.info, get_language() or "")
    return (words and words.title) or entry.info.title
