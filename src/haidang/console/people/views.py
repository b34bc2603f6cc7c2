"""Pages of people and of one's own tokens."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haidang.console.look.forms import form_page, secret_page
from haidang.console.people import actions
from haidang.console.people.access import SIGNED_IN, Request, allowed
from haidang.console.people.forms import NewPersonForm, PersonForm, TokenForm
from haidang.console.people.models import Token, User

if TYPE_CHECKING:
    from django.http import HttpResponse

__all__ = [
    "add_person",
    "add_token",
    "change_person",
    "disconnect_identity",
    "people",
    "renew_password",
    "reset_factor",
    "revoke_token",
    "sessions",
    "tokens",
]


@require_GET
@allowed("people.see")
def people(request: Request) -> HttpResponse:
    """Show people, with how they sign in and their tokens."""
    rows = User.objects.visible_to(request.user).select_related("unit").order_by("username")
    factors: dict[int, list[str]] = {}
    for user, kind in Authenticator.objects.filter(user__in=rows).values_list("user", "type"):
        if kind != Authenticator.Type.RECOVERY_CODES:
            factors.setdefault(user, []).append(kind)
    issued = Token.objects.visible_to(request.user).filter(expires__gt=timezone.now()).select_related("user")
    context = {
        "rows": [{"person": row, "factors": factors.get(row.pk, ())} for row in rows],
        "tokens": issued,
    }
    return render(request, "people/people.html", context)


@require_http_methods(["GET", "POST"])
@allowed("people.edit")
def add_person(request: Request) -> HttpResponse:
    """Add somebody, and show the first password."""

    def save(given: dict[str, Any]) -> HttpResponse:
        person, password = actions.add_person(request, given)
        return _password_page(request, person, password)

    form = NewPersonForm(request.user, request.POST or None)
    return form_page(request, form, save, title=_("New person"), back=reverse("people"), said="")


@require_http_methods(["GET", "POST"])
@allowed("people.edit")
def change_person(request: Request, number: int) -> HttpResponse:
    """Change somebody."""
    person = actions.person_of(request, number)
    form = PersonForm(request.user, request.POST or None, instance=copy(person))
    return form_page(
        request,
        form,
        lambda given: actions.change_person(request, person, given),
        title=str(person),
        back=reverse("people"),
        said=_("The person was changed."),
        template="people/person.html",
    )


@require_POST
@allowed("people.edit")
def renew_password(request: Request, number: int) -> HttpResponse:
    """Give somebody a new password, and show it."""
    person = actions.person_of(request, number)
    return _password_page(request, person, actions.new_password(request, person))


@require_POST
@allowed("people.edit")
def reset_factor(request: Request, number: int) -> HttpResponse:
    """Take somebody's second factors away."""
    count = actions.reset_second_factor(request, actions.person_of(request, number))
    said = ngettext("%(n)s second factor taken away", "%(n)s second factors taken away", count)
    messages.success(request, said % {"n": count})
    return redirect("people")


@require_POST
@allowed("people.edit")
def disconnect_identity(request: Request, number: int) -> HttpResponse:
    """Take somebody's connection with the identity provider away."""
    count = actions.disconnect_identity(request, actions.person_of(request, number))
    said = ngettext("%(n)s connection taken away", "%(n)s connections taken away", count)
    messages.success(request, said % {"n": count})
    return redirect("people")


@require_http_methods(["GET", "POST"])
@allowed(SIGNED_IN)
def sessions(request: Request) -> HttpResponse:
    """Show where one is signed in; end all sessions but this one."""
    if request.method == "POST":
        count = actions.end_other_sessions(request)
        said = ngettext("%(n)s other session was ended", "%(n)s other sessions were ended", count)
        messages.success(request, said % {"n": count})
        return redirect("usersessions_list")
    rows = sorted(
        UserSession.objects.purge_and_list(request.user), key=lambda one: one.last_seen_at, reverse=True
    )
    return render(request, "people/sessions.html", {"rows": rows})


@require_GET
@allowed(SIGNED_IN)
def tokens(request: Request) -> HttpResponse:
    """Show one's own tokens."""
    rows = Token.objects.filter(user=request.user)
    return render(request, "people/tokens.html", {"rows": rows, "now": timezone.now()})


@require_http_methods(["GET", "POST"])
@allowed(SIGNED_IN)
def add_token(request: Request) -> HttpResponse:
    """Make a token, and show its secret."""

    def save(given: dict[str, Any]) -> HttpResponse:
        token, secret = actions.issue_token(request, given["name"], given["permissions"], given["days"])
        return secret_page(
            request,
            title=token.name,
            secret=secret,
            about=_("The token for the API: Authorization: Bearer hd_… ."),
            back=reverse("tokens"),
        )

    form = TokenForm(request.user, request.POST or None)
    return form_page(request, form, save, title=_("New token"), back=reverse("tokens"), said="")


@require_POST
@allowed(SIGNED_IN)
def revoke_token(request: Request, number: int) -> HttpResponse:
    """Revoke a token of one's own, or of somebody whom one administers."""
    actions.revoke_token(request, number)
    messages.success(request, _("The token was revoked."))
    return redirect("people" if request.POST.get("back") == "people" else "tokens")


def _password_page(request: Request, person: User, password: str) -> HttpResponse:
    return secret_page(
        request,
        title=person.get_username(),
        secret=password,
        about=_("The password for the first sign-in: hand it over in person, and have it changed at once."),
        back=reverse("people"),
    )
