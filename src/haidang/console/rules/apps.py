"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["RulesConfig"]


class RulesConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.rules"
    label = "rules"
