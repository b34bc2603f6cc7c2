"""Who sees what, by construction."""

from __future__ import annotations

from datetime import UTC, datetime

from haidang.console.alerts.models import Alert, Level
from haidang.console.people.models import User
from haidang.console.units.models import Unit

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def made(unit: Unit, entity: str) -> Alert:
    alert: Alert = Alert.objects.create(
        rule="r", title="t", level=Level.HIGH, entity=entity, unit=unit, first_seen=NOW, last_seen=NOW
    )
    return alert


def test_a_liaison_sees_its_own_unit_and_those_below(liaison: User, hospital: Unit, school: Unit) -> None:
    ward = Unit.objects.create(name="Khoa Nội", code="BV-N", parent=hospital)
    own, below, _foreign = made(hospital, "a"), made(ward, "b"), made(school, "c")
    assert set(Alert.objects.visible_to(liaison)) == {own, below}


def test_units_by_key_are_the_units_that_somebody_sees(
    liaison: User, analyst: User, hospital: Unit, school: Unit
) -> None:
    ward = Unit.objects.create(name="Khoa Nội", code="BV-N", parent=hospital)
    own, below, foreign = made(hospital, "a"), made(ward, "b"), made(school, "c")
    for enter in (True, False):

        def seen(user: User, *tops: Unit) -> set[Alert]:
            rows = Alert.objects.visible_by_key(user, [unit.pk for unit in tops], enter=enter)  # noqa: B023
            return set(rows)

        assert seen(liaison) == {own, below}
        assert seen(liaison, ward, school) == {below}
        assert seen(liaison, school) == set()
        assert seen(analyst) == {own, below, foreign}
        assert seen(analyst, hospital) == {own, below}
        assert seen(User(username="away", role="analyst", is_active=False), hospital) == set()


def test_a_liaison_without_a_unit_sees_nothing(liaison: User, hospital: Unit) -> None:
    made(hospital, "a")
    liaison.unit = None
    assert not Alert.objects.visible_to(liaison).exists()
    assert not Alert.objects.visible_by_key(liaison).exists()
    assert not Alert.objects.visible_by_key(liaison, [hospital.pk]).exists()


def test_a_moved_unit_takes_what_is_below_along(hospital: Unit, school: Unit) -> None:
    ward = Unit.objects.create(name="Khoa Nội", code="BV-N", parent=hospital)
    hospital.parent = school
    hospital.save()
    ward.refresh_from_db()
    assert ward.path == f"{school.path}{hospital.pk}/{ward.pk}/"
