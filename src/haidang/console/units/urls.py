"""Addresses of units, contacts and assets."""

from __future__ import annotations

from django.urls import path

from haidang.console.units import views

__all__ = ["urlpatterns"]

urlpatterns = [
    path("units/", views.units, name="units"),
    path("units/new/", views.add_unit, name="add-unit"),
    path("units/<int:number>/", views.unit, name="unit"),
    path("units/<int:number>/edit/", views.change_unit, name="change-unit"),
    path("units/<int:number>/remove/", views.remove_unit, name="remove-unit"),
    path("units/<int:number>/contacts/new/", views.add_contact, name="add-contact"),
    path("units/<int:number>/assets/new/", views.add_asset, name="add-asset"),
    path("contacts/<int:number>/edit/", views.change_contact, name="change-contact"),
    path("contacts/<int:number>/remove/", views.remove_contact, name="remove-contact"),
    path("assets/export/", views.export_assets, name="export-assets"),
    path("assets/import/", views.import_assets, name="import-assets"),
    path("assets/<int:number>/edit/", views.change_asset, name="change-asset"),
    path("assets/<int:number>/remove/", views.remove_asset, name="remove-asset"),
]
