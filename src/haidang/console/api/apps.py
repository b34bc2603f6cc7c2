"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["ApiConfig"]


class ApiConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.api"
    label = "api"
