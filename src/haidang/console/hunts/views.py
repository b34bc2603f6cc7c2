"""Pages of hunts: what is asked, how far it is, what was found.

Where htmx asks, the answer is the part of the page that changes: as long as a hunt runs, that part asks for
itself again.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haidang.console.alerts.actions import look_at as look_at_alert
from haidang.console.hunts import actions
from haidang.console.hunts.forms import ASKED, HuntForm
from haidang.console.hunts.models import Hunt
from haidang.console.hunts.showing import shown
from haidang.console.look.forms import add_refusal
from haidang.console.people.access import Request, allowed
from haidang.console.people.refusals import MissingError, RefusedError

if TYPE_CHECKING:
    from django.http import HttpResponse

__all__ = ["before", "cancel", "found", "hunt"]

_INITIAL = ("words", "field", "value", "rule", "sql", "days", "source")
_LONGEST = 2000


@require_http_methods(["GET", "POST"])
@allowed("archive.search")
def hunt(request: Request) -> HttpResponse:
    """Ask, and show what was asked before."""
    given = request.POST if request.method == "POST" else request.GET
    kind = given.get("kind", "")
    kind = kind if kind in ASKED else Hunt.Kind.WORDS
    if request.method == "POST":
        form = HuntForm(request.user, kind, request.POST)
        if form.is_valid():
            try:
                return redirect("hunt-found", actions.ask(request, form.asked()).pk)
            except RefusedError as error:
                add_refusal(form, error)
            except MissingError as error:
                form.add_error(None, error.message)
        if request.htmx:
            said = [str(one) for errors in form.errors.values() for one in errors]
            return render(request, "hunts/_before.html", {"said": " ".join(said)})
    else:
        initial = {name: given[name][:_LONGEST] for name in _INITIAL if name in given}
        form = HuntForm(request.user, kind, initial=initial)
    context = {**_desk(request, kind), "form": form}
    return render(request, "hunts/hunt.html", context, status=400 if form.errors else 200)


@require_GET
@allowed("archive.search")
def found(request: Request, number: int) -> HttpResponse:
    """Show how far a hunt is, or what it found."""
    one = actions.look_at(request, number)
    part = request.htmx and not request.htmx.history_restore_request
    context: dict[str, Any] = {"hunt": one, "shown": shown(one, brief=bool(part))}
    if part:
        return render(request, "hunts/_found.html", context)
    kind = one.kind if one.kind in ASKED else Hunt.Kind.WORDS
    form = HuntForm(request.user, kind, initial=_entered(one))
    return render(request, "hunts/hunt.html", {**_desk(request, kind, one.pk), **context, "form": form})


@require_POST
@allowed("archive.search")
def cancel(request: Request, number: int) -> HttpResponse:
    """End a hunt."""
    one = actions.cancel(request, number)
    if request.htmx:
        return render(request, "hunts/_found.html", {"hunt": one, "shown": shown(one)})
    return redirect("hunt-found", one.pk)


@require_POST
@allowed("archive.search")
def before(request: Request, number: int) -> HttpResponse:
    """Look for what an alert says in what came before it."""
    try:
        alert = look_at_alert(request, number)
    except MissingError as error:
        raise Http404 from error
    said, one = "", None
    try:
        one = actions.ask_before(request, alert)
    except RefusedError as error:
        said = error.message
    if not request.htmx and one is not None:
        return redirect("hunt-found", one.pk)
    context = {"hunt": one, "shown": one and shown(one), "said": said, "alert": alert}
    return render(request, "hunts/_before.html", context, status=200 if request.htmx or one else 400)


def _desk(request: Request, kind: str, shown_key: int = 0) -> dict[str, Any]:
    return {
        "kind": kind,
        "kinds": [one for one in Hunt.Kind if one in ASKED],
        "archive": actions.has_archive(),
        "hunts": [one for one in actions.hunts_of(request.user) if one.pk != shown_key],
    }


def _entered(one: Hunt) -> dict[str, Any]:
    """Return what was asked as the form has it."""
    question = one.question
    words = [f'"{word}"' if " " in word else word for word in question.get("words", ())]
    told = {name: question.get(name, "") for name in ("field", "value", "sql", "rule", "rule_text")}
    source = one.sources[0] if one.sources and len(one.sources) == 1 else ""
    since = dt.datetime.fromisoformat(question["since"])
    days = round((one.created - since) / dt.timedelta(days=1))
    return {**told, "words": " ".join(words), "source": source, "days": days}
