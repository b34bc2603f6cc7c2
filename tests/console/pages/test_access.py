"""Every role and every page of alerts, of one's own unit and of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from haidang.console.alerts.models import Alert, SavedView, Silence
from haidang.console.audit.models import Entry
from haidang.console.people.models import User
from haidang.console.people.roles import ROLE_PERMISSIONS, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from haidang.console.units.models import Unit

HTMX = {"HX-Request": "true"}


def pages(alert: Alert) -> list[str]:
    return ["/", "/alerts/", f"/alerts/now/?id={alert.pk}", f"/alerts/{alert.pk}/", "/silences/"]


def person(role: str, unit: Unit | None = None) -> User:
    return User.objects.create_user(f"{role}-{unit.pk if unit else 0}", role=role, unit=unit)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_the_pages_of_its_own_unit(
    role: str, hospital: Unit, make_alert: Callable[..., Alert], signed_in: Callable[[User], Client]
) -> None:
    alert = make_alert(hospital)
    client = signed_in(person(role, hospital))
    for page in pages(alert):
        for headers in ({}, HTMX):
            answer = client.get(page, headers=headers)
            assert answer.status_code == 200, page
    assert b"Log Emptied" in client.get("/alerts/").content


@pytest.mark.parametrize("role", list(Role))
def test_no_role_that_is_bound_to_a_unit_sees_another_s(
    role: str,
    hospital: Unit,
    school: Unit,
    make_alert: Callable[..., Alert],
    signed_in: Callable[[User], Client],
) -> None:
    alert = make_alert(school, title="Foreign Secret", entity="GD-PC", search="foreign secret")
    make_alert(None, title="Foreign Secret", entity="GD-PC", search="foreign secret")
    client = signed_in(person(role, hospital))
    shown = [client.get(page).content for page in ("/", "/alerts/?state=any", f"/alerts/now/?id={alert.pk}")]
    shown.append(client.get(f"/alerts/?state=any&unit={school.pk}").content)
    shown.append(client.get("/alerts/?q=foreign").content)
    assert not [page for page in shown if b"Foreign Secret" in page or "Sở Giáo dục".encode() in page]
    assert client.get(f"/alerts/{alert.pk}/").status_code == 404
    answer = client.post("/alerts/act/", {"action": "acknowledge", "alert": alert.pk})
    assert answer.status_code in {403, 404}
    alert.refresh_from_db()
    assert alert.state == Alert.State.NEW
    assert not Entry.objects.filter(object_kind="alert").exists()


@pytest.mark.parametrize("role", list(Role))
def test_acts_are_for_those_who_may(
    role: str, hospital: Unit, make_alert: Callable[..., Alert], signed_in: Callable[[User], Client]
) -> None:
    alert = make_alert(hospital)
    client = signed_in(person(role, hospital))
    works = "alerts.work" in ROLE_PERMISSIONS[role]
    silences = "alerts.silence" in ROLE_PERMISSIONS[role]
    answer = client.post("/alerts/act/", {"action": "acknowledge", "alert": alert.pk}, headers=HTMX)
    assert answer.status_code == (200 if works else 403)
    alert.refresh_from_db()
    assert (alert.state == Alert.State.ACKNOWLEDGED) == works
    assert (b"data-act" in client.get(f"/alerts/{alert.pk}/").content) == works
    given: dict[str, Any] = {"rule": "r1", "unit": hospital.pk, "days": "7", "reason": "known"}
    assert client.post("/silences/", given).status_code == (302 if silences else 403)
    assert Silence.objects.exists() == silences


def test_nobody_is_led_to_the_door(client: Client, hospital: Unit, make_alert: Callable[..., Alert]) -> None:
    alert = make_alert(hospital)
    for page in [*pages(alert), "/events"]:
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/account/login/")
    assert client.post("/alerts/act/", {"action": "acknowledge", "alert": alert.pk}).status_code == 302


def test_a_silence_of_another_unit_cannot_be_made_or_ended(
    liaison: User, hospital: Unit, school: Unit, analyst: User, signed_in: Callable[[User], Client]
) -> None:
    from datetime import timedelta

    from django.utils import timezone

    liaison.role = Role.ANALYST
    liaison.save()
    client = signed_in(liaison)
    until = timezone.now() + timedelta(days=1)
    made = Silence.objects.create(rule="r", unit=school, reason="x", by=analyst, until=until)
    assert client.post(f"/silences/{made.pk}/end/").status_code == 404
    for unit in (school.pk, ""):
        given: dict[str, Any] = {"rule": "r1", "unit": unit, "days": "7", "reason": "known"}
        assert client.post("/silences/", given).status_code == 400
    made.refresh_from_db()
    assert made.until == until
    assert Silence.objects.count() == 1


def test_nobody_forgets_the_view_of_another(
    analyst: User, liaison: User, signed_in: Callable[[User], Client]
) -> None:
    view = SavedView.objects.create(owner=analyst, name="mine", query="level=4", shared=True)
    assert signed_in(liaison).post(f"/alerts/views/{view.pk}/delete/").status_code == 404
    assert signed_in(analyst).post(f"/alerts/views/{view.pk}/delete/").status_code == 302
    assert not SavedView.objects.exists()


def test_looking_at_evidence_is_recorded_once_for_each_look(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert], signed_in: Callable[[User], Client]
) -> None:
    alert = make_alert(hospital)
    client = signed_in(analyst)
    client.get("/")
    client.get("/alerts/")
    assert not Entry.objects.filter(action="alert.see").exists()
    client.get(f"/alerts/{alert.pk}/", headers=HTMX)
    client.get(f"/alerts/{alert.pk}/")
    seen = Entry.objects.filter(action="alert.see", object_id=str(alert.pk), actor="an")
    assert seen.count() == 2
