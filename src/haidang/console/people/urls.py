"""Addresses of people and tokens."""

from __future__ import annotations

from django.urls import path

from haidang.console.people import identity, views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("account/sessions/", views.sessions, name="usersessions_list"),
    path("account/oidc/<provider_id>/login/", identity.sign_in, name="openid_connect_login"),
    path("account/oidc/<provider_id>/login/callback/", identity.signed_in, name="openid_connect_callback"),
    path("people/", views.people, name="people"),
    path("people/new/", views.add_person, name="add-person"),
    path("people/<int:number>/", views.change_person, name="change-person"),
    path("people/<int:number>/password/", views.renew_password, name="renew-password"),
    path("people/<int:number>/reset-factor/", views.reset_factor, name="reset-factor"),
    path("people/<int:number>/disconnect-identity/", views.disconnect_identity, name="disconnect-identity"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/new/", views.add_token, name="add-token"),
    path("tokens/<int:number>/revoke/", views.revoke_token, name="revoke-token"),
]
