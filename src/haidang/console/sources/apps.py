"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["SourcesConfig"]


class SourcesConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.sources"
    label = "sources"
