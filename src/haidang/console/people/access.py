"""Access: every view names the permission that it needs, and gets the person who has it.

Example::

    @allowed("alerts.see")
    def queue(request: Request) -> HttpResponse:
        alerts = Alert.objects.visible_to(request.user)

The middleware refuses a view that names none (sign-in pages of allauth and static files are listed as open),
so that a forgotten decorator shuts a page instead of opening it.
"""

from __future__ import annotations

import functools
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, cast

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from haidang.console.people.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ANYONE", "SIGNED_IN", "AccessMiddleware", "Request", "allowed", "module_of"]

_View = TypeVar("_View", bound="Callable[..., Any]")

ANYONE = "anyone"
SIGNED_IN = "signed-in"
_OPEN_MODULES = ("allauth.", "django.views.i18n", "django.views.static")
_OWN_CHECKS = ("ninja.",)
"""The API checks each operation by itself (``haidang.console.api``)."""


class Request(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    htmx: Any


def allowed(permission: str) -> Callable[[_View], _View]:
    """Let a view be asked only by people with ``permission`` (or ANYONE, SIGNED_IN)."""

    def decorate(view: _View) -> _View:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
                request.user = await request.auser()
                refused = _refused(request, permission)
                return refused or await view(request, *args, **kwargs)

        else:

            @functools.wraps(view)
            def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
                return _refused(request, permission) or view(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return cast("_View", checked)

    return decorate


def _refused(request: HttpRequest, permission: str) -> HttpResponse | None:
    if permission == ANYONE:
        return None
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return redirect_to_login(request.get_full_path())
    if user.password_given and not _elsewhere(request):
        return redirect("account_change_password")
    if permission != SIGNED_IN and not user.may(permission):
        raise PermissionDenied
    return None


def _elsewhere(request: HttpRequest) -> bool:
    """Return whether the session was begun at the identity provider, without the password here."""
    session = getattr(request, "session", None)
    records = get_authentication_records(request, request.user) if session is not None else []
    return any(one.get("method") == "socialaccount" for one in records)


def module_of(view: Any) -> str:
    """Return where a view comes from; one made of a class, where that comes from."""
    return getattr(getattr(view, "view_class", view), "__module__", "") or ""


class AccessMiddleware:
    """Refuses views that name no permission."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before ``get_response``."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand the request on."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse a view without a permission."""
        del request, args, kwargs
        module = module_of(view)
        if hasattr(view, "permission") or module.startswith((*_OPEN_MODULES, *_OWN_CHECKS)):
            return None
        raise PermissionDenied
