"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["LookConfig"]


class LookConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.look"
    label = "look"
