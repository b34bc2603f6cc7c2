"""How an operation of the API is declared: with the permission that it needs.

Rules:

- :func:`operation` is the only way to declare one; a test walks all of them and refuses any other.
- Who asks is known by a token (``Authorization: Bearer hd_…``) or by the console's session; a session needs
  the CSRF token with what is no GET. A token never does more than its person may, and only what it was
  issued for.
- The permission is looked at before anything of the request is read.

Example::

    @operation(router, "get", "/alerts", "alerts.see", response=AlertPage)
    def list_alerts(request: Request, …) -> …
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils import timezone
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from haidang.console.api.problems import ERRORS
from haidang.console.people.access import SIGNED_IN
from haidang.console.people.models import Token, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from ninja import Router

__all__ = ["BearerToken", "Session", "operation", "token_user"]

_LAST_USED_EVERY = dt.timedelta(minutes=1)


def operation(
    router: Router, method: str, path: str, needs: str, **options: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an operation that needs a permission (or SIGNED_IN)."""
    response = options.pop("response", None)
    status = options.pop("status", 200)
    extra = {"x-permission": needs, **options.pop("openapi_extra", {})}

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        name = view.__name__
        declared: Callable[..., Any] = router.api_operation(
            [method.upper()],
            path,
            auth=[BearerToken(needs), Session(needs)],
            response={status: response, **ERRORS},
            operation_id=name,
            summary=name.replace("_", " ").capitalize(),
            url_name=name,
            openapi_extra=extra,
            **options,
        )(view)
        return declared

    return declare


def token_user(request: HttpRequest, secret: str) -> User | None:
    """Return the person of a token, who may do from now on what the token was issued for; None for none."""
    token = Token.find(secret)
    if token is None:
        return None
    now = timezone.now()
    stale = Q(last_used=None) | Q(last_used__lt=now - _LAST_USED_EVERY)
    Token.objects.filter(stale, pk=token.pk).update(last_used=now)
    user = token.user
    user.scope = frozenset(token.permissions)
    request.user = user
    request.token = token  # type: ignore[attr-defined]
    return user


class BearerToken(HttpBearer):
    """A token of a person."""

    def __init__(self, needs: str) -> None:
        """Ask for a permission."""
        super().__init__()
        self.needs = needs

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """Return who asks."""
        user = token_user(request, token)
        return _permitted(user, self.needs) if user else None


class Session(APIKeyCookie):
    """A session of the console."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, needs: str) -> None:
        """Ask for a permission."""
        super().__init__(csrf=True)
        self.needs = needs

    def __call__(self, request: HttpRequest) -> User | None:
        """Return who asks."""
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        """Return who is signed in."""
        del key
        user = request.user
        # Who names a token means the token, be there a session or not.
        if (
            not isinstance(user, User)
            or not user.is_active
            or user.password_given
            or "Authorization" in request.headers
        ):
            return None
        if check_csrf(request):
            raise PermissionDenied
        return _permitted(user, self.needs)


def _permitted(user: User, needs: str) -> User:
    if needs != SIGNED_IN and not user.may(needs):
        raise PermissionDenied
    return user
