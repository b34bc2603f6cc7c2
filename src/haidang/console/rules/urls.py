"""Addresses of rules."""

from __future__ import annotations

from django.urls import path

from haidang.console.rules import views

__all__ = ["urlpatterns"]

# A rule without an id is named by its title, which may hold a slash.
urlpatterns = [
    path("rules/", views.rules, name="rules"),
    path("rules/try/", views.try_rules, name="try-rules"),
    path("rules/switch/<path:name>", views.switch, name="switch-rule"),
    path("rules/show/<path:name>", views.rule, name="rule"),
]
