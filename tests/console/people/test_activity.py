"""The list of sessions: written once a minute, and at once where something changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

if TYPE_CHECKING:
    from haidang.console.people.models import User

LONG_AGO = timezone.now() - timedelta(days=1)


@pytest.fixture
def client(analyst: User) -> Client:
    client = Client(headers={"user-agent": "one"})
    client.post("/account/login/", {"login": "an", "password": "mot mat khau dai"})
    assert UserSession.objects.get().user == analyst
    return client


def seen_of(client: Client, **extra: str) -> tuple[bool, str, str]:
    """Ask for a page; say whether that was written down, and from where."""
    UserSession.objects.update(last_seen_at=LONG_AGO)
    assert client.get("/silences/", **extra).status_code == 200
    kept = UserSession.objects.get()
    return kept.last_seen_at > LONG_AGO, kept.ip, kept.user_agent


def test_a_session_is_written_down_once_a_minute(client: Client) -> None:
    cache.clear()
    assert seen_of(client) == (True, "127.0.0.1", "one")
    assert seen_of(client) == (False, "127.0.0.1", "one")
    cache.clear()  # As after a minute.
    assert seen_of(client) == (True, "127.0.0.1", "one")


def test_another_address_or_program_is_written_down_at_once(client: Client) -> None:
    seen_of(client)
    assert seen_of(client, REMOTE_ADDR="10.0.0.9") == (True, "10.0.0.9", "one")
    assert seen_of(client, REMOTE_ADDR="10.0.0.9") == (False, "10.0.0.9", "one")
    assert seen_of(client, REMOTE_ADDR="10.0.0.9", HTTP_USER_AGENT="two") == (True, "10.0.0.9", "two")


def test_a_session_that_was_ended_does_not_come_back(client: Client) -> None:
    seen_of(client)
    UserSession.objects.get().end()
    assert client.get("/silences/").status_code == 302
    assert not UserSession.objects.exists()


def test_nobody_is_not_written_down(db: None) -> None:
    assert Client().get("/silences/").status_code == 302
    assert not UserSession.objects.exists()
