"""Alerts over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from haidang.console.alerts.models import Alert, Example, Level
from haidang.console.audit.models import Entry
from tests.console.api.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit
    from tests.console.api.conftest import Caller


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "ab"),
        ({"state": "new"}, "a"),
        ({"state": "closed"}, "b"),
        ({"level": "critical"}, "b"),
        ({"entity": "a"}, "a"),
        ({"owner": "none"}, "a"),
        ({"owner": "an"}, "b"),
        ({"technique": "T1003"}, "b"),
        ({"q": "mimi"}, "a"),
        ({"q": "mimi certutil"}, ""),
        ({"since": "2026-11-30T08:00:00Z"}, "ab"),
        ({"until": "2026-11-30T08:00:00Z"}, ""),
        ({"since": "2026-11-30T08:00:00-21:38"}, ""),
        ({"until": "2026-11-30T08:00:00+23:59"}, ""),
        ({"since": "2026-11-29T08:00:00-21:38"}, "ab"),
        ({"disposition": "benign"}, "b"),
        ({"rule": "other"}, "b"),
    ],
    ids=str,
)
def test_filters_narrow(
    query: dict[str, str],
    found: str,
    analyst: User,
    caller: Callable[..., Caller],
    hospital: Unit,
    alert_of: Callable[..., Any],
) -> None:
    alert_of(hospital, entity="a", search="mimikatz")
    alert_of(
        hospital,
        entity="b",
        rule="other",
        level=Level.CRITICAL,
        state="closed",
        disposition="benign",
        owner=analyst,
        tags=["attack.t1003"],
        search="certutil",
    )
    assert {item["entity"] for item in caller(analyst).get("/alerts", **query)["items"]} == set(found)


def test_a_unit_is_asked_for_with_those_below_it(
    analyst: User,
    liaison: User,
    caller: Callable[..., Caller],
    province: Unit,
    hospital: Unit,
    school: Unit,
    alert_of: Callable[..., Any],
) -> None:
    alert_of(hospital, entity="a")
    alert_of(school, entity="b")
    asks = caller(analyst)
    assert len(asks.get("/alerts", unit=province.pk)["items"]) == 2
    assert [item["entity"] for item in asks.get("/alerts", unit=school.pk)["items"]] == ["b"]
    assert caller(liaison).get("/alerts", unit=school.pk)["items"] == []


def test_the_detail_has_the_evidence_and_is_recorded(
    liaison: User, caller: Callable[..., Caller], hospital: Unit, alert_of: Callable[..., Any]
) -> None:
    alert = alert_of(hospital)
    Example.objects.create(alert=alert, finding_id="f", at=NOW, finding={"id": "f"})
    said = caller(liaison).get(f"/alerts/{alert.pk}")
    assert said["findings"] == [{"id": "f"}]
    assert Entry.objects.get().action == "alert.see"


def test_an_alert_is_worked_on_from_new_to_closed(
    analyst: User, liaison: User, caller: Callable[..., Caller], hospital: Unit, alert_of: Callable[..., Any]
) -> None:
    path = f"/alerts/{alert_of(hospital).pk}"
    asks = caller(analyst)
    assert asks.post(f"{path}/acknowledge")["owner"] == "an"
    assert asks.post(f"{path}/assign", {"owner": "binh"})["owner"] == "binh"
    assert asks.post(f"{path}/notes", {"text": "đã gọi"}, 201)["text"] == "đã gọi"
    said = asks.post(f"{path}/close", {"disposition": "true-positive", "note": "xong"})
    assert (said["state"], said["disposition"]) == ("closed", "true-positive")
    assert asks.post(f"{path}/reopen")["state"] == "acknowledged"
    assert [note["text"] for note in asks.get(path)["notes"]] == ["đã gọi", "xong"]


def test_a_bulk_action_is_done_to_all_or_to_none(
    liaison: User, caller: Callable[..., Caller], hospital: Unit, school: Unit, alert_of: Callable[..., Any]
) -> None:
    own = [alert_of(hospital).pk for _ in range(3)]
    foreign = alert_of(school).pk
    asks = caller(liaison)
    asks.post("/alerts/bulk", {"action": "acknowledge", "alerts": [*own, foreign]}, 404)
    assert not Alert.objects.exclude(state="new").exists()
    body = {"action": "close", "alerts": own, "disposition": "benign", "text": "kiểm tra định kỳ"}
    assert asks.post("/alerts/bulk", body) == {"count": 3}
    assert Entry.objects.filter(action="alert.close").count() == 3


def test_alerts_are_assigned_to_nobody_that_may_not_be_seen(
    analyst: User, liaison: User, caller: Callable[..., Caller], hospital: Unit, alert_of: Callable[..., Any]
) -> None:
    path = f"/alerts/{alert_of(hospital).pk}/assign"
    asks = caller(liaison)
    asks.post(path, {"owner": "an"}, 404)
    asks.post(path, {"owner": "nobody"}, 404)
    assert asks.post(path, {"owner": "binh"})["owner"] == "binh"


def test_a_list_takes_a_fixed_number_of_queries(
    analyst: User,
    caller: Callable[..., Caller],
    hospital: Unit,
    alert_of: Callable[..., Any],
    django_assert_num_queries: Any,
) -> None:
    for _ in range(5):
        alert_of(hospital, owner=analyst)
    asks = caller(analyst)
    asks.get("/alerts")
    with django_assert_num_queries(3):  # The token, when it was used, the alerts.
        asks.get("/alerts")
