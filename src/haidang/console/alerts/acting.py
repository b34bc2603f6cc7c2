"""What people do: acknowledge, assign, note, close, silence. All of it is asked by POST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from haidang.console.alerts import actions
from haidang.console.alerts.filtering import Filter
from haidang.console.alerts.forms import SavedViewForm, SilenceForm
from haidang.console.alerts.models import Alert, SavedView, Silence
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.console.alerts.views import alert_context, visible_alert, workers
from haidang.console.people.access import Request, allowed
from haidang.console.people.refusals import MissingError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from haidang.console.people.models import User

__all__ = ["act", "delete_view", "end_silence", "save_view", "silences"]


@require_POST
@allowed("alerts.work")
def act(request: Request) -> HttpResponse:
    """Do something with the alerts that the form names, and show them as they are then."""
    keys = _keys(request)
    act_on = _ACTS.get(request.POST.get("action", ""))
    if act_on is None:
        return HttpResponseBadRequest(_("Say what to do."))
    try:
        said = act_on(request, keys)
    except MissingError as error:
        raise Http404 from error
    except RefusedError as error:
        return HttpResponseBadRequest(str(error))
    return _answer(request, keys, said)


def _keys(request: Request) -> list[int]:
    return sorted({int(one) for one in request.POST.getlist("alert") if one.isdigit() and len(one) < 18})


def _acknowledge(request: Request, keys: list[int]) -> str:
    actions.acknowledge(request, keys)
    return ngettext("%(n)s alert acknowledged", "%(n)s alerts acknowledged", len(keys)) % {"n": len(keys)}


def _assign(request: Request, keys: list[int]) -> str:
    name = request.POST.get("owner", "")
    owner = request.user if name == "me" else _person(request, name)
    actions.assign(request, keys, owner)
    said = ngettext("%(n)s alert assigned to %(owner)s", "%(n)s alerts assigned to %(owner)s", len(keys))
    return said % {"n": len(keys), "owner": owner or _("nobody")}


def _person(request: Request, name: str) -> User | None:
    if not name:
        return None
    found = next((person for person in workers(request.user) if str(person.pk) == name), None)
    if found is None:
        raise RefusedError(_("There is nobody like that who works on alerts."), field="owner")
    return found


def _note(request: Request, keys: list[int]) -> str:
    actions.note(request, keys, request.POST.get("text", ""))
    return ngettext("Note added to %(n)s alert", "Note added to %(n)s alerts", len(keys)) % {"n": len(keys)}


def _close(request: Request, keys: list[int]) -> str:
    actions.close(request, keys, request.POST.get("disposition", ""), note=request.POST.get("text", ""))
    return ngettext("%(n)s alert closed", "%(n)s alerts closed", len(keys)) % {"n": len(keys)}


def _reopen(request: Request, keys: list[int]) -> str:
    actions.reopen(request, keys)
    return ngettext("%(n)s alert reopened", "%(n)s alerts reopened", len(keys)) % {"n": len(keys)}


_ACTS: dict[str, Callable[[Request, list[int]], str]] = {
    "acknowledge": _acknowledge,
    "assign": _assign,
    "note": _note,
    "close": _close,
    "reopen": _reopen,
}


def _answer(request: Request, keys: list[int], said: str) -> HttpResponse:
    if not request.htmx:
        messages.success(request, said)
        return redirect("alert", keys[0]) if len(keys) == 1 else redirect("alerts")
    rows = Alert.objects.visible_to(request.user).filter(pk__in=keys)
    context: dict[str, Any] = {
        "changed": rows.select_related("unit", "owner").defer("search"),
        # A page of one alert has no rows to bring up to date.
        "rows": (request.htmx.current_url_abs_path or "").partition("?")[0] == reverse("alerts"),
        "said": said,
    }
    shown = request.POST.get("shown", "")
    if shown in {str(key) for key in keys}:
        context |= alert_context(request, visible_alert(request, int(shown)))
        context["offer"] = request.POST.get("disposition") == Alert.Disposition.FALSE_POSITIVE
    return render(request, "alerts/_changed.html", context)


@require_http_methods(["GET", "POST"])
@allowed("alerts.see")
def silences(request: Request) -> HttpResponse:
    """Show the silences; take a new one from those who may."""
    if request.method == "POST":
        if not request.user.may("alerts.silence"):
            raise PermissionDenied
        form = SilenceForm(request.user, request.POST)
        if form.is_valid():
            try:
                actions.silence(request, until=form.until(), **form.named())
            except RefusedError as error:
                for name, said in error.errors.items():
                    form.add_error(name if name in form.fields else None, said)
            else:
                messages.success(request, _("Silenced. Findings that it keeps back are counted here."))
                return redirect("silences")
    else:
        form = SilenceForm(request.user, initial=_about(request))
    rows = list(
        Silence.objects.visible_to(request.user).select_related("unit", "by").order_by("-until")[:500]
    )
    now = timezone.now()
    context = {
        "form": form,
        "current": sorted((one for one in rows if one.until > now), key=lambda one: one.until),
        "past": [one for one in rows if one.until <= now],
        "about": bool(request.GET),
    }
    return render(request, "alerts/silences.html", context, status=400 if form.errors else 200)


def _about(request: Request) -> dict[str, Any]:
    """Return what a silence would be about, where an alert leads here."""
    number = request.GET.get("alert", "")
    if not (number.isdigit() and len(number) < 18):
        return {}
    alert = visible_alert(request, int(number))
    title = RULEBOOK.title(alert.rule, alert.title)
    return {
        "rule": alert.rule,
        "entity": alert.entity,
        "unit": alert.unit_id,
        "reason": _("False positive: %(title)s on %(entity)s") % {"title": title, "entity": alert.entity},
    }


@require_POST
@allowed("alerts.silence")
def end_silence(request: Request, number: int) -> HttpResponse:
    """End a silence now."""
    try:
        actions.end_silence(request, number)
    except MissingError as error:
        raise Http404 from error
    messages.success(request, _("The silence has ended."))
    return redirect("silences")


@require_POST
@allowed("alerts.see")
def save_view(request: Request) -> HttpResponse:
    """Keep what the queue shows under a name."""
    form = SavedViewForm(request.POST, instance=SavedView(owner=request.user))
    if not form.is_valid():
        return HttpResponseBadRequest(_("Give the view a name of at most 80 characters."))
    view = form.save(commit=False)
    view.shared = view.shared and request.user.may("alerts.work")
    view.query = Filter.read(_query(view.query)).address()[:500]
    view.save()
    return redirect(f"{_queue()}?{view.query}")


@require_POST
@allowed("alerts.see")
def delete_view(request: Request, number: int) -> HttpResponse:
    """Forget a view of one's own."""
    get_object_or_404(SavedView, pk=number, owner=request.user).delete()
    return redirect("alerts")


def _query(text: str) -> Any:
    from django.http import QueryDict

    return QueryDict(text)


def _queue() -> str:
    return reverse("alerts")
