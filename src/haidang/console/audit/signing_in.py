"""Signing in and out, passwords and second factors, in the audit log: Django and allauth say when they happen.

Who tries a name that nobody has, or a wrong password, is recorded by the address alone and the name that was
given; passwords never are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.signals import password_changed, password_set
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from haidang.console.audit.record import Who, record

if TYPE_CHECKING:
    from django.http import HttpRequest

    from haidang.console.people.models import User

__all__ = ["connect"]


def connect() -> None:
    """Listen."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit-signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit-signed-out")
    user_login_failed.connect(_refused, dispatch_uid="audit-refused")
    for signal in (password_changed, password_set):
        signal.connect(_password_chosen, dispatch_uid="audit-password-chosen")
    authenticator_added.connect(_factor_added, dispatch_uid="audit-factor-added")
    authenticator_removed.connect(_factor_removed, dispatch_uid="audit-factor-removed")


def _signed_in(request: HttpRequest | None, user: User, **_: Any) -> None:
    if request is not None and "REMOTE_ADDR" in request.META:
        record(_who(request, user.get_username()), "session.start", user)


def _signed_out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if request is not None and user is not None and "REMOTE_ADDR" in request.META:
        record(_who(request, user.get_username()), "session.end", user)


def _refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        name = str(credentials.get("username") or credentials.get("login") or "")[:150]
        record(_who(request, "anonymous"), "session.refused", "session", None, {"name": name})


def _password_chosen(request: HttpRequest, user: User, **_: Any) -> None:
    record(_who(request, user.get_username()), "user.password", user)


def _factor_added(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    record(_who(request, user.get_username()), "user.factor-add", user, None, {"factor": authenticator.type})


def _factor_removed(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    who = _who(request, user.get_username())
    record(who, "user.factor-remove", user, {"factor": authenticator.type}, None)


def _who(request: HttpRequest, name: str) -> Who:
    return Who(name, str(request.META.get("REMOTE_ADDR") or ""))
