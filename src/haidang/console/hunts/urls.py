"""Addresses of hunts."""

from __future__ import annotations

from django.urls import path

from haidang.console.hunts import views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("hunt/", views.hunt, name="hunt"),
    path("hunt/<int:number>/", views.found, name="hunt-found"),
    path("hunt/<int:number>/cancel/", views.cancel, name="cancel-hunt"),
    path("alerts/<int:number>/before/", views.before, name="alert-before"),
]
