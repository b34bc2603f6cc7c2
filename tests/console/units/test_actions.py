"""Units, contacts and assets: within what a person sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.console.audit.models import Entry
from haidang.console.people.models import User
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.units import actions
from haidang.console.units.models import Asset, Unit
from tests.console.requests import request_of

if TYPE_CHECKING:
    from haidang.console.people.access import Request


@pytest.fixture
def bound(hospital: Unit) -> Request:
    return request_of(User.objects.create(username="bound", role="lead", unit=hospital))


@pytest.fixture
def free(db: None) -> Request:
    return request_of(User.objects.create(username="free", role="lead"))


def test_a_unit_cannot_lie_below_itself(free: Request, province: Unit, hospital: Unit) -> None:
    for parent in (province, hospital):
        with pytest.raises(RefusedError):
            actions.change_unit(free, province, {"parent": parent})
    province.refresh_from_db()
    assert province.parent is None


def test_who_is_bound_adds_below_its_unit_alone(bound: Request, hospital: Unit, school: Unit) -> None:
    made = actions.add_unit(bound, {"name": "x", "code": "x", "parent": hospital})
    assert hospital.holds(made)
    for parent in (None, school):
        with pytest.raises(RefusedError):
            actions.add_unit(bound, {"name": "y", "code": "y", "parent": parent})
    with pytest.raises(MissingError):
        actions.unit_of(bound, school.pk)


def test_a_unit_with_something_is_not_removed(free: Request, hospital: Unit) -> None:
    actions.add_asset(free, {"unit": hospital, "name": "x"}, [])
    with pytest.raises(RefusedError):
        actions.remove_unit(free, hospital)
    assert Unit.objects.filter(pk=hospital.pk).exists()
    actions.remove_asset(free, Asset.objects.get())
    actions.remove_unit(free, hospital)
    actions_said = list(Entry.objects.order_by("number").values_list("action", flat=True))
    assert actions_said == ["asset.add", "asset.remove", "unit.remove"]


def test_a_refused_removal_leaves_no_entry(free: Request, province: Unit, hospital: Unit) -> None:
    with pytest.raises(RefusedError):
        actions.remove_unit(free, province)
    assert not Entry.objects.exists()


def test_a_wrong_field_is_named(free: Request, hospital: Unit) -> None:
    with pytest.raises(RefusedError) as caught:
        actions.add_unit(free, {"name": "", "code": "BV", "parent": hospital})
    assert set(caught.value.errors) == {"name", "code"}


def test_a_change_records_only_what_changed(free: Request, hospital: Unit) -> None:
    actions.change_unit(free, hospital, {"name": "B", "code": hospital.code})
    entry = Entry.objects.get()
    assert entry.before == {"name": "Bệnh viện Đa khoa"}
    assert entry.after == {"name": "B"}
    actions.change_unit(free, hospital, {"name": "B"})
    assert Entry.objects.count() == 1
