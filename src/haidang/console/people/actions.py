"""What administrators do with people, and people with their tokens; recorded in the audit log."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.audit.changing import add, change
from haidang.console.audit.record import record
from haidang.console.people.models import Token, User
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.people.roles import Role
from haidang.console.units.models import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from haidang.console.people.access import Request

__all__ = [
    "LONGEST_TOKEN_DAYS",
    "add_person",
    "change_person",
    "disconnect_identity",
    "end_other_sessions",
    "issue_token",
    "new_password",
    "person_of",
    "reset_second_factor",
    "revoke_token",
]

LONGEST_TOKEN_DAYS = 366
MOST_TOKENS = 50


def person_of(request: Request, key: int) -> User:
    """Return somebody.

    Raises:
        MissingError: There is nobody that the person may see.
    """
    person = User.objects.visible_to(request.user).select_related("unit").filter(pk=key).first()
    if person is None:
        raise MissingError([key])
    return person


def add_person(request: Request, values: Mapping[str, Any]) -> tuple[User, str]:
    """Add somebody; return the person and a first password, shown now and never again.

    Raises:
        RefusedError: A value is wrong.
    """
    person = User(**values, password_given=True)
    _check_place(request, person)
    password = secrets.token_urlsafe(15)
    person.set_password(password)
    return add(request, person), password


def change_person(request: Request, person: User, values: Mapping[str, Any]) -> User:
    """Change somebody's role, unit, names, or whether the account is in use.

    Raises:
        RefusedError: A value is wrong, or nobody would be left who administers.
    """
    changed = User(role=values.get("role", person.role), unit=values.get("unit", person.unit))
    _check_place(request, changed)
    with transaction.atomic():
        was_administrator = person.is_active and person.role == Role.ADMINISTRATOR and person.unit_id is None
        change(request, person, values)
        if was_administrator and not _administrators().exists():
            raise RefusedError(_("Nobody would be left who administers."), field="role")
        if not person.is_active:
            _sign_out(person)
    return person


def new_password(request: Request, person: User) -> str:
    """Give somebody a new password, shown now and never again; all sessions end."""
    with transaction.atomic():
        password = secrets.token_urlsafe(15)
        person.set_password(password)
        person.password_given = True
        person.save(update_fields=["password", "password_given"])
        _sign_out(person)
        record(request, "user.password", person)
    return password


def reset_second_factor(request: Request, person: User) -> int:
    """Take somebody's second factors away, as when a telephone is lost; return how many there were."""
    from allauth.mfa.models import Authenticator

    with transaction.atomic():
        factors = Authenticator.objects.filter(user=person)
        kinds = sorted(factors.values_list("type", flat=True))
        factors.delete()
        _sign_out(person)
        record(request, "user.second-factor-reset", person, {"factors": kinds}, {"factors": []})
    return len(kinds)


def disconnect_identity(request: Request, person: User) -> int:
    """Take the connection with the identity provider away; return how many there were.

    The next who signs in there with the name of the account is connected with it.
    """
    from allauth.socialaccount.models import SocialAccount

    with transaction.atomic():
        known = SocialAccount.objects.filter(user=person)
        names = sorted(one.uid for one in known)
        known.delete()
        _sign_out(person)
        record(request, "user.identity-remove", person, {"identities": names}, {"identities": []})
    return len(names)


def end_other_sessions(request: Request) -> int:
    """End a person's sessions but the one of the request; return how many there were."""
    from allauth.usersessions.models import UserSession

    with transaction.atomic():
        others = [one for one in UserSession.objects.purge_and_list(request.user) if not one.is_current()]
        for session in others:
            session.end()
        record(request, "session.end-others", request.user, {"sessions": len(others)}, {"sessions": 0})
    return len(others)


def issue_token(request: Request, name: str, permissions: Iterable[str], days: int) -> tuple[Token, str]:
    """Make a token of the person's own; return it and its secret, shown now and never again.

    Raises:
        PermissionDenied: A token asks for a token.
        RefusedError: A value is wrong.
    """
    _check_no_token(request)
    wanted = sorted(set(permissions))
    if not name.strip() or len(name) > 100:
        raise RefusedError(_("Name the token, in up to 100 letters."), field="name")
    if not wanted or not request.user.permissions.issuperset(wanted):
        raise RefusedError(_("Choose permissions, of those that you have."), field="permissions")
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise RefusedError(_("A token holds for 1 to 366 days."), field="days")
    if Token.objects.filter(user=request.user).count() >= MOST_TOKENS:
        raise RefusedError(_("There are too many tokens: revoke one."))
    with transaction.atomic():
        expires = timezone.now() + dt.timedelta(days=days)
        token, secret = Token.issue(request.user, name.strip(), wanted, expires)
        record(
            request, "token.add", token, None, {"name": token.name, "permissions": wanted, "expires": expires}
        )
    return token, secret


def revoke_token(request: Request, key: int) -> None:
    """Revoke a token: one's own, or (people.edit) that of anybody one may see.

    Raises:
        MissingError: There is no such token.
        PermissionDenied: A token asks for it.
    """
    _check_no_token(request)
    tokens = Token.objects.filter(user=request.user)
    if request.user.may("people.edit"):
        tokens = Token.objects.visible_to(request.user)
    with transaction.atomic():
        token = tokens.filter(pk=key).select_related("user").first()
        if token is None:
            raise MissingError([key])
        record(request, "token.revoke", token, {"name": token.name, "user": token.user.get_username()}, None)
        token.delete()


def _administrators() -> Any:
    return User.objects.filter(is_active=True, role=Role.ADMINISTRATOR, unit=None)


def _check_no_token(request: Request) -> None:
    # A token that makes tokens would never expire.
    if getattr(request, "token", None) is not None:
        raise PermissionDenied


def _check_place(request: Request, person: User) -> None:
    if person.role not in Role.values:
        raise RefusedError(_("There is no such role."), field="role")
    if person.unit is None:
        if person.role == Role.LIAISON:
            raise RefusedError(_("A liaison belongs to a unit."), field="unit")
        if not request.user.sees_everything:
            raise RefusedError(_("Name a unit."), field="unit")
    elif not Unit.objects.visible_to(request.user).filter(pk=person.unit.pk).exists():
        raise RefusedError(_("There is no such unit."), field="unit")


def _sign_out(person: User) -> None:
    from allauth.usersessions.models import UserSession

    for session in UserSession.objects.filter(user=person):
        session.end()
