"""Addresses of channels."""

from __future__ import annotations

from django.urls import path

from haidang.console.alerts.notify import views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("channels/", views.channels, name="channels"),
    path("channels/new/", views.add_channel, name="add-channel"),
    path("channels/dead/", views.dead_letters, name="dead-letters"),
    path("channels/dead/act/", views.act_on_dead_letters, name="act-on-dead-letters"),
    path("channels/<int:number>/", views.channel, name="channel"),
    path("channels/<int:number>/edit/", views.change_channel, name="change-channel"),
    path("channels/<int:number>/switch/", views.switch_channel, name="switch-channel"),
    path("channels/<int:number>/remove/", views.remove_channel, name="remove-channel"),
    path("channels/<int:number>/secret/", views.renew_secret, name="renew-channel-secret"),
    path("channels/<int:number>/test/", views.test_channel, name="test-channel"),
]
