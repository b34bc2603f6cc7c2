"""What people do about alerts: one transaction with its audit entries, within what they may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from haidang.console.alerts import actions
from haidang.console.alerts.models import Alert, Level, Note
from haidang.console.audit.models import Entry
from haidang.console.people.models import User
from haidang.console.people.refusals import MissingError, RefusedError
from tests.console.requests import request_of

if TYPE_CHECKING:
    from haidang.console.units.models import Unit

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def made(unit: Unit, entity: str = "pc-1") -> Alert:
    alert: Alert = Alert.objects.create(
        rule="r", title="t", level=Level.HIGH, entity=entity, unit=unit, first_seen=NOW, last_seen=NOW
    )
    return alert


def entries() -> list[tuple[str, str]]:
    return list(Entry.objects.order_by("number").values_list("action", "object_id"))


def test_acknowledging_gives_the_alert_an_owner_and_one_entry_each(analyst: User, hospital: Unit) -> None:
    alerts = [made(hospital), made(hospital)]
    actions.acknowledge(request_of(analyst), [alert.pk for alert in alerts])
    for alert in alerts:
        alert.refresh_from_db()
        assert (alert.state, alert.owner) == ("acknowledged", analyst)
        assert alert.acknowledged_at is not None
    assert entries() == [("alert.acknowledge", str(alert.pk)) for alert in alerts]
    entry = Entry.objects.get(number=0)
    assert entry.before == {"state": "new", "owner": ""}
    assert entry.after == {"state": "acknowledged", "owner": "an"}
    assert entry.unit_path == hospital.path


def test_doing_again_what_is_done_leaves_no_entry(analyst: User, hospital: Unit) -> None:
    alert = made(hospital)
    for _ in range(2):
        actions.acknowledge(request_of(analyst), [alert.pk])
    assert len(entries()) == 1


def test_nothing_is_done_where_one_alert_is_foreign(liaison: User, hospital: Unit, school: Unit) -> None:
    own, foreign = made(hospital), made(school)
    with pytest.raises(MissingError) as caught:
        actions.close(request_of(liaison), [own.pk, foreign.pk], "benign", note="x")
    assert caught.value.keys == (foreign.pk,)
    own.refresh_from_db()
    assert own.state == "new"
    assert not Note.objects.exists()
    assert entries() == []


def test_closing_keeps_disposition_and_note(analyst: User, hospital: Unit) -> None:
    alert = made(hospital)
    actions.close(request_of(analyst), [alert.pk], "false-positive", note=" sao lưu ")
    alert.refresh_from_db()
    assert (alert.state, alert.disposition, alert.owner) == ("closed", "false-positive", analyst)
    assert alert.closed_at is not None
    assert alert.acknowledged_at is not None
    assert Note.objects.get().text == "sao lưu"
    assert Entry.objects.get().after["note"] == "sao lưu"
    actions.reopen(request_of(analyst), [alert.pk])
    alert.refresh_from_db()
    assert (alert.state, alert.disposition) == ("acknowledged", "")
    assert alert.closed_at is None


def test_refuses_an_unknown_disposition(analyst: User, hospital: Unit) -> None:
    with pytest.raises(RefusedError):
        actions.close(request_of(analyst), [made(hospital).pk], "whatever")


def test_assigns_only_to_who_may_work_on_the_alerts(
    analyst: User, liaison: User, hospital: Unit, school: Unit
) -> None:
    request = request_of(analyst)
    actions.assign(request, [made(hospital).pk], liaison)
    with pytest.raises(RefusedError):
        actions.assign(request, [made(school).pk], liaison)
    reader = User.objects.create_user("chi", role="reader")
    with pytest.raises(RefusedError):
        actions.assign(request, [made(school).pk], reader)
    assert len(entries()) == 1


@pytest.mark.parametrize("text", ["", "  ", "x" * 10_001])
def test_refuses_an_empty_note_and_one_that_is_too_long(analyst: User, hospital: Unit, text: str) -> None:
    with pytest.raises(RefusedError):
        actions.note(request_of(analyst), [made(hospital).pk], text)


def test_a_note_is_kept_with_each_alert(analyst: User, hospital: Unit) -> None:
    keys = [made(hospital).pk, made(hospital).pk]
    actions.note(request_of(analyst), keys, "a\0b")
    assert list(Note.objects.order_by("alert").values_list("alert", "text")) == [(key, "ab") for key in keys]
    assert [action for action, _ in entries()] == ["alert.note"] * 2


@pytest.mark.parametrize("count", [0, actions.MOST_ALERTS + 1])
def test_refuses_none_and_too_many(analyst: User, count: int) -> None:
    with pytest.raises(RefusedError):
        actions.acknowledge(request_of(analyst), range(count))


def test_looking_at_evidence_is_recorded(liaison: User, hospital: Unit, school: Unit) -> None:
    alert, foreign = made(hospital), made(school)
    assert actions.look_at(request_of(liaison), alert.pk) == alert
    with pytest.raises(MissingError):
        actions.look_at(request_of(liaison), foreign.pk)
    assert entries() == [("alert.see", str(alert.pk))]


def test_a_silence_has_a_reason_and_an_end_and_stays_on_record(analyst: User, hospital: Unit) -> None:
    until = timezone.now() + timedelta(hours=1)
    request = request_of(analyst)
    silence = actions.silence(request, rule="r", entity="", unit=hospital, reason="bảo trì", until=until)
    actions.end_silence(request, silence.pk)
    actions.end_silence(request, silence.pk)
    silence.refresh_from_db()
    assert silence.until < until
    assert [action for action, _ in entries()] == ["silence.add", "silence.end"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": " "},
        {"rule": "", "entity": "*"},
        {"reason": " "},
        {"until": NOW - timedelta(days=9000)},
    ],
    ids="-".join,
)
def test_refuses_a_silence_of_everything_without_reason_or_end(
    analyst: User, wrong: dict[str, str | datetime]
) -> None:
    asked = {"rule": "r", "entity": "", "reason": "x", "until": timezone.now() + timedelta(hours=1), **wrong}
    with pytest.raises(RefusedError):
        actions.silence(request_of(analyst), unit=None, **asked)  # type: ignore[arg-type]


def test_a_silence_stays_within_what_its_maker_sees(liaison: User, hospital: Unit, school: Unit) -> None:
    until = timezone.now() + timedelta(hours=1)
    with pytest.raises(RefusedError):
        actions.silence(request_of(liaison), rule="r", entity="", unit=None, reason="x", until=until)
    with pytest.raises(MissingError):
        actions.silence(request_of(liaison), rule="r", entity="", unit=school, reason="x", until=until)
    actions.silence(request_of(liaison), rule="r", entity="", unit=hospital, reason="x", until=until)
