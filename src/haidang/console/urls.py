"""Addresses of the console; each app has its own."""

from __future__ import annotations

from django.urls import include, path

__all__ = ["urlpatterns"]

urlpatterns = [
    path("", include("haidang.console.alerts.urls")),
    path("", include("haidang.console.hunts.urls")),
    path("", include("haidang.console.units.urls")),
    path("", include("haidang.console.sources.urls")),
    path("", include("haidang.console.rules.urls")),
    path("", include("haidang.console.people.urls")),
    path("", include("haidang.console.audit.urls")),
    path("", include("haidang.console.api.urls")),
    path("account/", include("allauth.urls")),
    path("language/", include("django.conf.urls.i18n")),
]
