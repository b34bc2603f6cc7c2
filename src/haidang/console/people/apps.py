"""Django's description of this app."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_set
from django.apps import AppConfig

__all__ = ["PeopleConfig"]


class PeopleConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.people"
    label = "people"

    def ready(self) -> None:
        """Have it noticed when somebody has chosen a password."""
        for signal in (password_changed, password_set):
            signal.connect(_chosen, dispatch_uid="people-password")


def _chosen(user: Any, **_: Any) -> None:
    user.password_given = False
    user.save(update_fields=["password_given"])
