"""Who signs in, or tries to, is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.test import Client

from haidang.console.audit.models import Entry

if TYPE_CHECKING:
    from haidang.console.people.models import User


def test_signing_in_and_out_is_recorded_with_the_address(analyst: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post("/account/login/", {"login": "an", "password": "sai mat khau"})
    client.post("/account/login/", {"login": "an", "password": "mot mat khau dai"})
    client.post("/account/logout/")
    said = list(Entry.objects.order_by("number").values_list("actor", "address", "action", "object_id"))
    assert said == [
        ("anonymous", "192.0.2.7", "session.refused", ""),
        ("an", "192.0.2.7", "session.start", str(analyst.pk)),
        ("an", "192.0.2.7", "session.end", str(analyst.pk)),
    ]
    assert Entry.objects.get(number=0).after == {"name": "an"}
    assert "mat khau" not in str(list(Entry.objects.values()))


def test_choosing_a_password_and_ending_other_sessions_is_recorded(analyst: User) -> None:
    client, other = Client(), Client()
    for one in (client, other):
        one.post("/account/login/", {"login": "an", "password": "mot mat khau dai"})
        one.get("/alerts/")
    assert b"Phi" in client.get("/account/sessions/").content
    client.post("/account/sessions/")
    assert other.get("/alerts/").status_code == 302
    assert client.get("/alerts/").status_code == 200
    ended = Entry.objects.get(action="session.end-others")
    assert (ended.actor, ended.before) == ("an", {"sessions": 1})
    chosen = "mot mat khau rat dai"
    told = {"oldpassword": "mot mat khau dai", "password1": chosen, "password2": chosen}
    client.post("/account/password/change/", told)
    assert Entry.objects.get(action="user.password").actor == "an"
    assert chosen not in str(list(Entry.objects.values()))
    assert client.get("/alerts/").status_code == 200


def test_what_administrators_do_is_no_page_of_everybody(analyst: User) -> None:
    client = Client()
    client.force_login(analyst)
    for page in ("email", "password/reset", "3rdparty", "3rdparty/signup", "social/connections"):
        assert client.get(f"/account/{page}/").status_code == 404
    assert "password/reset" not in client.get("/account/password/change/").content.decode()
