"""What is done beside detection."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from haidang.console.alerts.models import Alert, Level
from haidang.console.service.chores import look_at_indexes


@pytest.mark.django_db(transaction=True)
def test_sqlite_learns_how_values_are_spread() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL looks by itself")
    now = datetime(2026, 11, 30, tzinfo=UTC)
    Alert.objects.bulk_create(
        Alert(rule="r", title="t", level=Level.LOW, entity=str(at), first_seen=now, last_seen=now)
        for at in range(300)
    )
    list(Alert.objects.filter(entity="7"))
    look_at_indexes()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'alerts_alert'")
        assert cursor.fetchone()[0]
