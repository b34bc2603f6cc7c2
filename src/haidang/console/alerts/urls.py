"""Addresses of the overview, the queue and what belongs to it."""

from __future__ import annotations

from django.urls import include, path

from haidang.console.alerts import acting, events, refreshing, views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("", views.overview, name="overview"),
    path("alerts/", views.queue, name="alerts"),
    path("alerts/now/", refreshing.now, name="alerts-now"),
    path("alerts/act/", acting.act, name="alert-act"),
    path("alerts/views/", acting.save_view, name="save-view"),
    path("alerts/views/<int:number>/delete/", acting.delete_view, name="delete-view"),
    path("alerts/<int:number>/", views.alert, name="alert"),
    path("silences/", acting.silences, name="silences"),
    path("silences/<int:number>/end/", acting.end_silence, name="end-silence"),
    path("events", events.events, name="events"),
    path("", include("haidang.console.alerts.notify.urls")),
]
