"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["AlertsConfig"]


class AlertsConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.alerts"
    label = "alerts"
