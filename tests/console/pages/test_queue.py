"""The queue: what it shows, in which order, and how it is counted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from haidang.console.alerts import fulltext, queue
from haidang.console.alerts.filtering import Filter
from haidang.console.alerts.models import Alert, Level, SavedView

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit

HTMX = {"HX-Request": "true"}


def found(user: User, query: str) -> list[str]:
    return [alert.entity for alert in queue.page(Filter.read(QueryDict(query)), user).alerts]


@pytest.fixture
def some(hospital: Unit, school: Unit, analyst: User, make_alert: Callable[..., Alert]) -> None:
    make_alert(hospital, entity="A", level=Level.CRITICAL, owner=analyst, search="mimikatz.exe lsass báo cáo")
    make_alert(school, entity="B", search="wevtutil cl security", tags=["attack.impact"], rule="r2")
    make_alert(
        hospital, entity="C", state="closed", closed_at=timezone.now(), disposition="benign",
        search="mimikatz-dump",
    )  # fmt: skip
    make_alert(None, entity="D", state="acknowledged", level=Level.LOW, search="curl mimi")


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("query", "entities"),
    [
        ("", "ABD"),
        ("state=any", "ABCD"),
        ("state=closed", "C"),
        ("state=new", "AB"),
        ("level=4&level=1", "AD"),
        ("owner=me", "A"),
        ("owner=none", "BD"),
        ("owner=me&owner=none", "ABD"),
        ("tactic=impact", "B"),
        ("tactic=execution&state=any", "DCA"),
        ("technique=T1059", "DA"),
        ("technique=t1059.001", "DA"),
        ("technique=T1059.002", ""),
        ("rule=r2", "B"),
        ("entity=C&state=any", "C"),
        ("since=2026-01-01T00:00-21:38", "ABD"),
        ("state=banana&level=9&unit=x&owner=%00&time=ever", "ABD"),
    ],
)
def test_facets_narrow_what_is_shown(analyst: User, query: str, entities: str) -> None:
    assert found(analyst, query) == list(entities)


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("words", "entities"),
    [
        ("mimikatz", "CA"),
        ("mimi", "DCA"),
        ("mimikatz.exe", "A"),
        ('"cl security"', "B"),
        ('"security cl"', ""),
        ("MIMIKATZ lsass", "A"),
        ("mimi -lsass", "DC"),
        ("báo cáo", "A"),
        ('" OR * NEAR( " AND', ""),
        ("-", "ABCD"),
        ("'; DROP TABLE alerts_alert; --", ""),
    ],
)
def test_words_are_found_by_their_beginnings(analyst: User, words: str, entities: str) -> None:
    query = QueryDict(mutable=True)
    query.update({"q": words, "state": "any"})
    assert [alert.entity for alert in queue.page(Filter.read(query), analyst).alerts] == list(entities)


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize("words", ["bao cao", "BÁO CÁO", "ba\u0301o", '"báo cao"'])
def test_marks_of_letters_do_not_matter(analyst: User, words: str) -> None:
    query = QueryDict(mutable=True)
    query["q"] = words
    assert [alert.entity for alert in queue.page(Filter.read(query), analyst).alerts] == ["A"]


@pytest.mark.usefixtures("some")
def test_the_index_follows_changes_and_removals(analyst: User) -> None:
    alert = Alert.objects.get(entity="A")
    alert.search = "something else"
    alert.save()
    assert found(analyst, "q=lsass") == []
    assert found(analyst, "q=something") == ["A"]
    alert.delete()
    assert found(analyst, "q=something") == []


@pytest.mark.usefixtures("some")
def test_a_lost_index_is_made_again(analyst: User) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite remakes tables")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER alerts_search_insert")
        cursor.execute("DELETE FROM alerts_search")
    fulltext.install(connection)
    assert found(analyst, "q=lsass") == ["A"]


def test_units_below_are_shown_with_a_unit(
    analyst: User, province: Unit, hospital: Unit, school: Unit, make_alert: Callable[..., Alert]
) -> None:
    make_alert(hospital, entity="H")
    make_alert(school, entity="S")
    assert found(analyst, f"unit={province.pk}") == ["H", "S"]
    assert found(analyst, f"unit={school.pk}") == ["S"]
    assert found(analyst, "unit=999999") == []
    assert found(analyst, "unit=999999&q=log") == []
    assert found(analyst, f"unit={school.pk}&q=log") == ["S"]


def test_a_time_is_a_range_of_last_seen(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert]
) -> None:
    now = timezone.now()
    make_alert(hospital, entity="now", last_seen=now)
    make_alert(hospital, entity="yesterday", last_seen=now - timedelta(hours=30))
    assert found(analyst, "time=24h") == ["now"]
    assert found(analyst, "time=7d") == ["now", "yesterday"]
    day = (now - timedelta(hours=31)).isoformat().replace("+", "%2B")
    assert found(
        analyst, f"since={day}&until={(now - timedelta(hours=1)).isoformat().replace('+', '%2B')}"
    ) == ["yesterday"]


@pytest.mark.parametrize("query", ["", "q=needle"])
def test_pages_follow_each_other_without_gap_or_repetition(
    analyst: User,
    hospital: Unit,
    make_alert: Callable[..., Alert],
    query: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "PAGE", 7)
    first = make_alert(hospital, search="needle")
    # Many at the same moment: the id decides.
    made = {make_alert(hospital, search="needle", last_seen=first.last_seen).pk for _ in range(30)} | {
        first.pk
    }
    seen: list[int] = []
    after = ""
    while True:
        page = queue.page(Filter.read(QueryDict(query)), analyst, after)
        seen += [alert.pk for alert in page.alerts]
        after = page.next
        if not after:
            break
    assert seen == sorted(made, reverse=True)


@pytest.mark.parametrize("after", ["x", "1-", "-1", "9" * 50, "99999999999999999999-5", "1-²"])
def test_a_wrong_place_is_the_beginning(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert], after: str
) -> None:
    make_alert(hospital)
    assert len(queue.page(Filter(), analyst, after).alerts) == 1


@pytest.mark.usefixtures("some")
def test_a_facet_is_counted_without_its_own_choice(analyst: User) -> None:
    counted = queue.counts(Filter.read(QueryDict("level=4")), analyst)
    assert counted.total == 1
    assert counted.facets["level"] == {Level.CRITICAL: 1, Level.HIGH: 1, Level.LOW: 1}
    assert counted.facets["state"] == {"new": 1}
    assert counted.facets["tactic"] == {"execution": 1}


@pytest.mark.usefixtures("some")
def test_counts_say_when_there_are_more(analyst: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST", 2)
    counted = queue.counts(Filter(), analyst)
    assert (counted.total, counted.more) == (2, True)


@pytest.mark.usefixtures("some")
def test_a_filter_survives_its_address() -> None:
    query = (
        "state=closed&level=4&owner=me&tactic=impact&rule=r&entity=a%26b&time=7d&q=%22x+y%22&technique=T1059"
    )
    asked = Filter.read(QueryDict(query))
    assert Filter.read(QueryDict(asked.address())) == asked
    assert asked.q == '"x y"'


@pytest.mark.usefixtures("some")
def test_a_view_is_kept_as_it_is_understood(analyst: User, signed_in: Callable[[User], Client]) -> None:
    client = signed_in(analyst)
    query = "level=4&evil=<script>&q=a"
    assert client.post("/alerts/views/", {"name": "x", "query": query}).status_code == 302
    assert SavedView.objects.get().query == "level=4&q=a"
    assert client.post("/alerts/views/", {"name": "", "query": ""}).status_code == 400


@pytest.mark.usefixtures("some")
def test_htmx_gets_parts_and_others_whole_pages(analyst: User, signed_in: Callable[[User], Client]) -> None:
    client = signed_in(analyst)
    whole = client.get("/alerts/").content
    part = client.get("/alerts/", headers=HTMX).content
    assert b"<html" in whole
    assert b"<html" not in part
    assert b'id="queue"' in part
    restored = client.get("/alerts/", headers={**HTMX, "HX-History-Restore-Request": "true"}).content
    assert b"<html" in restored


@pytest.mark.usefixtures("some")
def test_the_queue_asks_the_same_number_of_queries_however_many_alerts_it_shows(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert], signed_in: Callable[[User], Client]
) -> None:
    from django.test.utils import CaptureQueriesContext

    client = signed_in(analyst)
    client.get("/alerts/")
    with CaptureQueriesContext(connection) as few:
        client.get("/alerts/")
    for number in range(30):
        make_alert(hospital, entity=f"E{number}", owner=analyst)
    with CaptureQueriesContext(connection) as many:
        client.get("/alerts/")
    assert len(many) == len(few)
