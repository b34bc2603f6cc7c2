"""Parts of an open page come anew: what differs, and no evidence that nobody asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.console.alerts import actions
from haidang.console.alerts.models import Alert
from haidang.console.audit.models import Entry
from tests.console.requests import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit


def test_parts_of_the_page_are_as_things_are_now(
    analyst: User, liaison: User, hospital: Unit, school: Unit, make_alert: Callable[..., Alert],
    signed_in: Callable[[User], Client],
) -> None:  # fmt: skip
    alert, foreign = make_alert(hospital), make_alert(school)
    client = signed_in(analyst)
    page = client.get(f"/alerts/{alert.pk}/", headers={"hx-request": "true"}).content.decode()
    (stamp,) = re.findall(r'data-stamp="([^"]+)"', page)
    looks = Entry.objects.filter(action="alert.see").count()
    asked = f"/alerts/now/?state=new&facets=1&shown={alert.pk}&count=1&stamp="
    same = client.get(asked + stamp).content.decode()
    assert f"d{alert.pk}-head" not in same
    assert re.search(r'id="f-state-new".*?<span class="fn">2<', same, re.DOTALL)
    assert re.search(r'id="badge".*?<b>2<', same, re.DOTALL)
    actions.note(request_of(analyst), [alert.pk], "called <b>them</b>")
    Alert.objects.filter(pk=alert.pk).update(count=4)
    changed = client.get(asked + stamp + f"&id={alert.pk}").content.decode()
    assert "called &lt;b&gt;them&lt;/b&gt;" in changed
    assert "3 more findings since you opened it." in changed
    assert f'id="alert-{alert.pk}"' in changed
    # Evidence is not among it: looking at that is recorded, and this is not.
    assert "wevtutil" not in changed
    assert Entry.objects.filter(action="alert.see").count() == looks
    hidden = (
        signed_in(liaison).get(f"/alerts/now/?shown={foreign.pk}&id={foreign.pk}&facets=1").content.decode()
    )
    assert f"d{foreign.pk}-" not in hidden
    assert f"alert-{foreign.pk}" not in hidden
    assert re.search(r'id="badge".*?<b>1<', hidden, re.DOTALL)
