"""Hunts from the console: whose events, how much, one at a time, recorded, and in a process that ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from django.utils import timezone

from haidang.console.alerts.alarms import QUIET_SOURCE, alarm
from haidang.console.alerts.models import Alert, Example
from haidang.console.audit.models import Entry
from haidang.console.hunts import actions, process, running
from haidang.console.hunts.actions import Asked
from haidang.console.hunts.answering import answer
from haidang.console.hunts.models import Hunt
from haidang.console.hunts.questions import Job, Question, Value
from haidang.console.hunts.showing import shown
from haidang.console.people.models import Token
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.rules import catalogue
from haidang.console.service.configuration import Configuration
from haidang.console.sources.models import Source
from haidang.errors import InputError
from haidang.ingest.archive import Archive
from haidang.ingest.model import Arrival
from haidang.ingest.spool import Spooled
from haidang.limits import DEFAULT_LIMITS
from tests.console.requests import request_of
from tests.scanning.material import RULES, event, write_rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit

TOOL = "00000000-0000-0000-0000-000000000001"
TODAY = datetime.now(UTC).replace(microsecond=0)
SLOW = "SELECT max(a.range ^ b.range) FROM range(100000000) a, range(100000) b"


def at(days: float) -> str:
    return (TODAY - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def told(days: float, host: str, **fields: Any) -> bytes:
    moment = at(days)
    return json.dumps(
        event(1, Hostname=host, UtcTime=moment[:-1].replace("T", " "), **{"@timestamp": moment}, **fields)
    ).encode()


@pytest.fixture
def sources(hospital: Unit, school: Unit) -> dict[str, Source]:
    return {
        "hospital": Source.objects.create(unit=hospital, name="benh-vien"),
        "school": Source.objects.create(unit=school, name="truong"),
    }


@pytest.fixture
def archive(sources: dict[str, Source], settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Three days of two sources: the tool ran on bv-1 three times, on gd-1 once."""
    settings.DATA = tmp_path
    made = Archive(tmp_path / "archive")
    lines = {
        "hospital": [
            told(3, "bv-1"),
            told(2, "bv-1"),
            told(2, "bv-2", Image="C:\\<b>x.exe"),
            told(0.1, "bv-1"),
        ],
        "school": [told(1, "gd-1", CommandLine='say "xin chào"')],
    }
    made.take(
        [
            Spooled(
                number,
                Arrival(str(sources[name].pk), "", time.time_ns(), b"\n".join(lines[name]), len(lines[name])),
            )
            for number, name in enumerate(lines, start=1)
        ]
    )
    made.flush()
    catalogue.use(Configuration(rules=(write_rules(tmp_path),)))
    yield tmp_path / "archive"
    catalogue.forget()


def done(user: User, asked: Asked) -> Hunt:
    hunt = actions.ask(request_of(user), asked)
    running.run(hunt.pk)
    return actions.look_at(request_of(user), hunt.pk)


def counted(hunt: Hunt) -> int:
    found = shown(hunt).counted
    assert found is not None, hunt.problem
    return found.said.number


def test_words_and_fields_find_records_of_the_sources_that_somebody_may_see(
    archive: Path, analyst: User, liaison: User
) -> None:
    everything = done(analyst, Asked("words", words="TOOL.exe"))
    assert counted(everything) == 4
    assert [one.source for one in shown(everything).records][:2] == ["benh-vien", "truong"]
    assert counted(done(liaison, Asked("words", words="tool.exe"))) == 3
    assert counted(done(analyst, Asked("words", words='"xin chào"', field="Image", value="*\\tool.exe"))) == 1
    with pytest.raises(MissingError):
        actions.ask(
            request_of(liaison), Asked("words", words="x", source=Source.objects.get(name="truong").pk)
        )
    actions_kept = Entry.objects.filter(actor=analyst.username).order_by("number")
    assert list(actions_kept.values_list("action", flat=True)) == ["archive.search", "archive.see"] * 2
    assert actions_kept[0].after["words"] == ["TOOL.exe"]


def test_an_answer_is_gone_for_who_may_see_less_by_now(archive: Path, analyst: User, school: Unit) -> None:
    hunt = done(analyst, Asked("words", words="tool.exe"))
    analyst.unit = school
    analyst.save()
    with pytest.raises(MissingError):
        actions.hunt_of(request_of(analyst), hunt.pk)
    assert actions.hunts_of(analyst) == []


def test_sql_reaches_the_archive_alone(archive: Path, analyst: User, liaison: User) -> None:
    rows = shown(
        done(liaison, Asked("sql", sql="SELECT host, count(*) FROM events GROUP BY ALL ORDER BY 1;"))
    )
    assert rows.rows == [["bv-1", "3"], ["bv-2", "1"]]
    refused = done(liaison, Asked("sql", sql=f"SELECT * FROM '{archive}/source=*/*/*.parquet'"))
    assert refused.state == Hunt.State.FAILED
    assert "cannot be answered" in refused.problem


def test_a_rule_is_tried_on_the_archive_before_it_is_on(archive: Path, analyst: User) -> None:
    text = RULES.partition("---")[0].replace("Tool", "Nháp")
    found = shown(done(analyst, Asked("rules", rule_text=text)))
    assert found.answer is not None
    assert [(one.title, one.number) for one in found.answer.rules] == [("Nháp", 4)]
    assert found.answer.events == 5
    assert len(found.findings) == 4
    assert found.counted is not None
    # Soon after midnight in Vietnam, the last two ran on one day there.
    ran = Counter((TODAY - timedelta(days=days) + timedelta(hours=7)).date() for days in (3, 2, 1, 0.1))
    assert [day.number for day in found.counted.said.days] == list(ran.values())
    assert counted(done(analyst, Asked("rules", rule="many TOOLS [by user]"))) == 0
    with pytest.raises(MissingError):
        actions.ask(request_of(analyst), Asked("rules", rule="none"))


def test_an_alert_is_looked_for_in_what_came_before_it(
    archive: Path, analyst: User, hospital: Unit, client: Client
) -> None:
    alert = Alert.objects.create(
        rule=TOOL, title="Tool", level=3, entity="bv-1", unit=hospital,
        first_seen=TODAY - timedelta(days=1), last_seen=TODAY,
    )  # fmt: skip
    matched = [{"field": "Image", "value": "C:\\x\\tool.exe", "test": "endswith '\\tool.exe'"}]
    Example.objects.create(alert=alert, finding_id="1", at=TODAY, finding={"matched": matched})
    client.force_login(analyst, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.post(f"/alerts/{alert.pk}/before/", headers={"HX-Request": "true"})
    hunt = Hunt.objects.get(alert=alert)
    assert f'hx-get="/hunt/{hunt.pk}/"' in page.content.decode()
    running.run(hunt.pk)
    hunt.refresh_from_db()
    found = shown(hunt)
    assert found.counted is not None, hunt.problem
    assert (found.counted.said.number, found.counted.said.earlier) == (3, 2)
    (value,) = found.values
    assert (value.counted.said.number, value.counted.said.host_number) == (4, 2)
    said = client.get(
        f"/hunt/{hunt.pk}/", headers={"HX-Request": "true", "Accept-Language": "en"}
    ).content.decode()
    assert "hx-get" not in said
    assert "2 of them before this alert" in said


def test_an_alarm_is_looked_for_nowhere(archive: Path, analyst: User) -> None:
    made = alarm(QUIET_SOURCE, entity="benh-vien", now=TODAY)
    assert made is not None
    with pytest.raises(RefusedError):
        actions.ask_before(request_of(analyst), made)


def test_programs_ask_and_fetch_the_answer(archive: Path, analyst: User, client: Client) -> None:
    _, secret = Token.issue(analyst, "t", ["archive.search"], timezone.now() + timedelta(days=1))
    headers = {"Authorization": f"Bearer {secret}"}
    question = {"kind": "sql", "sql": "SELECT count(*) AS n FROM events"}
    begun = client.post("/api/v1/hunts", question, content_type="application/json", headers=headers)
    assert begun.status_code == 202
    running.run(begun.json()["id"])
    told = client.get(f"/api/v1/hunts/{begun.json()['id']}", headers=headers).json()
    assert (told["state"], told["answer"]["rows"]) == ("done", [[5]])
    assert client.get("/api/v1/hunts", headers=headers).json()["items"][0]["question"] == question["sql"]


def test_what_logs_hold_is_text_on_the_page(archive: Path, analyst: User, client: Client) -> None:
    hunt = done(analyst, Asked("words", words="bv-2"))
    client.force_login(analyst, backend="allauth.account.auth_backends.AuthenticationBackend")
    said = client.get(f"/hunt/{hunt.pk}/").content.decode()
    assert "&lt;b&gt;x.exe" in said
    assert "<b>x.exe" not in said


def test_one_at_a_time_and_whoever_is_gone_is_said_to_be(archive: Path, analyst: User, liaison: User) -> None:
    first = actions.ask(request_of(analyst), Asked("words", words="x"))
    with pytest.raises(RefusedError):
        actions.ask(request_of(analyst), Asked("words", words="y"))
    actions.ask(request_of(liaison), Asked("words", words="y"))
    assert actions.cancel(request_of(analyst), first.pk).state == Hunt.State.CANCELLED
    running.run(first.pk)  # too late: nothing is done
    first.refresh_from_db()
    assert first.answer is None
    second = actions.ask(request_of(analyst), Asked("words", words="y"))
    Hunt.objects.filter(pk=second.pk).update(beat=timezone.now() - timedelta(minutes=1))
    assert actions.hunt_of(request_of(analyst), second.pk).state == Hunt.State.FAILED


def test_a_hunt_that_is_cancelled_ends_its_process(archive: Path) -> None:
    job = Job(Question("sql", TODAY - timedelta(days=9), sql=SLOW), str(archive), None)
    before = threading.active_count()
    listened = process.messages(job)
    assert next(listened) == {}
    listened.close()  # waits for the process, which would take a minute
    assert threading.active_count() == before


def test_the_process_of_a_hunt_bounds_its_memory() -> None:
    code = (
        "from dataclasses import replace; from haidang.console.hunts.child import bound;"
        "from haidang.limits import DEFAULT_LIMITS as limits;"
        "bound(replace(limits, hunt_process_bytes=1 << 30)); bytearray(2 << 30)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MemoryError" in ended.stderr


def test_without_an_archive_it_is_said(analyst: User, settings: Any, tmp_path: Path, client: Client) -> None:
    settings.DATA = tmp_path
    with pytest.raises(RefusedError):
        actions.ask(request_of(analyst), Asked("words", words="x"))
    client.force_login(analyst, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "enabled = false" in client.get("/hunt/").content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        Asked("words"),
        Asked("words", field="Image"),
        Asked("words", words="a b c d e f g h i"),
        Asked("words", words="x", days=0),
        Asked("sql", sql=" "),
        Asked("rules"),
        Asked("rules", rule_text="title: ["),
    ],
    ids=str,
)
def test_what_is_no_question_is_refused(asked: Asked, archive: Path, analyst: User) -> None:
    with pytest.raises(RefusedError):
        actions.ask(request_of(analyst), asked)


def job(archive: Path, **question: Any) -> Job:
    rules = (str(archive.parent / "rules.yml"),)
    return Job(Question(since=TODAY - timedelta(days=9), **question), str(archive), None, rules=rules)


def test_an_answer_has_bounds(archive: Path) -> None:
    few = replace(DEFAULT_LIMITS, hunt_shown=2)
    found = answer(job(archive, kind="words", words=("tool.exe",)), limits=few)
    assert (len(found.records), found.complete) == (2, False)
    assert found.said is not None
    assert found.said.number == 4
    found = answer(job(archive, kind="rules", rule=TOOL), limits=few)
    assert (len(found.findings), found.complete) == (2, False)
    small = replace(DEFAULT_LIMITS, hunt_answer_bytes=1000)
    found = answer(job(archive, kind="sql", sql="SELECT raw FROM events"), limits=small)
    assert 0 < len(found.rows) < 5
    assert not found.complete
    assert len(msgspec.json.encode(found.rows)) < 1100


def test_rules_that_take_too_long_say_what_they_found(archive: Path) -> None:
    found = answer(
        job(archive, kind="rules", rule=TOOL), limits=replace(DEFAULT_LIMITS, hunt_rule_seconds=0.0)
    )
    assert found.stopped
    assert found.said is not None
    slow = job(archive, kind="sql", sql=SLOW)
    with pytest.raises(InputError, match="longer than"):
        answer(slow, limits=replace(DEFAULT_LIMITS, hunt_seconds=0.2))


def test_values_are_counted_by_local_day(archive: Path) -> None:
    asked = job(archive, kind="before", values=(Value("Image", "c:\\X\\TOOL.exe"), Value("", "XIN CHÀO")))
    asked = msgspec.structs.replace(asked, offset=7 * 3600)
    image, anywhere = answer(asked).values
    assert image.said.number == 4
    assert [one.day for one in anywhere.said.days] == [
        (TODAY - timedelta(days=1) + timedelta(hours=7)).date().isoformat()
    ]
