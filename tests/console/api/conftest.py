"""A client of the API, and records to ask about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from haidang.console.people.roles import PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


class Caller(NamedTuple):
    """Asks with a token."""

    client: Client
    secret: str

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> HttpResponse:
        """Return the answer."""
        return self.client.generic(  # type: ignore[return-value]
            method.upper(),
            f"/api/v1{path}",
            b"" if body is None else orjson.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.secret}"},
            query_params=query or None,
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return what is answered, which must be good."""
        answer = self.ask("get", path, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()  # type: ignore[attr-defined]

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """Return what is answered, with the status that it must have."""
        answer = self.ask("post", path, body)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None  # type: ignore[attr-defined]


@pytest.fixture
def caller() -> Callable[..., Caller]:
    """Return somebody's client; the token has all permissions unless some are named."""
    from haidang.console.people.models import Token

    def of(user: User, permissions: list[str] | None = None) -> Caller:
        chosen = sorted(PERMISSIONS) if permissions is None else permissions
        _token, secret = Token.issue(user, "t", chosen, timezone.now() + timedelta(days=1))
        return Caller(Client(), secret)

    return of


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who may do everything but work for a unit."""
    from haidang.console.people.models import User

    return User.objects.create_user("quan-tri", password="mot mat khau dai", role="administrator")


@pytest.fixture
def alert_of() -> Callable[..., Any]:
    """Return a maker of alerts."""
    from haidang.console.alerts.models import Alert, Level

    def make(unit: Unit, **values: Any) -> Alert:
        made: Alert = Alert.objects.create(
            **{
                "rule": "r",
                "title": "t",
                "level": Level.HIGH,
                "entity": "pc-1",
                "unit": unit,
                "first_seen": NOW,
                "last_seen": NOW,
                "search": "mimikatz pc-1",
                **values,
            }
        )
        return made

    return make
