"""Units, assets, sources, rules and people over REST: what was asked for is what is there afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.console.audit.models import Entry
from haidang.console.people.models import User
from haidang.console.units.models import Asset, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.console.api.conftest import Caller


def test_a_patch_changes_what_it_names_alone(
    administrator: User, caller: Callable[..., Caller], hospital: Unit
) -> None:
    asks = caller(administrator)
    answer = asks.ask("patch", f"/units/{hospital.pk}", {"note": "mới"})
    assert answer.status_code == 200
    hospital.refresh_from_db()
    assert (hospital.note, hospital.code, hospital.name) == ("mới", "BV", "Bệnh viện Đa khoa")
    assert Entry.objects.get().after == {"note": "mới"}


def test_a_patch_of_one_kind_of_names_leaves_the_others(
    administrator: User, caller: Callable[..., Caller], hospital: Unit
) -> None:
    asks = caller(administrator)
    made = asks.post(
        "/assets", {"unit": hospital.pk, "name": "PACS", "hosts": ["A"], "networks": ["10.0.0.1"]}, 201
    )
    answer = asks.ask("patch", f"/assets/{made['id']}", {"hosts": ["b"]})
    assert answer.status_code == 200
    said = asks.get(f"/assets/{made['id']}")
    assert (said["hosts"], said["networks"], said["name"]) == (["b"], ["10.0.0.1/32"], "PACS")


def test_null_is_no_value_where_none_may_be(
    administrator: User, caller: Callable[..., Caller], hospital: Unit
) -> None:
    assert caller(administrator).ask("patch", f"/units/{hospital.pk}", {"name": None}).status_code == 422


def test_a_csv_is_previewed_then_taken(
    administrator: User, caller: Callable[..., Caller], hospital: Unit
) -> None:
    asks = caller(administrator)
    text = "unit,name\nBV,PACS\n"
    said = {"added": 1, "changed": 0, "same": 0, "errors": []}
    assert asks.post("/assets/import", {"csv": text, "preview": True}) == said
    assert not Asset.objects.exists()
    assert asks.post("/assets/import", {"csv": text}) == said
    assert asks.post("/assets/import", {"csv": text})["same"] == 1
    wrong = asks.post("/assets/import", {"csv": text + "XX,b\n"})
    assert [error["line"] for error in wrong["errors"]] == [3]
    answer = asks.ask("get", "/assets/export")
    assert b"BV,PACS" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_field_that_is_taken_is_named(
    administrator: User, caller: Callable[..., Caller], hospital: Unit
) -> None:
    answer = caller(administrator).post("/units", {"name": "x", "code": "BV", "parent": hospital.pk}, 422)
    assert [error["field"] for error in answer["errors"]] == ["code"]


def test_a_foreign_parent_is_as_if_there_were_none(
    caller: Callable[..., Caller], hospital: Unit, school: Unit
) -> None:
    bound = User.objects.create(username="b", role="lead", unit=hospital)
    caller(bound).post("/units", {"name": "x", "code": "x", "parent": school.pk}, 404)
    assert not Unit.objects.filter(code="x").exists()


def test_a_source_shows_its_token_once(
    administrator: User, caller: Callable[..., Caller], hospital: Unit
) -> None:
    asks = caller(administrator)
    made = asks.post("/sources", {"name": "s", "unit": hospital.pk}, 201)
    assert made["token"].startswith("hds_")
    assert "token" not in str(asks.get(f"/sources/{made['source']['id']}"))
    renewed = asks.post(f"/sources/{made['source']['id']}/token")
    assert renewed["token"] != made["token"]


def test_rules_are_listed_tried_and_switched(administrator: User, caller: Callable[..., Caller]) -> None:
    asks = caller(administrator)
    first = asks.get("/rules", limit=1)
    rule = first["items"][0]["rule"]
    assert first["total"] > 100
    said = asks.post(f"/rules/{rule}/switch", {"enabled": False, "reason": "ồn"})
    assert (said["enabled"], said["reason"]) == (False, "ồn")
    assert asks.get("/rules", state="off")["total"] == 1
    assert asks.post("/rules/try", {"events": '{"a": 1}\n'})["count"] == 0


def test_the_audit_log_is_read_by_those_who_may(
    administrator: User, caller: Callable[..., Caller], hospital: Unit, school: Unit
) -> None:
    asks = caller(administrator)
    for unit in (hospital, school):
        assert asks.ask("patch", f"/units/{unit.pk}", {"note": "x"}).status_code == 200
    assert [entry["number"] for entry in asks.get("/audit")["items"]] == [1, 0]
    assert asks.get("/audit", object_id=str(school.pk))["items"][0]["object_name"] == school.name
    auditor = User.objects.create(username="a", role="auditor", unit=hospital)
    assert [entry["number"] for entry in caller(auditor).get("/audit")["items"]] == [0]
    assert asks.get("/audit/checkpoint")["size"] == 2
