"""A source that is not heard for longer than it may is an alert, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from haidang.console.alerts.models import Alert
from haidang.console.sources.models import Source
from haidang.console.sources.quiet import check_quiet

if TYPE_CHECKING:
    from haidang.console.units.models import Unit

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)


@pytest.fixture
def source(hospital: Unit) -> Source:
    made: Source = Source.objects.create(
        unit=hospital, name="Tường lửa", quiet_after=60, last_seen=NOW - timedelta(minutes=61)
    )
    Source.objects.update(created=LONG_AGO)
    return made


def test_silence_is_an_alert_of_the_sources_unit(source: Source, hospital: Unit) -> None:
    (alert,) = check_quiet(NOW, started=LONG_AGO)
    assert (alert.rule, alert.entity, alert.unit) == ("haidang.quiet-source", "Tường lửa", hospital)
    assert (alert.first_seen, alert.last_seen) == (source.last_seen, NOW)


def test_silence_that_goes_on_is_the_same_alert_until_it_is_closed(source: Source) -> None:
    check_quiet(NOW, started=LONG_AGO)
    assert source.enabled
    assert check_quiet(NOW + timedelta(minutes=5), started=LONG_AGO) == []
    assert Alert.objects.get().last_seen == NOW + timedelta(minutes=5)
    Alert.objects.update(state=Alert.State.CLOSED)
    assert len(check_quiet(NOW + timedelta(minutes=9), started=LONG_AGO)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"last_seen": NOW - timedelta(minutes=59)},
        {"enabled": False},
        {"quiet_after": 0},
        {"quiet_after": 90},
        {"last_seen": None, "created": NOW - timedelta(minutes=10)},
    ],
)
def test_a_source_may_be_quiet(source: Source, changes: dict[str, object]) -> None:
    Source.objects.filter(pk=source.pk).update(**changes)
    assert check_quiet(NOW, started=LONG_AGO) == []


def test_a_source_that_never_was_heard_is_quiet_since_it_was_made(source: Source) -> None:
    Source.objects.update(last_seen=None)
    (alert,) = check_quiet(NOW, started=LONG_AGO)
    assert alert.first_seen == LONG_AGO
    assert alert.source == source


def test_what_waits_for_detection_is_heard(source: Source) -> None:
    recent = int((NOW - timedelta(minutes=1)).timestamp() * 1e9)
    assert check_quiet(NOW, started=LONG_AGO, heard={str(source.pk): recent}) == []


def test_time_in_which_the_service_was_down_is_nobodys_silence(source: Source) -> None:
    assert source.last_seen is not None
    assert check_quiet(NOW, started=NOW - timedelta(minutes=3)) == []
    assert len(check_quiet(NOW + timedelta(minutes=58), started=NOW - timedelta(minutes=3))) == 1
