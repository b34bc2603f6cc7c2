"""Alerts of two units, and people who look at them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.console.alerts.models import Alert
    from haidang.console.people.models import User
    from haidang.console.units.models import Unit

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.fixture
def make_alert(db: None) -> Callable[..., Alert]:
    """Makes an alert with an example; each is a minute older than the one before."""
    from haidang.console.alerts.models import Alert, Example, Level

    made: list[Alert] = []

    def make(unit: Unit | None, **values: Any) -> Alert:
        at = NOW - timedelta(minutes=len(made))
        fields: dict[str, Any] = {
            "rule": "r1", "title": "Log Emptied", "level": Level.HIGH, "entity": "PC-1", "unit": unit,
            "first_seen": at, "last_seen": at, "tags": ["attack.execution", "attack.t1059.001"],
            "techniques": ["T1059.001"], "search": "log emptied pc-1 wevtutil cl security", **values,
        }  # fmt: skip
        alert: Alert = Alert.objects.create(**fields)
        finding = {
            "rule": {"id": "r1", "title": "Log Emptied", "description": "A log was emptied."},
            "host": "PC-1", "time": "2026-11-30T09:00:00Z", "source": {"path": "a.json", "record": 1},
            "event": {"CommandLine": "wevtutil cl Security", "User": "<b>mai</b>"},
            "matched": [{"field": "CommandLine", "value": "wevtutil cl Security", "test": "contains ' cl '"}],
        }  # fmt: skip
        Example.objects.create(alert=alert, finding_id=f"f{alert.pk}", at=at, finding=finding)
        made.append(alert)
        return alert

    return make


@pytest.fixture
def signed_in(db: None) -> Callable[[User], Client]:
    """Signs somebody in."""

    def sign_in(user: User) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
        return client

    return sign_in
