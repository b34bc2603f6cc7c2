"""The console under test: people of every role, two units side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from haidang.console.people.models import User
    from haidang.console.units.models import Unit


@pytest.fixture
def province(db: None) -> Unit:
    """The unit at the top."""
    from haidang.console.units.models import Unit

    unit: Unit = Unit.objects.create(name="Tỉnh Sông Hồng", code="SH")
    return unit


@pytest.fixture
def hospital(province: Unit) -> Unit:
    """A unit below."""
    from haidang.console.units.models import Unit

    unit: Unit = Unit.objects.create(name="Bệnh viện Đa khoa", code="BV", parent=province)
    return unit


@pytest.fixture
def school(province: Unit) -> Unit:
    """Another unit below, which must not see the hospital's."""
    from haidang.console.units.models import Unit

    unit: Unit = Unit.objects.create(name="Sở Giáo dục", code="GD", parent=province)
    return unit


@pytest.fixture
def analyst(db: None) -> User:
    """Somebody who works on all units' alerts."""
    from haidang.console.people.models import User

    return User.objects.create_user("an", password="mot mat khau dai", role="analyst")


@pytest.fixture
def liaison(hospital: Unit) -> User:
    """Somebody of the hospital."""
    from haidang.console.people.models import User

    return User.objects.create_user("binh", password="mot mat khau dai", role="liaison", unit=hospital)
