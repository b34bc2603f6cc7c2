"""Measurements and health: who may read them, and what they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from haidang.ingest.counting import Counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit
    from tests.console.api.conftest import Caller

pytestmark = pytest.mark.django_db

LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+')


@pytest.fixture
def data(tmp_path: Path, settings: Any) -> Path:
    cache.clear()
    settings.DATA = tmp_path
    return tmp_path


def read(**extra: Any) -> str:
    answer = Client().get("/metrics", **extra)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_the_text_is_what_prometheus_reads(data: Path, hospital: Unit, alert_of: Callable[..., Any]) -> None:
    from haidang.console.sources.models import Source
    from haidang.console.sources.stores import counters

    source = Source.objects.create(unit=hospital, name='tường "lửa"')
    counters().count(str(source.pk), Counts(events=7, refused=1))
    counters().save()
    alert_of(hospital)
    for level in (2, 2, 4):
        alert_of(hospital, level=level, state="closed", closed_at=timezone.now())
    text = read()
    for line in text.splitlines():
        assert line.startswith("# ") or LINE.fullmatch(line.replace('\\"', "'")), line
    assert 'haidang_ingest_events_total{source="tường \\"lửa\\""} 7' in text
    assert 'haidang_alerts{state="new",level="high"} 1' in text
    assert 'haidang_alerts{state="closed",level="medium"} 2' in text
    assert 'haidang_alerts{state="closed",level="critical"} 1' in text
    assert "haidang_spool_batches 0" in text


def test_other_machines_need_a_token(
    data: Path, settings: Any, administrator: User, analyst: User, caller: Callable[..., Caller]
) -> None:
    settings.METRICS_TOKEN = "own-token"
    far: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.1"}

    def status(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return Client().get("/metrics", headers=headers, **far).status_code

    assert status("") == 401
    assert status("wrong") == 401
    assert status("own-token") == 200
    assert status(caller(administrator).secret) == 200
    assert status(caller(analyst).secret) == 401


def test_a_proxy_on_this_machine_is_no_excuse(data: Path, settings: Any) -> None:
    assert Client().get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 401
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert Client().get("/metrics").status_code == 401


def test_the_service_lives_and_is_ready(data: Path) -> None:
    assert Client().get("/healthz").content == b"ok\n"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_a_spool_that_cannot_be_read_is_not_ready(data: Path) -> None:
    (data / "spool.sqlite3").mkdir()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (
        503,
        {"database": "ok", "spool": "unavailable"},
    )
    assert "haidang_spool_up 0" in read()


def test_a_database_that_is_not_migrated_is_not_ready(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [1])
    assert Client().get("/readyz").json()["checks"]["database"] == "not migrated"
