"""What people do with units, their contacts and assets: within what they see, recorded in the audit log."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from haidang.console.audit.changing import add, change, remove
from haidang.console.audit.record import record
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.units.models import Asset, AssetName, Contact, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from haidang.console.people.access import Request

__all__ = [
    "Named",
    "add_asset",
    "add_contact",
    "add_unit",
    "change_asset",
    "change_contact",
    "change_unit",
    "names_of",
    "remove_asset",
    "remove_contact",
    "remove_unit",
    "unit_of",
]

MOST_NAMES = 200
"""Most names of an asset."""


class Named(NamedTuple):
    """A name of an asset, as :class:`AssetName` keeps it."""

    kind: str
    value: str


def unit_of(request: Request, key: int | None) -> Unit:
    """Return a unit.

    Raises:
        MissingError: There is none that the person may see.
    """
    unit: Unit | None = Unit.objects.visible_to(request.user).filter(pk=key).first()
    if unit is None:
        raise MissingError([key])
    return unit


def add_unit(request: Request, values: Mapping[str, Any]) -> Unit:
    """Add a unit below one that the person sees.

    Raises:
        RefusedError: A value is wrong.
    """
    unit = Unit(**values)
    _check_parent(request, unit)
    return add(request, unit)


def change_unit(request: Request, unit: Unit, values: Mapping[str, Any]) -> Unit:
    """Change a unit; what is below moves along.

    Raises:
        RefusedError: A value is wrong, or the unit would lie below itself.
    """
    if "parent" in values and values["parent"] != unit.parent:
        moved = Unit(pk=unit.pk, path=unit.path, parent=values["parent"])
        _check_parent(request, moved)
        if moved.parent is not None and unit.holds(moved.parent):
            raise RefusedError(_("A unit cannot lie below itself."), field="parent")
    return change(request, unit, values)


def remove_unit(request: Request, unit: Unit) -> None:
    """Remove a unit to which nothing belongs.

    Raises:
        RefusedError: Something does.
    """
    if unit.assets.exists() or unit.contacts.exists():
        raise RefusedError(_("Something still belongs to it: move or remove that first."))
    remove(request, unit)


def add_contact(request: Request, values: Mapping[str, Any]) -> Contact:
    """Add somebody to call."""
    return add(request, Contact(**values))


def change_contact(request: Request, contact: Contact, values: Mapping[str, Any]) -> Contact:
    """Change somebody to call."""
    return change(request, contact, values)


def remove_contact(request: Request, contact: Contact) -> None:
    """Remove somebody to call."""
    remove(request, contact)


def add_asset(request: Request, values: Mapping[str, Any], names: Iterable[Named]) -> Asset:
    """Add an asset with the names that logs have for it.

    Raises:
        RefusedError: A value is wrong, or a name is another asset's.
    """
    with transaction.atomic():
        asset = add(request, Asset(**values))
        _name(request, asset, names)
    return asset


def change_asset(
    request: Request, asset: Asset, values: Mapping[str, Any], names: Iterable[Named] | None = None
) -> Asset:
    """Change an asset; ``names``, where given, replace those that it had.

    Raises:
        RefusedError: A value is wrong, or a name is another asset's.
    """
    with transaction.atomic():
        change(request, asset, values)
        if names is not None:
            _name(request, asset, names)
    return asset


def remove_asset(request: Request, asset: Asset) -> None:
    """Remove an asset; its alerts stay."""
    remove(request, asset)


def names_of(hosts: Iterable[str], networks: Iterable[str], domains: Iterable[str]) -> list[Named]:
    """Return names as they are kept: lower case, networks in their shortest form, each once.

    Raises:
        RefusedError: One is no name of its kind.
    """
    named = []
    for network in networks:
        try:
            named.append(Named(AssetName.Kind.NETWORK, str(ip_network(network.strip(), strict=False))))
        except ValueError:
            raise RefusedError(
                _("{value} is no address or network; write 10.1.0.0/16.").format(value=network),
                field="networks",
            ) from None
    for kind, field, values in (
        (AssetName.Kind.HOST, "hosts", hosts),
        (AssetName.Kind.DOMAIN, "domains", domains),
    ):
        for value in values:
            name = value.strip().lower().removesuffix(".")
            if not name or len(name) > 255 or any(c.isspace() or c in "/\\,;" for c in name):
                raise RefusedError(_("{value} is no name.").format(value=repr(value)), field=field)
            named.append(Named(kind, name))
    found = list(dict.fromkeys(named))
    if len(found) > MOST_NAMES:
        raise RefusedError(_("Too many names for one asset."), field="hosts")
    return found


def _name(request: Request, asset: Asset, names: Iterable[Named]) -> None:
    before = {Named(name.kind, name.value): name for name in asset.names.all()}
    wanted = list(dict.fromkeys(names))
    if set(before) == set(wanted):
        return
    new = [name for name in wanted if name not in before]
    for name in new:
        if AssetName.objects.filter(kind=name.kind, value=name.value).exclude(asset=asset).exists():
            raise RefusedError(
                _("{value} is a name of another asset.").format(value=name.value), field="hosts"
            )
    AssetName.objects.filter(pk__in=[row.pk for name, row in before.items() if name not in wanted]).delete()
    AssetName.objects.bulk_create([AssetName(asset=asset, kind=name.kind, value=name.value) for name in new])
    record(
        request,
        "asset.name",
        asset,
        {"names": sorted(map(list, before))},
        {"names": sorted(map(list, wanted))},
    )


def _check_parent(request: Request, unit: Unit) -> None:
    if unit.parent is None:
        if not request.user.sees_everything:
            raise RefusedError(_("Name the unit that it belongs to."), field="parent")
    elif not Unit.objects.visible_to(request.user).filter(pk=unit.parent.pk).exists():
        raise RefusedError(_("There is no such unit."), field="parent")
