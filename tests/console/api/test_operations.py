"""Who asks, what they may, and what they are told: the same for every operation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from haidang.console.api.service import api
from haidang.console.audit.models import Entry
from haidang.console.people.models import Token, User
from tests.console.api.conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.console.units.models import Unit

PASSWORD = "mot mat khau dai"


def test_an_unknown_token_gets_401_and_says_how_to_ask(db: None) -> None:
    answer = Caller(Client(), "hd_nothing").ask("get", "/alerts")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401  # type: ignore[attr-defined]


def test_nobody_gets_401_not_403(client: Client, db: None) -> None:
    assert client.post("/api/v1/alerts/bulk").status_code == 401


def test_a_token_that_has_expired_holds_no_more(analyst: User) -> None:
    _token, secret = Token.issue(analyst, "t", ["alerts.see"], timezone.now() - timedelta(seconds=1))
    assert Caller(Client(), secret).ask("get", "/alerts").status_code == 401


def test_a_token_of_somebody_out_of_use_holds_no_more(analyst: User, caller: Callable[..., Caller]) -> None:
    asks = caller(analyst)
    asks.get("/alerts")
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    assert asks.ask("get", "/alerts").status_code == 401


def test_a_token_does_what_it_was_issued_for_alone(analyst: User, caller: Callable[..., Caller]) -> None:
    asks = caller(analyst, ["alerts.see"])
    asks.get("/alerts")
    assert asks.ask("get", "/units").status_code == 403
    assert asks.ask("post", "/alerts/1/acknowledge").status_code == 403
    assert asks.get("/people/me")["permissions"] == ["alerts.see"]


def test_a_token_does_no_more_than_its_person(analyst: User, caller: Callable[..., Caller]) -> None:
    assert caller(analyst).ask("get", "/audit").status_code == 403


def test_a_token_makes_no_tokens(analyst: User, caller: Callable[..., Caller]) -> None:
    body = {"name": "x", "permissions": ["alerts.see"], "days": 300}
    assert caller(analyst).ask("post", "/tokens", body).status_code == 403
    assert Token.objects.count() == 1


def test_when_a_token_was_used_is_kept(analyst: User, caller: Callable[..., Caller]) -> None:
    caller(analyst).get("/people/me")
    assert Token.objects.get().last_used is not None


def test_a_session_reads_and_with_the_csrf_token_writes(
    analyst: User, hospital: Unit, alert_of: Callable[..., Any]
) -> None:
    alert = alert_of(hospital)
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst)
    assert client.get("/api/v1/alerts").json()["items"][0]["id"] == alert.pk
    address = f"/api/v1/alerts/{alert.pk}/acknowledge"
    assert client.post(address).status_code == 403
    client.get("/")  # The page sets the cookie.
    token = client.cookies["csrftoken"].value
    assert client.post(address, headers={"X-CSRFToken": token}).status_code == 200


def test_a_session_makes_a_token_within_its_permissions(analyst: User) -> None:
    client = Client()
    client.force_login(analyst)

    def ask(permissions: list[str]) -> Any:
        body = {"name": "x", "permissions": permissions, "days": 30}
        return client.post("/api/v1/tokens", body, content_type="application/json")

    assert ask(["audit.see"]).status_code == 422
    answer = ask(["alerts.see"])
    assert answer.status_code == 201
    assert Caller(Client(), answer.json()["secret"]).ask("get", "/alerts").status_code == 200
    assert Entry.objects.get(action="token.add").after["permissions"] == ["alerts.see"]
    assert answer.json()["secret"] not in str(list(Entry.objects.values()))


def test_what_is_done_by_a_token_is_recorded_as_such(
    analyst: User, caller: Callable[..., Caller], hospital: Unit, alert_of: Callable[..., Any]
) -> None:
    alert = alert_of(hospital)
    caller(analyst).post(f"/alerts/{alert.pk}/acknowledge")
    assert Entry.objects.get().actor == "token t of an"


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": NaN}', b'"\\ud800"'])
def test_a_body_that_is_no_json_gets_400(analyst: User, caller: Callable[..., Caller], body: bytes) -> None:
    asks = caller(analyst)
    answer = asks.client.post(
        "/api/v1/alerts/bulk",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {asks.secret}"},
    )
    assert answer.status_code == 400


def test_a_wrong_value_is_named(analyst: User, caller: Callable[..., Caller]) -> None:
    answer: Any = caller(analyst).ask("post", "/alerts/bulk", {"action": "fly", "alerts": [1]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.what.action"


def test_a_problem_is_told_in_the_language_that_is_asked_for(
    analyst: User, caller: Callable[..., Caller]
) -> None:
    asks = caller(analyst)
    said = {
        language: asks.client.get(
            "/api/v1/audit",
            headers={"Authorization": f"Bearer {asks.secret}", "Accept-Language": language},
        ).json()["title"]
        for language in ("vi", "en")
    }
    assert said["en"] == "That is not permitted."
    assert said["vi"] != said["en"]


def test_pages_hold_each_record_once_whatever_comes_between(
    analyst: User, caller: Callable[..., Caller], hospital: Unit, alert_of: Callable[..., Any]
) -> None:
    made = [alert_of(hospital).pk for _ in range(7)]
    asks, seen, cursor = caller(analyst), [], ""
    while cursor is not None:
        page = asks.get("/alerts", limit=3, cursor=cursor)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        alert_of(hospital, last_seen=timezone.now() + timedelta(days=1))
    assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["x", "MjAyNnw", "fDE", "MjAyNi0xMS0zMFQwODowMDowMHwx"])
def test_a_cursor_that_is_none_is_refused(analyst: User, caller: Callable[..., Caller], cursor: str) -> None:
    assert caller(analyst).ask("get", "/alerts", cursor=cursor).status_code == 422


def test_every_operation_is_declared_with_a_permission() -> None:
    from haidang.console.people.access import SIGNED_IN
    from haidang.console.people.roles import PERMISSIONS

    found = 0
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                needs = [getattr(one, "needs", None) for one in operation.auth_callbacks]
                assert len(needs) == 2, path
                assert set(needs) <= PERMISSIONS | {SIGNED_IN}, path
                found += 1
    assert found > 50
