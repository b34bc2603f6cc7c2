"""Operations on units and their contacts."""

from __future__ import annotations

from typing import Any

from ninja import Router, Schema, Status

from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Limit, LongText, Name, Page, Patch, Words, page_of
from haidang.console.people.access import Request
from haidang.console.people.refusals import MissingError
from haidang.console.units import actions
from haidang.console.units.models import Contact, Unit

__all__ = ["router"]

router = Router(tags=["units"])


class UnitRow(Schema):
    """A unit."""

    id: int
    name: str
    code: str
    parent: int | None
    path: str
    """Keys of the units above and its own, with slashes between."""
    note: str

    @staticmethod
    def resolve_parent(unit: Unit) -> int | None:
        """Return the key of the unit above."""
        return unit.parent_id


class UnitPage(Page):
    """A page of units."""

    items: list[UnitRow]


class UnitFields(Schema):
    """What is known of a unit."""

    name: Name
    code: Name
    parent: Key | None = None
    note: LongText = ""


class ContactRow(Schema):
    """Somebody to call."""

    id: int
    unit: int
    name: str
    role: str
    email: str
    phone: str
    on_call: bool

    @staticmethod
    def resolve_unit(contact: Contact) -> int:
        """Return the key of the unit."""
        return contact.unit_id


class ContactFields(Schema):
    """What is known of somebody to call."""

    name: Name
    role: Name = ""
    email: Name = ""
    phone: Name = ""
    on_call: bool = False


@operation(router, "get", "", "units.see", response=UnitPage)
def list_units(request: Request, limit: Limit = 100, cursor: Words = "") -> dict[str, Any]:
    """List units, in the order in which they were made."""
    items, then = page_of(Unit.objects.visible_to(request.user), limit, cursor, newest_first=False)
    return {"items": items, "next": then}


@operation(router, "post", "", "units.edit", response=UnitRow, status=201)
def add_unit(request: Request, what: UnitFields) -> Status[Any]:
    """Add a unit."""
    return Status(201, actions.add_unit(request, _values(request, what.dict())))


@operation(router, "get", "/{unit}", "units.see", response=UnitRow)
def show_unit(request: Request, unit: Key) -> Unit:
    """Show a unit."""
    return actions.unit_of(request, unit)


@operation(router, "patch", "/{unit}", "units.edit", response=UnitRow)
def change_unit(request: Request, unit: Key, what: Patch[UnitFields]) -> Unit:
    """Change a unit."""
    return actions.change_unit(
        request, actions.unit_of(request, unit), _values(request, what.dict(exclude_unset=True))
    )


@operation(router, "delete", "/{unit}", "units.edit", status=204)
def remove_unit(request: Request, unit: Key) -> Status[Any]:
    """Remove a unit to which nothing belongs."""
    actions.remove_unit(request, actions.unit_of(request, unit))
    return Status(204, None)


@operation(router, "get", "/{unit}/contacts", "units.see", response=list[ContactRow])
def list_contacts(request: Request, unit: Key) -> list[Contact]:
    """List whom to call, those on call first."""
    return list(actions.unit_of(request, unit).contacts.all())


@operation(router, "post", "/{unit}/contacts", "units.edit", response=ContactRow, status=201)
def add_contact(request: Request, unit: Key, what: ContactFields) -> Status[Any]:
    """Add somebody to call."""
    return Status(201, actions.add_contact(request, {"unit": actions.unit_of(request, unit), **what.dict()}))


@operation(router, "patch", "/{unit}/contacts/{contact}", "units.edit", response=ContactRow)
def change_contact(request: Request, unit: Key, contact: Key, what: Patch[ContactFields]) -> Contact:
    """Change somebody to call."""
    return actions.change_contact(request, _contact(request, unit, contact), what.dict(exclude_unset=True))


@operation(router, "delete", "/{unit}/contacts/{contact}", "units.edit", status=204)
def remove_contact(request: Request, unit: Key, contact: Key) -> Status[Any]:
    """Remove somebody to call."""
    actions.remove_contact(request, _contact(request, unit, contact))
    return Status(204, None)


def _values(request: Request, said: dict[str, Any]) -> dict[str, Any]:
    if said.get("parent") is not None:
        said["parent"] = actions.unit_of(request, said["parent"])
    return said


def _contact(request: Request, unit: int, key: int) -> Contact:
    contact: Contact | None = Contact.objects.visible_to(request.user).filter(unit=unit, pk=key).first()
    if contact is None:
        raise MissingError([key])
    return contact
