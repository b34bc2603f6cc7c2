"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["UnitsConfig"]


class UnitsConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.units"
    label = "units"
