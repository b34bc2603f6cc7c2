"""The description is OpenAPI 3.1, and no request that it allows (or forbids) breaks the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from haidang.console.api.description import schema
from tests.console.api.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit
    from tests.console.api.conftest import Caller

_OPERATIONS = [(method, path) for path, operations in schema()["paths"].items() for method in operations]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Let the application leave open the connection in whose transaction the test is."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def _application() -> Any:
    return WSGIHandler()


@pytest.mark.parametrize(("method", "path"), _OPERATIONS, ids=str)
def test_no_request_breaks_an_operation(
    method: str,
    path: str,
    administrator: User,
    caller: Callable[..., Caller],
    hospital: Unit,
    alert_of: Callable[..., Any],
) -> None:
    from haidang.console.alerts.models import Note, Silence
    from haidang.console.sources.models import Source

    # Keys that requests are made of are small ones now and then, and then there is something.
    for _ in range(2):
        alert = alert_of(hospital)
        Note.objects.create(alert=alert, by=administrator, text="x")
        Silence.objects.create(rule="r", reason="x", by=administrator, until=NOW)
    Source.objects.create(unit=hospital, name="s")
    headers = {"Authorization": f"Bearer {caller(administrator).secret}"}
    operation = openapi.from_wsgi("/api/v1/openapi.json", _application(), headers=headers)[path][method]

    @settings(
        max_examples=12,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        case.call_and_validate(
            headers=headers,
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
        )

    holds()


def test_the_description_says_which_version_it_is_of() -> None:
    assert schema()["openapi"].startswith("3.1")
