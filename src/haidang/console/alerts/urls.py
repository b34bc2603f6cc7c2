"""Addresses of the overview and the queue."""

from __future__ import annotations

from django.urls import path

from haidang.console.alerts import views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("", views.overview, name="overview"),
    path("alerts/", views.queue, name="alerts"),
]
