"""Addresses of the audit log."""

from __future__ import annotations

from django.urls import path

from haidang.console.audit import views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("audit/checkpoint", views.checkpoint, name="audit-checkpoint"),
]
