"""Every role × every page and operation × own and foreign unit.

The addresses are walked, not listed: a view that names no permission fails here, and a new one is in the
matrix by itself. What is asked for with a key is asked for with that of a record of the hospital (own) and of
the school (foreign); whether somebody may is said by the role's permissions and the units that they see.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.views.generic import RedirectView

from haidang.console.api.service import api
from haidang.console.people.access import ANYONE, SIGNED_IN, module_of
from haidang.console.people.models import User
from haidang.console.people.roles import PERMISSIONS, ROLE_PERMISSIONS, Role
from tests.console.api.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.console.units.models import Unit

OPEN = ("allauth.", "django.views.i18n", "django.conf.urls.i18n")
"""Modules of sign-in and of the choice of a language, which are there for everybody."""

RECORDS = {
    # Address to the kind of record that its number is of; a new address with a number must be named here.
    "alert": "alert",
    "channel": "channel",
    "alert-before": "alert",
    "cancel-hunt": "hunt",
    "hunt-found": "hunt",
    "add-asset": "unit",
    "add-contact": "unit",
    "change-asset": "asset",
    "change-channel": "channel",
    "change-contact": "contact",
    "change-person": "person",
    "change-source": "source",
    "change-unit": "unit",
    "delete-view": "view",
    "disconnect-identity": "person",
    "discard-quarantine": "source",
    "end-silence": "silence",
    "quarantine": "source",
    "remove-asset": "asset",
    "remove-channel": "channel",
    "remove-contact": "contact",
    "remove-unit": "unit",
    "renew-channel-secret": "channel",
    "renew-password": "person",
    "renew-source-token": "source",
    "reset-factor": "person",
    "revoke-token": "token",
    "source": "source",
    "switch-channel": "channel",
    "test-channel": "channel",
    "unit": "unit",
}
MAY_BE_MISSING = frozenset(
    {"rule", "switch-rule", "audit-checkpoint", "openid_connect_login", "openid_connect_callback"}
)
"""Pages of what no record is asked for; without an identity provider there are none to sign in at one."""
PERSONAL = frozenset({"view", "token", "hunt"})
"""Records that belong to one person, whatever its unit."""


class Page(NamedTuple):
    """A view that has a name."""

    name: str
    permission: str
    keys: tuple[str, ...]


class Operation(NamedTuple):
    """An operation of the API."""

    method: str
    path: str
    permission: str


def _patterns(resolver: URLResolver) -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _patterns(one)
        else:
            yield f"{resolver.pattern}{one.pattern}", one


def _views() -> list[tuple[str, URLPattern]]:
    found = []
    for route, pattern in _patterns(get_resolver()):
        module = module_of(pattern.callback)
        # A redirection of allauth's is no view of its own, and is shut.
        redirects = getattr(pattern.callback, "view_class", None) is RedirectView
        if not redirects and not module.startswith((*OPEN, "ninja.", "functools")):
            found.append((route, pattern))
    return found


def pages() -> list[Page]:
    return [
        Page(
            str(pattern.name),
            getattr(pattern.callback, "permission", ""),
            tuple(pattern.pattern.converters),
        )
        for _, pattern in _views()
    ]


def operations() -> list[Operation]:
    found = []
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                first: Any = operation.auth_callbacks[0]
                whole = f"/api/v1{bound.prefix and '/' + bound.prefix.strip('/')}{path}"
                found += [Operation(method, whole, first.needs) for method in operation.methods]
    return found


def test_every_view_names_a_permission() -> None:
    assert len(pages()) > 40
    for page in pages():
        assert page.permission in PERMISSIONS | {ANYONE, SIGNED_IN}, page


def test_what_is_open_to_anyone_is_known() -> None:
    assert {page.name for page in pages() if page.permission == ANYONE} == {
        "openapi",
        "metrics",
        "healthz",
        "readyz",
        "openid_connect_login",
        "openid_connect_callback",
    }


def test_the_root_of_the_api_is_shut(client: Client, db: None) -> None:
    assert client.get("/api/v1/").status_code == 403


class Records(NamedTuple):
    """One record of each kind."""

    keys: dict[str, int]


def made(unit: Unit, name: str, somebody: User) -> dict[str, int]:
    """Make one record of each kind in a unit."""
    from haidang.console.alerts.models import Alert, Channel, SavedView, Silence
    from haidang.console.hunts.models import Hunt
    from haidang.console.people.models import Token
    from haidang.console.sources.models import Source
    from haidang.console.units.models import Asset, Contact, Unit

    ward = Unit.objects.create(name=name, code=name, parent=unit)
    person = User.objects.create(username=name, role="reader", unit=unit)
    alert = Alert.objects.create(
        rule="r", title="t", level=3, entity=name, unit=unit, first_seen=NOW, last_seen=NOW
    )
    return {
        "unit": ward.pk,
        "contact": Contact.objects.create(unit=unit, name=name).pk,
        "asset": Asset.objects.create(unit=unit, name=name).pk,
        "source": Source.objects.create(unit=unit, name=name).pk,
        "alert": alert.pk,
        "channel": Channel.objects.create(name=name, kind="email", target="a@b.example", unit=unit).pk,
        "silence": Silence.objects.create(unit=unit, rule="r", reason="x", by=somebody, until=NOW).pk,
        "person": person.pk,
        "view": SavedView.objects.create(owner=person, name=name, query="").pk,
        "hunt": Hunt.objects.create(by=person, kind="words", question={}, alert=alert).pk,
        "token": Token.issue(person, name, [], NOW)[0].pk,
    }


@pytest.fixture
def own(hospital: Unit, administrator: User) -> dict[str, int]:
    return made(hospital, "own", administrator)


@pytest.fixture
def foreign(school: Unit, administrator: User) -> dict[str, int]:
    return made(school, "foreign", administrator)


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create(username="quan-tri", role="administrator")


def signed_in(role: str, unit: Unit) -> Client:
    """Return a client of somebody with a role who is bound to a unit."""
    user = User.objects.create(username=f"{role}-x", role=role, unit=unit)
    client = Client(raise_request_exception=True)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def permitted(role: str, permission: str) -> bool:
    return permission in ROLE_PERMISSIONS[role] | {ANYONE, SIGNED_IN}


def _asked(client: Client, page: Page, keys: dict[str, int]) -> int:
    """Return the status of a page, asked as it wants to be."""
    given: dict[str, Any] = {}
    for key in page.keys:
        given[key] = keys[RECORDS[page.name]] if key == "number" else "no-such-rule"
    address = reverse(page.name, kwargs=given)
    with nothing_kept():
        answer = client.get(address)
        return client.post(address).status_code if answer.status_code == 405 else answer.status_code


@contextlib.contextmanager
def nothing_kept() -> Iterator[None]:
    """Undo what is done inside: each asks as if it were the first."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("role", Role.values)
def test_pages_open_for_who_may_and_for_what_is_their_own(
    role: str, hospital: Unit, own: dict[str, int], foreign: dict[str, int]
) -> None:
    client = signed_in(role, hospital)
    for page in pages():
        may = permitted(role, page.permission)
        for keys, mine in ((own, True), (foreign, False)):
            status = _asked(client, page, keys)
            where = f"{role} {page.name} {'own' if mine else 'foreign'}: {status}"
            if not may:
                assert status == 403, where
            elif "number" in page.keys and (not mine or RECORDS[page.name] in PERSONAL):
                personal = mine and RECORDS[page.name] == "token" and "people.edit" in ROLE_PERMISSIONS[role]
                assert status == 404 or (personal and status == 302), where
            else:
                assert status in {200, 302, 400, 404}, where
                assert status != 404 or page.name in MAY_BE_MISSING, where


def test_nobody_gets_in_without_signing_in(own: dict[str, int]) -> None:
    for page in pages():
        if page.permission != ANYONE:
            given = {k: own[RECORDS[page.name]] if k == "number" else "x" for k in page.keys}
            address = reverse(page.name, kwargs=given)
            answer = Client().get(address)
            answer = Client().post(address) if answer.status_code == 405 else answer
            assert (answer.status_code, "/account/login/" in answer.headers.get("Location", "")) in {
                (302, True),
                (401, False),
            }, page


@pytest.mark.parametrize("role", Role.values)
def test_operations_answer_who_may_and_for_what_is_their_own(
    role: str, hospital: Unit, own: dict[str, int], foreign: dict[str, int]
) -> None:
    client = signed_in(role, hospital)
    for operation in operations():
        may = permitted(role, operation.permission)
        kinds = re.findall(r"{(\w+)}", operation.path)
        for keys, mine in ((own, True), (foreign, False)):
            path = re.sub(r"{(\w+)}", lambda found: str(keys.get(found[1], "no-such-rule")), operation.path)  # noqa: B023
            with nothing_kept():
                answer = client.generic(operation.method, path, b"", content_type="application/json")
            where = f"{role} {operation.method} {path} {'own' if mine else 'foreign'}: {answer.status_code}"
            if not may:
                assert answer.status_code == 403, where
            elif kinds and not mine:
                assert answer.status_code in {404, 422, 400}, where
            else:
                assert answer.status_code < 500, where
                assert answer.status_code != 403, where


def test_operations_want_a_token_or_a_session(own: dict[str, int]) -> None:
    for operation in operations():
        path = re.sub(r"{(\w+)}", lambda found: str(own.get(found[1], "x")), operation.path)
        answer = Client().generic(operation.method, path, b"", content_type="application/json")
        assert answer.status_code == 401, operation
