"""Addresses of the API."""

from __future__ import annotations

from django.urls import path

from haidang.console.api import views
from haidang.console.api.service import api

__all__ = ["urlpatterns"]

urlpatterns = [
    path("api/v1/openapi.json", views.openapi, name="openapi"),
    path("api/docs/", views.documentation, name="api-documentation"),
    path("api/v1/", api.urls),
    path("metrics", views.metrics, name="metrics"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
