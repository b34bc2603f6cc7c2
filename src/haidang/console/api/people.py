"""Operations on people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Router, Schema, Status

from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Limit, Name, Page, Patch, Words, page_of
from haidang.console.people import actions
from haidang.console.people.access import SIGNED_IN, Request
from haidang.console.people.models import User
from haidang.console.units.actions import unit_of

__all__ = ["router"]

router = Router(tags=["people"])

RoleName = Literal["administrator", "lead", "analyst", "liaison", "auditor", "reader"]


class PersonRow(Schema):
    """Somebody who signs in."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    role: str
    unit: int | None
    is_active: bool
    last_login: datetime | None

    @staticmethod
    def resolve_unit(person: User) -> int | None:
        """Return the key of the unit."""
        return person.unit_id


class PersonPage(Page):
    """A page of people."""

    items: list[PersonRow]


class Me(PersonRow):
    """Who asks, and what they may do."""

    permissions: list[str]

    @staticmethod
    def resolve_permissions(person: User) -> list[str]:
        """Return what they may do with this token or session."""
        return sorted(person.permissions)


class PersonFields(Schema):
    """What is known of somebody."""

    first_name: Name = ""
    last_name: Name = ""
    email: Name = ""
    role: RoleName = "reader"
    unit: Key | None = None
    is_active: bool = True


class NewPerson(PersonFields):
    """Somebody new."""

    username: Name


class PersonPassword(Schema):
    """Somebody and a new password, which is shown this once."""

    person: PersonRow
    password: str


class Factors(Schema):
    """How many second factors were taken away."""

    count: int


class Identities(Schema):
    """How many connections with the identity provider were taken away."""

    count: int


@operation(router, "get", "", "people.see", response=PersonPage)
def list_people(request: Request, limit: Limit = 100, cursor: Words = "") -> dict[str, Any]:
    """List people, in the order in which they were added."""
    items, then = page_of(User.objects.visible_to(request.user), limit, cursor, newest_first=False)
    return {"items": items, "next": then}


@operation(router, "post", "", "people.edit", response=PersonPassword, status=201)
def add_person(request: Request, what: NewPerson) -> Status[Any]:
    """Add somebody; the answer has a first password, this once."""
    person, password = actions.add_person(request, _values(request, what.dict()))
    return Status(201, {"person": person, "password": password})


@operation(router, "get", "/me", SIGNED_IN, response=Me)
def show_me(request: Request) -> User:
    """Show who asks."""
    return request.user


@operation(router, "get", "/{person}", "people.see", response=PersonRow)
def show_person(request: Request, person: Key) -> User:
    """Show somebody."""
    return actions.person_of(request, person)


@operation(router, "patch", "/{person}", "people.edit", response=PersonRow)
def change_person(request: Request, person: Key, what: Patch[PersonFields]) -> User:
    """Change somebody; an account out of use is signed out."""
    return actions.change_person(
        request, actions.person_of(request, person), _values(request, what.dict(exclude_unset=True))
    )


@operation(router, "post", "/{person}/password", "people.edit", response=PersonPassword)
def renew_password(request: Request, person: Key) -> dict[str, Any]:
    """Give somebody a new password."""
    found = actions.person_of(request, person)
    return {"password": actions.new_password(request, found), "person": found}


@operation(router, "post", "/{person}/reset-second-factor", "people.edit", response=Factors)
def reset_second_factor(request: Request, person: Key) -> dict[str, int]:
    """Take somebody's second factors away."""
    return {"count": actions.reset_second_factor(request, actions.person_of(request, person))}


@operation(router, "post", "/{person}/disconnect-identity", "people.edit", response=Identities)
def disconnect_identity(request: Request, person: Key) -> dict[str, int]:
    """Take somebody's connection with the identity provider away."""
    return {"count": actions.disconnect_identity(request, actions.person_of(request, person))}


def _values(request: Request, said: dict[str, Any]) -> dict[str, Any]:
    if said.get("unit") is not None:
        said["unit"] = unit_of(request, said["unit"])
    return said
