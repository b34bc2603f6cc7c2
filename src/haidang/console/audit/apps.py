"""Django's description of this app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["AuditConfig"]


class AuditConfig(AppConfig):
    """Names the app."""

    name = "haidang.console.audit"
    label = "audit"

    def ready(self) -> None:
        """Have signing in and out recorded."""
        from haidang.console.audit.signing_in import connect

        connect()
