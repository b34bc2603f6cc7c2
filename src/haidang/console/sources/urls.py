"""Addresses of sources."""

from __future__ import annotations

from django.urls import path

from haidang.console.sources import views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("sources/", views.sources, name="sources"),
    path("sources/new/", views.add_source, name="add-source"),
    path("sources/<int:number>/", views.source, name="source"),
    path("sources/<int:number>/edit/", views.change_source, name="change-source"),
    path("sources/<int:number>/token/", views.renew_token, name="renew-source-token"),
    path("sources/<int:number>/quarantine/", views.quarantine, name="quarantine"),
    path("sources/<int:number>/quarantine/discard/", views.discard, name="discard-quarantine"),
]
