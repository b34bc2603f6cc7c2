"""Operations on assets, one by one and as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Limit, LongText, Name, Page, Patch, Words, page_of
from haidang.console.people.access import Request
from haidang.console.people.refusals import MissingError
from haidang.console.units import actions, spreadsheets
from haidang.console.units.models import Asset

__all__ = ["router"]

router = Router(tags=["assets"])

_Names = Annotated[list[Name], Field(max_length=actions.MOST_NAMES)]


class AssetRow(Schema):
    """An asset."""

    id: int
    unit: int
    name: str
    owner: str
    criticality: int
    note: str
    hosts: list[str]
    networks: list[str]
    domains: list[str]

    @staticmethod
    def resolve_unit(asset: Asset) -> int:
        """Return the key of the unit."""
        return asset.unit_id

    @staticmethod
    def resolve_hosts(asset: Asset) -> list[str]:
        """Return the host names in logs; the next two the networks and domains."""
        return _of_kind(asset, "host")

    @staticmethod
    def resolve_networks(asset: Asset) -> list[str]:
        """Return the networks."""
        return _of_kind(asset, "network")

    @staticmethod
    def resolve_domains(asset: Asset) -> list[str]:
        """Return the domains."""
        return _of_kind(asset, "domain")


class AssetPage(Page):
    """A page of assets."""

    items: list[AssetRow]


class AssetFields(Schema):
    """What is known of an asset."""

    unit: Key
    name: Name
    owner: Name = ""
    criticality: Annotated[int, Field(ge=1, le=4)] = 2
    note: LongText = ""
    hosts: _Names = []
    networks: _Names = []
    domains: _Names = []


class Sheet(Schema):
    """A CSV file."""

    csv: Annotated[str, Field(max_length=spreadsheets.MOST_BYTES)]
    """Columns unit, name, owner, criticality, hosts, networks, domains, note."""
    preview: bool = False
    """Whether nothing is to be written."""


class LineProblem(Schema):
    """What is wrong with a line."""

    line: int
    message: str


class Imported(Schema):
    """What a file did, or would do."""

    added: int
    changed: int
    same: int
    errors: list[LineProblem]


@operation(router, "get", "", "units.see", response=AssetPage)
def list_assets(
    request: Request, unit: Key | None = None, limit: Limit = 100, cursor: Words = ""
) -> dict[str, Any]:
    """List assets, of a unit and those below it or of all, in the order in which they were made."""
    rows = _rows(request)
    if unit is not None:
        rows = rows.filter(unit__path__startswith=actions.unit_of(request, unit).path)
    items, then = page_of(rows, limit, cursor, newest_first=False)
    return {"items": items, "next": then}


@operation(router, "get", "/export", "units.see")
def export_assets(request: Request) -> Any:
    """Return all assets as CSV."""
    return spreadsheets.export(request.user)


@operation(router, "post", "/import", "units.edit", response=Imported)
def import_assets(request: Request, what: Sheet) -> dict[str, Any]:
    """Add and change assets by a CSV file: all of its lines, or none; ``preview`` says what would happen."""
    data = what.csv.encode("utf-8", "replace")
    read = spreadsheets.read_assets(request.user, data)
    if not what.preview and not read.errors:
        read = spreadsheets.take_assets(request, data)
    return {
        "added": sum(line.asset is None for line in read.lines),
        "changed": sum(line.asset is not None and not line.same for line in read.lines),
        "same": sum(line.same for line in read.lines),
        "errors": [{"line": number, "message": message} for number, message in read.errors],
    }


@operation(router, "post", "", "units.edit", response=AssetRow, status=201)
def add_asset(request: Request, what: AssetFields) -> Status[Any]:
    """Add an asset."""
    values, names = _values(request, what.dict())
    return Status(201, actions.add_asset(request, values, names or []))


@operation(router, "get", "/{asset}", "units.see", response=AssetRow)
def show_asset(request: Request, asset: Key) -> Asset:
    """Show an asset."""
    return _asset(request, asset)


@operation(router, "patch", "/{asset}", "units.edit", response=AssetRow)
def change_asset(request: Request, asset: Key, what: Patch[AssetFields]) -> Asset:
    """Change an asset; where one kind of names is given, it replaces those of that kind."""
    found = _asset(request, asset)
    said = what.dict(exclude_unset=True)
    if {"hosts", "networks", "domains"} & set(said):
        for field, kind in (("hosts", "host"), ("networks", "network"), ("domains", "domain")):
            said.setdefault(field, _of_kind(found, kind))
    values, names = _values(request, said)
    actions.change_asset(request, found, values, names)
    return _asset(request, asset)


@operation(router, "delete", "/{asset}", "units.edit", status=204)
def remove_asset(request: Request, asset: Key) -> Status[Any]:
    """Remove an asset."""
    actions.remove_asset(request, _asset(request, asset))
    return Status(204, None)


def _rows(request: Request) -> Any:
    return Asset.objects.visible_to(request.user).prefetch_related("names")


def _asset(request: Request, key: int) -> Asset:
    asset: Asset | None = _rows(request).filter(pk=key).first()
    if asset is None:
        raise MissingError([key])
    return asset


def _of_kind(asset: Asset, kind: str) -> list[str]:
    return [name.value for name in asset.names.all() if name.kind == kind]


def _values(request: Request, said: dict[str, Any]) -> tuple[dict[str, Any], list[actions.Named] | None]:
    """Return the fields of an asset, and its names where some are said."""
    given = {field: said.pop(field) for field in ("hosts", "networks", "domains") if field in said}
    names = None
    if given:
        names = actions.names_of(given["hosts"] or (), given["networks"] or (), given["domains"] or ())
    if "unit" in said:
        said["unit"] = actions.unit_of(request, said["unit"])
    return said, names
