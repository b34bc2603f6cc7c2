"""Django's description of this app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

__all__ = ["AlertsConfig"]


class AlertsConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.alerts"
    label = "alerts"

    def ready(self) -> None:
        """Have the search index looked after whenever the database is migrated."""
        post_migrate.connect(_look_after_search, sender=self)


def _look_after_search(using: str, **_: Any) -> None:
    from haidang.console.alerts import fulltext

    if "alerts_alert" in connections[using].introspection.table_names():
        fulltext.install(connections[using])
