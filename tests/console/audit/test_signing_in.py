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
