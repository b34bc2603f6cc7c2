"""Pages of units, contacts and assets."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haidang.console.alerts.models import Alert
from haidang.console.look.forms import form_page
from haidang.console.people.access import Request, allowed
from haidang.console.people.refusals import RefusedError
from haidang.console.sources.models import Source
from haidang.console.units import actions, spreadsheets
from haidang.console.units.forms import AssetForm, ContactForm, SheetForm, UnitForm
from haidang.console.units.models import Asset, Contact, Unit

if TYPE_CHECKING:
    from django import forms
    from django.db import models
    from django.http import HttpResponse

__all__ = [
    "add_asset",
    "add_contact",
    "add_unit",
    "change_asset",
    "change_contact",
    "change_unit",
    "export_assets",
    "import_assets",
    "remove_asset",
    "remove_contact",
    "remove_unit",
    "unit",
    "units",
]

_MOST_ASSETS = 500
_KINDS = ("hosts", "networks", "domains")


@require_GET
@allowed("units.see")
def units(request: Request) -> HttpResponse:
    """Show the tree of units."""
    rows = list(Unit.objects.visible_to(request.user))
    counts = {
        name: _by_unit(model, request, condition)
        for name, model, condition in (
            ("assets", Asset, Q()),
            ("sources", Source, Q()),
            ("alerts", Alert, Q(closed_at__isnull=True)),
        )
    }
    on_call: dict[int, list[Contact]] = {}
    for contact in Contact.objects.visible_to(request.user).filter(on_call=True):
        on_call.setdefault(contact.unit_id, []).append(contact)
    top = min((row.path.count("/") for row in rows), default=0)
    tree = [
        {
            "unit": row,
            "depth": min(row.path.count("/") - top, 8),
            "on_call": on_call.get(row.pk, ()),
            **{name: counted.get(row.pk, 0) for name, counted in counts.items()},
        }
        for row in _in_order(rows)
    ]
    return render(request, "units/units.html", {"tree": tree})


@require_GET
@allowed("units.see")
def unit(request: Request, number: int) -> HttpResponse:
    """Show a unit with what belongs to it."""
    shown = _unit(request, number)
    assets = Asset.objects.visible_to(request.user).filter(unit=shown).prefetch_related("names")
    context = {
        "unit": shown,
        "above": [u for u in Unit.objects.visible_to(request.user) if u.holds(shown) and u != shown],
        "children": shown.children.all(),
        "contacts": shown.contacts.all(),
        "assets": assets[:_MOST_ASSETS],
        "assets_total": assets.count(),
        "sources": Source.objects.visible_to(request.user).filter(unit=shown),
    }
    return render(request, "units/unit.html", context)


@require_http_methods(["GET", "POST"])
@allowed("units.edit")
def add_unit(request: Request) -> HttpResponse:
    """Add a unit."""
    form = UnitForm(request.user, request.POST or None, initial={"parent": request.GET.get("parent")})
    return form_page(
        request,
        form,
        lambda given: actions.add_unit(request, given),
        title=_("New unit"),
        back=reverse("units"),
        said=_("The unit was added."),
    )


@require_http_methods(["GET", "POST"])
@allowed("units.edit")
def change_unit(request: Request, number: int) -> HttpResponse:
    """Change a unit."""
    shown = _unit(request, number)
    form = UnitForm(request.user, request.POST or None, instance=copy(shown))
    return form_page(
        request,
        form,
        lambda given: actions.change_unit(request, shown, given),
        title=shown.name,
        back=reverse("unit", args=[number]),
        said=_("The unit was changed."),
    )


@require_POST
@allowed("units.edit")
def remove_unit(request: Request, number: int) -> HttpResponse:
    """Remove a unit to which nothing belongs."""
    shown = _unit(request, number)
    try:
        actions.remove_unit(request, shown)
    except RefusedError as error:
        messages.error(request, error.message)
        return redirect("unit", number)
    messages.success(request, _("The unit was removed."))
    return redirect("units")


@require_http_methods(["GET", "POST"])
@allowed("units.edit")
def add_contact(request: Request, number: int) -> HttpResponse:
    """Add somebody to call."""
    shown = _unit(request, number)
    form = ContactForm(request.POST or None, label_suffix="")
    return form_page(
        request,
        form,
        lambda given: actions.add_contact(request, {"unit": shown, **given}),
        title=_("New contact"),
        back=reverse("unit", args=[number]),
        said=_("The contact was added."),
    )


@require_http_methods(["GET", "POST"])
@allowed("units.edit")
def change_contact(request: Request, number: int) -> HttpResponse:
    """Change somebody to call."""
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=number)
    form = ContactForm(request.POST or None, instance=copy(contact), label_suffix="")
    return form_page(
        request,
        form,
        lambda given: actions.change_contact(request, contact, given),
        title=contact.name,
        back=reverse("unit", args=[contact.unit_id]),
        said=_("The contact was changed."),
    )


@require_POST
@allowed("units.edit")
def remove_contact(request: Request, number: int) -> HttpResponse:
    """Remove somebody to call."""
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=number)
    home = contact.unit_id
    actions.remove_contact(request, contact)
    messages.success(request, _("The contact was removed."))
    return redirect("unit", home)


@require_http_methods(["GET", "POST"])
@allowed("units.edit")
def add_asset(request: Request, number: int) -> HttpResponse:
    """Add an asset."""
    shown = _unit(request, number)
    form = AssetForm(request.user, request.POST or None, initial={"unit": shown})
    return form_page(
        request,
        form,
        lambda given: actions.add_asset(request, *_asset_values(given)),
        title=_("New asset"),
        back=reverse("unit", args=[number]),
        said=_("The asset was added."),
    )


@require_http_methods(["GET", "POST"])
@allowed("units.edit")
def change_asset(request: Request, number: int) -> HttpResponse:
    """Change an asset."""
    asset = _asset(request, number)
    form = AssetForm(request.user, request.POST or None, instance=copy(asset))
    return form_page(
        request,
        form,
        lambda given: actions.change_asset(request, asset, *_asset_values(given)),
        title=asset.name,
        back=reverse("unit", args=[asset.unit_id]),
        said=_("The asset was changed."),
    )


@require_POST
@allowed("units.edit")
def remove_asset(request: Request, number: int) -> HttpResponse:
    """Remove an asset."""
    asset = _asset(request, number)
    home = asset.unit_id
    actions.remove_asset(request, asset)
    messages.success(request, _("The asset was removed."))
    return redirect("unit", home)


@require_GET
@allowed("units.see")
def export_assets(request: Request) -> Any:
    """Return all assets as CSV."""
    return spreadsheets.export(request.user)


@require_http_methods(["GET", "POST"])
@allowed("units.edit")
def import_assets(request: Request) -> HttpResponse:
    """Read a CSV file, show what it would do, and do it once that was confirmed."""
    if request.method == "POST" and "csv" in request.POST:
        form: forms.Form = SheetForm()
        data = request.POST["csv"].encode("utf-8", "replace")
    else:
        form = SheetForm(request.POST or None, request.FILES or None, label_suffix="")
        if request.method == "GET" or not form.is_valid():
            return render(request, "units/import.html", {"form": form}, status=400 if form.errors else 200)
        data = form.cleaned_data["file"].read(spreadsheets.MOST_BYTES + 1)
    try:
        sheet = spreadsheets.read_assets(request.user, data)
        if "csv" in request.POST and not sheet.errors:
            sheet = spreadsheets.take_assets(request, data)
            messages.success(request, _("The assets were taken."))
            return redirect("units")
    except RefusedError as error:
        context = {"form": SheetForm(label_suffix=""), "refused": error.message}
        return render(request, "units/import.html", context, status=400)
    context = {
        "form": SheetForm(label_suffix=""),
        "sheet": sheet,
        "added": sum(line.asset is None for line in sheet.lines),
        "changed": sum(line.asset is not None and not line.same for line in sheet.lines),
        "same": sum(line.same for line in sheet.lines),
        "csv": data.decode("utf-8-sig"),
    }
    return render(request, "units/import.html", context, status=400 if sheet.errors else 200)


def _asset_values(given: dict[str, Any]) -> tuple[dict[str, Any], list[actions.Named]]:
    names = actions.names_of(*(given[kind].split() for kind in _KINDS))
    return {name: value for name, value in given.items() if name not in _KINDS}, names


def _unit(request: Request, number: int) -> Unit:
    found: Unit = get_object_or_404(Unit.objects.visible_to(request.user), pk=number)
    return found


def _asset(request: Request, number: int) -> Asset:
    found: Asset = get_object_or_404(
        Asset.objects.visible_to(request.user).prefetch_related("names"), pk=number
    )
    return found


def _by_unit(model: type[models.Model], request: Request, condition: Q) -> dict[int, int]:
    rows = model._default_manager.visible_to(request.user).filter(condition)  # type: ignore[attr-defined]
    return dict(rows.order_by().values_list("unit").annotate(n=Count("pk")))


def _in_order(rows: list[Unit]) -> list[Unit]:
    """Return units with those below behind each, siblings by name."""
    names = {row.pk: row.name.lower() for row in rows}

    def place(row: Unit) -> list[tuple[str, int]]:
        return [(names.get(int(key), ""), int(key)) for key in row.path.strip("/").split("/")]

    return sorted(rows, key=place)
