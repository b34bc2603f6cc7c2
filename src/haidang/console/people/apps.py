"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["PeopleConfig"]


class PeopleConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.people"
    label = "people"
