"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["HuntsConfig"]


class HuntsConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.hunts"
    label = "hunts"
