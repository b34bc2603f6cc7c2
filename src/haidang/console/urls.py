"""Addresses of the console; each app has its own."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from django.urls import include, path

if TYPE_CHECKING:
    from django.urls import URLPattern

__all__ = ["urlpatterns"]

_SHUT = frozenset(
    {
        "account_confirm_email",
        "account_email",
        "account_email_verification_sent",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "socialaccount_connections",
        "socialaccount_signup",
    }
)
"""Pages of allauth that do what administrators do here: mail addresses, lost passwords, foreign accounts."""


def _kept(module: str) -> list[URLPattern]:
    return [one for one in import_module(module).urlpatterns if one.name not in _SHUT]


urlpatterns = [
    path("", include("haidang.console.alerts.urls")),
    path("", include("haidang.console.hunts.urls")),
    path("", include("haidang.console.units.urls")),
    path("", include("haidang.console.sources.urls")),
    path("", include("haidang.console.rules.urls")),
    path("", include("haidang.console.people.urls")),
    path("", include("haidang.console.audit.urls")),
    path("", include("haidang.console.api.urls")),
    path("account/", include(_kept("allauth.account.urls"))),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("account/3rdparty/", include(_kept("allauth.socialaccount.urls"))),
    path("language/", include("django.conf.urls.i18n")),
]
