"""Pages of alerts: the overview, the queue, and one alert in full.

Where htmx asks, the answer is the part of the page that changes; otherwise it is the whole page, so that
every address can be opened, kept and sent to others.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from haidang.console.alerts import charts, evidence
from haidang.console.alerts import overview as overviews
from haidang.console.alerts.actions import look_at
from haidang.console.alerts.facets import facets
from haidang.console.alerts.filtering import TIMES, Filter
from haidang.console.alerts.models import Alert, SavedView
from haidang.console.alerts.queue import counts, page
from haidang.console.alerts.related import related
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.console.audit.models import Entry
from haidang.console.people.access import Request, allowed
from haidang.console.people.models import User
from haidang.console.people.refusals import MissingError
from haidang.console.people.roles import ROLE_PERMISSIONS
from haidang.console.rules import indicators

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpResponse

__all__ = ["alert", "alert_context", "overview", "queue", "stamp_of", "talk_context"]

_OTHERS = 120
_HISTORY = 100


@require_GET
@allowed("alerts.see")
def overview(request: Request) -> HttpResponse:
    """Show what needs me now."""
    part = "alerts/_overview.html" if request.htmx else "alerts/overview.html"
    return render(request, part, {"over": overviews.overview(request.user, timezone.now())})


@require_GET
@allowed("alerts.see")
def queue(request: Request) -> HttpResponse:
    """Show the queue, or its next page."""
    asked = Filter.read(request.GET)
    after = request.GET.get("after", "")
    context: dict[str, Any] = {"asked": asked}
    if after and request.htmx:
        context["page"] = page(asked, request.user, after)
        return render(request, "alerts/_rows.html", context)
    counted = counts(asked, request.user)
    context["page"] = page(asked, request.user, after, counted=counted)
    views = SavedView.objects.filter(Q(owner=request.user) | Q(shared=True)).select_related("owner")
    context |= {
        "counts": counted,
        "facets": facets(asked, counted, request.user),
        "times": list(TIMES),
        "views": views,
        "people": workers(request.user),
        "dispositions": Alert.Disposition.choices,
    }
    whole = not request.htmx or request.htmx.history_restore_request
    return render(request, "alerts/queue.html" if whole else "alerts/_queue.html", context)


@require_GET
@allowed("alerts.see")
def alert(request: Request, number: int) -> HttpResponse:
    """Show an alert with its evidence; that somebody looked at it is recorded."""
    try:
        found = look_at(request, number)
    except MissingError as error:
        raise Http404 from error
    part = "alerts/_detail.html" if request.htmx else "alerts/alert.html"
    return render(request, part, alert_context(request, found))


def visible_alert(request: Request, number: int) -> Alert:
    """Return an alert that the person may see; for others there is none."""
    found: Alert = get_object_or_404(
        Alert.objects.visible_to(request.user).select_related("unit", "asset", "source", "owner"), pk=number
    )
    return found


class Shown(NamedTuple):
    """A finding as the page shows it."""

    at: datetime | None
    finding: dict[str, Any]
    proofs: list[evidence.Proof]
    rest: list[evidence.Field]
    members: int


def alert_context(request: Request, found: Alert) -> dict[str, Any]:
    """Return what the detail of an alert shows."""
    examples = list(found.examples.all()[:20])
    said = [example.finding for example in examples if isinstance(example.finding, dict)]
    others = list(
        Alert.objects.visible_to(request.user)
        .filter(entity=found.entity, last_seen__range=_around(found))
        .defer("search")
        .order_by("-last_seen", "-id")[:_OTHERS]
    )
    first = said[0] if said else {}
    rule = first.get("rule") if isinstance(first.get("rule"), dict) else {}
    intel = indicators.known()
    return {
        "alert": found,
        "indicators": related(said, intel),
        "kept": intel is not None,
        "looked": indicators.looked(),
        "examples": [_shown(one.at, one.finding) for one in examples if isinstance(one.finding, dict)],
        "rule": rule,
        "info": RULEBOOK.info(found.rule),
        "words": RULEBOOK.words(found.rule),
        "line": charts.time_line(others, found) if len(others) > 1 else None,
        "others": [one for one in others if one.pk != found.pk][:12],
        "stamp": stamp_of(found),
        **talk_context(found),
        "people": workers(request.user, found),
        "dispositions": Alert.Disposition.choices,
    }


def talk_context(found: Alert) -> dict[str, Any]:
    """Return what people wrote about an alert and did with it."""
    return {
        "notes": found.notes.select_related("by"),
        "history": _worked_on(found).order_by("number")[:_HISTORY],
    }


def stamp_of(found: Alert) -> str:
    """Return a text that is another one whenever something that people or findings did to an alert shows."""
    seen = int(found.last_seen.timestamp())
    facts = (found.count, seen, found.risk, found.state, found.owner_id, found.disposition)
    return "-".join(str(fact) for fact in (*facts, _worked_on(found).count()))


def _worked_on(found: Alert) -> QuerySet[Entry]:
    rows = Entry.objects.filter(object_kind="alert", object_id=str(found.pk))
    return rows.exclude(action="alert.see")


def workers(user: User, about: Alert | None = None) -> list[User]:
    """Return who may be given alerts: people who work on them and may see ``about``, known to ``user``."""
    roles = [role for role, permissions in ROLE_PERMISSIONS.items() if "alerts.work" in permissions]
    people = User.objects.filter(is_active=True, role__in=roles).select_related("unit").order_by("username")
    if not user.sees_everything and user.unit is not None:
        people = people.filter(Q(unit__isnull=True) | Q(unit__path__startswith=user.unit.path))
    path = about.unit.path if about is not None and about.unit is not None else ""
    return [
        one
        for one in people
        if about is None or one.sees_everything or (one.unit is not None and path.startswith(one.unit.path))
    ]


def _shown(at: datetime | None, finding: dict[str, Any]) -> Shown:
    members = finding.get("members")
    return Shown(
        at,
        finding,
        evidence.proofs(finding),
        evidence.rest(finding),
        len(members) if isinstance(members, list) else 0,
    )


def _around(found: Alert) -> tuple[Any, Any]:
    return found.last_seen - timedelta(days=30), found.last_seen + timedelta(days=30)
