"""What people do, asked by forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from haidang.console.alerts.models import Alert, Silence
from haidang.console.audit.models import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit

HTMX = {"HX-Request": "true"}


def test_many_are_closed_at_once_with_an_entry_for_each(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert], signed_in: Callable[[User], Client]
) -> None:
    alerts = [make_alert(hospital) for _ in range(3)]
    form = {
        "action": "close",
        "alert": [alert.pk for alert in alerts],
        "disposition": "benign",
        "text": "drill",
    }
    headers = {**HTMX, "HX-Current-URL": "http://testserver/alerts/?state=new"}
    answer = signed_in(analyst).post("/alerts/act/", form, headers=headers)
    assert answer.status_code == 200
    assert answer.content.count(b'hx-swap-oob="true"') == 4  # three rows and what is said
    assert b"3 alerts closed" in answer.content
    assert set(Alert.objects.values_list("state", "disposition")) == {("closed", "benign")}
    assert Entry.objects.filter(action="alert.close").count() == 3


def test_a_false_positive_offers_a_silence(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert], signed_in: Callable[[User], Client]
) -> None:
    alert = make_alert(hospital)
    client = signed_in(analyst)
    form = {"action": "close", "alert": alert.pk, "shown": alert.pk, "disposition": "false-positive"}
    said = client.post("/alerts/act/", form, headers=HTMX).content.decode()
    assert "It was a false positive" in said
    offered = client.get(f"/silences/?alert={alert.pk}").content.decode()
    assert 'value="PC-1"' in offered
    assert 'value="r1"' in offered
    given = {"rule": "r1", "entity": "PC-1", "unit": hospital.pk, "days": "30", "reason": "known"}
    assert client.post("/silences/", given).status_code == 302
    silence = Silence.objects.get()
    assert (silence.rule, silence.entity, silence.unit, silence.by) == ("r1", "PC-1", hospital, analyst)
    assert client.post(f"/silences/{silence.pk}/end/").status_code == 302
    assert [*Entry.objects.order_by("number").values_list("action", flat=True)][-2:] == [
        "silence.add",
        "silence.end",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rule": "", "entity": "", "reason": "x"}, "Name a rule or an entity"),
        ({"rule": "", "entity": " * ", "reason": "x"}, "Name a rule or an entity"),
        ({"rule": "r", "reason": ""}, "This field is required"),
        ({"rule": "r", "reason": "x", "days": "99999"}, "Select a valid choice"),
    ],
)
def test_a_wrong_silence_is_refused_with_the_reason(
    analyst: User, signed_in: Callable[[User], Client], given: dict[str, str], said: str
) -> None:
    answer = signed_in(analyst).post("/silences/", {"days": "7", **given})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Silence.objects.exists()


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"action": "close", "disposition": ""}, 400),
        ({"action": "close", "disposition": "whatever"}, 400),
        ({"action": "note", "text": "  "}, 400),
        ({"action": "fly"}, 400),
        ({"action": "assign", "owner": "999999"}, 400),
        ({"action": "acknowledge", "alert": "999999"}, 404),
        ({"action": "acknowledge", "alert": "x"}, 400),
    ],
)
def test_a_wrong_act_changes_nothing(
    analyst: User,
    hospital: Unit,
    make_alert: Callable[..., Alert],
    signed_in: Callable[[User], Client],
    form: dict[str, str],
    status: int,
) -> None:
    alert = make_alert(hospital)
    answer = signed_in(analyst).post("/alerts/act/", {"alert": str(alert.pk), **form}, headers=HTMX)
    assert answer.status_code == status
    alert.refresh_from_db()
    assert alert.state == Alert.State.NEW
    assert alert.owner is None
    assert not Entry.objects.exists()


def test_an_alert_is_not_given_to_whom_it_is_hidden_from(
    analyst: User,
    liaison: User,
    school: Unit,
    make_alert: Callable[..., Alert],
    signed_in: Callable[[User], Client],
) -> None:
    alert = make_alert(school)
    client = signed_in(analyst)
    answer = client.post("/alerts/act/", {"action": "assign", "alert": alert.pk, "owner": liaison.pk})
    assert answer.status_code == 400
    answer = client.post("/alerts/act/", {"action": "assign", "alert": alert.pk, "owner": "me"})
    assert answer.status_code == 302
    alert.refresh_from_db()
    assert alert.owner == analyst


def test_acts_without_a_csrf_token_are_refused(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert]
) -> None:
    alert = make_alert(hospital)
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/alerts/act/", {"action": "acknowledge", "alert": alert.pk}, headers=HTMX)
    assert answer.status_code == 403
