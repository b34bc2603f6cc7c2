"""People and tokens: who may do what with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.test import Client

from haidang.console.audit.models import Entry
from haidang.console.people import actions
from haidang.console.people.models import Token, User
from haidang.console.people.refusals import MissingError, RefusedError
from tests.console.requests import request_of

if TYPE_CHECKING:
    from haidang.console.people.access import Request
    from haidang.console.units.models import Unit


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create(username="quan-tri", role="administrator")


@pytest.fixture
def request_(administrator: User) -> Request:
    return request_of(administrator)


def test_a_new_person_signs_in_with_the_password_that_was_shown(request_: Request) -> None:
    person, password = actions.add_person(request_, {"username": "moi", "role": "analyst"})
    answer = Client().post("/account/login/", {"login": "moi", "password": password})
    assert answer.status_code == 302
    assert password not in str(list(Entry.objects.values()))
    assert "password" not in Entry.objects.get(action="user.add", object_id=str(person.pk)).after


def test_a_password_that_somebody_else_has_seen_is_changed_before_anything_else(request_: Request) -> None:
    _, password = actions.add_person(request_, {"username": "moi", "role": "analyst"})
    client = Client()
    client.post("/account/login/", {"login": "moi", "password": password})
    for page in ("/", "/alerts/"):
        assert client.get(page).headers["Location"] == "/account/password/change/"
    chosen = "mot mat khau rat dai"
    client.post(
        "/account/password/change/", {"oldpassword": password, "password1": chosen, "password2": chosen}
    )
    assert client.get("/").status_code == 200


def test_the_last_administrator_stays(request_: Request, administrator: User) -> None:
    for values in ({"role": "reader"}, {"is_active": False}):
        with pytest.raises(RefusedError):
            actions.change_person(request_, User.objects.get(pk=administrator.pk), values)
    administrator.refresh_from_db()
    assert (administrator.role, administrator.is_active) == ("administrator", True)


def test_who_is_out_of_use_is_signed_out(request_: Request, analyst: User) -> None:
    client = Client()
    client.force_login(analyst)
    assert client.get("/").status_code == 200
    actions.change_person(request_, analyst, {"is_active": False})
    assert client.get("/").status_code == 302


def test_a_liaison_has_a_unit(request_: Request) -> None:
    with pytest.raises(RefusedError):
        actions.add_person(request_, {"username": "x", "role": "liaison"})


def test_who_administers_one_unit_makes_nobody_for_others(hospital: Unit, school: Unit) -> None:
    bound = request_of(User.objects.create(username="b", role="administrator", unit=hospital))
    for unit in (None, school):
        with pytest.raises(RefusedError):
            actions.add_person(bound, {"username": "x", "role": "administrator", "unit": unit})
    person, _ = actions.add_person(bound, {"username": "x", "role": "analyst", "unit": hospital})
    with pytest.raises(RefusedError):
        actions.change_person(bound, person, {"unit": None})
    foreign = User.objects.create(username="f", role="reader", unit=school)
    with pytest.raises(MissingError):
        actions.person_of(bound, foreign.pk)


def test_a_second_factor_is_taken_away(request_: Request, analyst: User) -> None:
    Authenticator.objects.create(user=analyst, type=Authenticator.Type.TOTP, data={})
    assert actions.reset_second_factor(request_, analyst) == 1
    assert not Authenticator.objects.exists()
    assert Entry.objects.get().before == {"factors": ["totp"]}


def test_a_token_has_no_more_permissions_than_its_person(analyst: User) -> None:
    request = request_of(analyst)
    for permissions in ([], ["people.edit"], ["alerts.see", "nothing"]):
        with pytest.raises(RefusedError):
            actions.issue_token(request, "t", permissions, 1)
    for days in (0, 367):
        with pytest.raises(RefusedError):
            actions.issue_token(request, "t", ["alerts.see"], days)


def test_tokens_are_revoked_by_their_person_and_by_administrators(
    request_: Request, analyst: User, liaison: User
) -> None:
    first, _ = actions.issue_token(request_of(analyst), "t", ["alerts.see"], 1)
    with pytest.raises(MissingError):
        actions.revoke_token(request_of(liaison), first.pk)
    actions.revoke_token(request_, first.pk)
    assert not Token.objects.exists()
    assert [entry.action for entry in Entry.objects.order_by("number")] == ["token.add", "token.revoke"]


def test_a_token_revokes_no_token(analyst: User) -> None:
    request = request_of(analyst)
    token, _ = actions.issue_token(request, "t", ["alerts.see"], 1)
    request.token = token  # type: ignore[attr-defined]
    with pytest.raises(PermissionDenied):
        actions.revoke_token(request, token.pk)


def test_too_many_wrong_passwords_lock_out(analyst: User) -> None:
    client = Client()
    for _ in range(9):
        answer = client.post("/account/login/", {"login": "an", "password": "sai"})
    assert answer.status_code == 429
    answer = client.post("/account/login/", {"login": "an", "password": "mot mat khau dai"})
    assert answer.status_code == 429, "even the right one"
    assert "Location" not in answer.headers
