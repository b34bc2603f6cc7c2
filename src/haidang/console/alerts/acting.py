"""What people do: acknowledge, assign, note, close, silence. All of it is asked by POST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from haidang.console.alerts import services
from haidang.console.alerts.filtering import Filter
from haidang.console.alerts.forms import SavedViewForm, SilenceForm
from haidang.console.alerts.models import Alert, SavedView, Silence
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.console.alerts.views import alert_context, chosen, visible_alert, workers
from haidang.console.people.access import Request, allowed

if TYPE_CHECKING:
    from django.http import HttpResponse

    from haidang.console.people.models import User

__all__ = ["act", "delete_view", "end_silence", "save_view", "silences"]

_NOTE = 10_000
"""Characters of a note."""


@require_POST
@allowed("alerts.work")
def act(request: Request) -> HttpResponse:
    """Do something with the alerts that the form names, and show them as they are then."""
    action = request.POST.get("action", "")
    alerts = list(chosen(request))
    text = request.POST.get("text", "").replace("\0", "").strip()[:_NOTE]
    if action == "acknowledge":
        changed = services.acknowledge(request, alerts)
        said = ngettext("%(n)s alert acknowledged", "%(n)s alerts acknowledged", len(changed))
    elif action == "assign":
        changed = services.assign(request, alerts, _owner(request, alerts))
        said = ngettext("%(n)s alert assigned", "%(n)s alerts assigned", len(changed))
    elif action == "note" and text:
        changed = services.note(request, alerts, text)
        said = ngettext("Note added to %(n)s alert", "Note added to %(n)s alerts", len(changed))
    elif action == "close" and request.POST.get("disposition") in Alert.Disposition.values:
        changed = services.close(request, alerts, request.POST["disposition"], text)
        said = ngettext("%(n)s alert closed", "%(n)s alerts closed", len(changed))
    elif action == "reopen":
        changed = services.reopen(request, alerts)
        said = ngettext("%(n)s alert reopened", "%(n)s alerts reopened", len(changed))
    else:
        return HttpResponseBadRequest(_("Say what to do, and what a closed alert turned out to be."))
    return _answer(request, alerts, said % {"n": len(changed)})


def _answer(request: Request, alerts: list[Alert], said: str) -> HttpResponse:
    if not request.htmx:
        messages.success(request, said)
        return redirect("alert", alerts[0].pk) if len(alerts) == 1 else redirect("alerts")
    rows = Alert.objects.visible_to(request.user).filter(pk__in=[alert.pk for alert in alerts])
    context: dict[str, Any] = {
        "changed": rows.select_related("unit", "owner").defer("search"),
        "asked": Filter(),
        "said": said,
    }
    shown = request.POST.get("shown", "")
    if any(str(alert.pk) == shown for alert in alerts):
        context |= alert_context(request, visible_alert(request, int(shown)))
        context["offer"] = request.POST.get("disposition") == Alert.Disposition.FALSE_POSITIVE
    return render(request, "alerts/_changed.html", context)


def _owner(request: Request, alerts: list[Alert]) -> User | None:
    """Return whom the form names: me, nobody, or somebody who may work on all of the alerts."""
    name = request.POST.get("owner", "")
    if name == "me":
        return request.user
    if not name:
        return None
    for alert in alerts:
        if not any(str(person.pk) == name for person in workers(request.user, alert)):
            raise PermissionDenied
    return next(person for person in workers(request.user) if str(person.pk) == name)


@require_http_methods(["GET", "POST"])
@allowed("alerts.see")
def silences(request: Request) -> HttpResponse:
    """Show the silences; take a new one from those who may."""
    if request.method == "POST":
        if not request.user.may("alerts.silence"):
            raise PermissionDenied
        form = SilenceForm(request.user, request.POST)
        if form.is_valid():
            given = form.cleaned_data
            services.silence(
                request,
                rule=given["rule"],
                entity=given["entity"],
                unit=given["unit"],
                reason=given["reason"],
                until=form.until(),
            )
            messages.success(request, _("Silenced. Findings that it keeps back are counted here."))
            return redirect("silences")
    else:
        form = SilenceForm(request.user, initial=_about(request))
    rows = list(Silence.objects.visible_to(request.user).select_related("unit", "by").order_by("-until")[:500])
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
    made = get_object_or_404(Silence.objects.visible_to(request.user), pk=number)
    if made.until > timezone.now():
        services.end_silence(request, made)
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
    from django.urls import reverse

    return reverse("alerts")
