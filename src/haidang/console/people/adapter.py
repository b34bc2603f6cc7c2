"""How allauth signs people in here: nobody makes an account by themselves.

Who signs in at the identity provider is connected, at the first time, with the account that the claim of the
settings names; from then on with the one that the provider's own name of the person (issuer and subject) is
connected with. An account that is connected with somebody is connected with nobody else until an administrator
takes the connection away: a user name that the provider gives anew is not the person of before.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.db import transaction
from django.shortcuts import render

if TYPE_CHECKING:
    from django.http import HttpRequest

    from haidang.console.people.models import User

__all__ = ["AccountAdapter", "SocialAccountAdapter"]

_LOG = logging.getLogger(__name__)
_EMAIL = "email"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by administrators."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return that they are not."""
        del request
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Who signs in through an identity provider must have an account already."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return that nobody makes an account so."""
        del request, sociallogin
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Connect a first sign-in with its account.

        Raises:
            ImmediateHttpResponse: There is none, or it is not to be used so: a page that says why.
        """
        from haidang.console.audit.record import Who, record

        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            # Somebody who is signed in would give their account to whoever the provider knows in this browser.
            _refuse(request, sociallogin, "connect")
        if sociallogin.is_existing:
            if not sociallogin.user.is_active:
                _refuse(request, sociallogin, "inactive")
            return
        user = _account_of(sociallogin)
        if user is None:
            _refuse(request, sociallogin, "unknown")
        if user.socialaccount_set.exists():
            _refuse(request, sociallogin, "taken")
        with transaction.atomic():
            sociallogin.connect(request, user)
            who = Who(user.get_username(), str(request.META.get("REMOTE_ADDR") or ""))
            record(who, "user.identity-add", user, None, {"identity": _named(sociallogin)})

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Say in the service's log what was wrong; people are told that something was."""
        del request, extra_context
        said = str(exception) if exception else error
        _LOG.warning(
            "sign-in at the identity provider failed", extra={"provider": provider.name, "reason": said}
        )


def _claims(sociallogin: Any) -> dict[str, Any]:
    told = sociallogin.account.extra_data
    return {**told.get("id_token", {}), **told.get("userinfo", {})}


def _named(sociallogin: Any) -> str:
    claims = _claims(sociallogin)
    name = claims.get("preferred_username") or claims.get(_EMAIL) or claims.get("sub")
    return str(name)[:150]


def _account_of(sociallogin: Any) -> User | None:
    from haidang.console.people.models import User

    claims = _claims(sociallogin)
    claim = sociallogin.provider.app.settings["claim"]
    said = claims.get(claim)
    if not isinstance(said, str) or not said.strip():
        return None
    rows = User.objects.filter(is_active=True)
    if claim != _EMAIL:
        return rows.filter(username=said).first()
    if claims.get("email_verified") is not True:
        return None
    found = list(rows.filter(email__iexact=said)[:2])
    # Of two with one address, nobody knows who it is.
    return found[0] if len(found) == 1 else None


def _refuse(request: HttpRequest, sociallogin: Any, why: str) -> NoReturn:
    from haidang.console.audit.record import record

    name = _named(sociallogin)
    record(request, "session.refused", "session", None, {"identity": name, "reason": why})
    context = {"name": name, "why": why, "provider": sociallogin.provider.name}
    raise ImmediateHttpResponse(render(request, "people/unknown.html", context, status=403))
