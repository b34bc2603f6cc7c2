"""Sources: their tokens, their health, and the lines in quarantine."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from haidang.console.audit.models import Entry
from haidang.console.people.models import User
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.sources import actions
from haidang.console.sources.models import Source, SourceMinute
from haidang.console.sources.stores import quarantine
from haidang.console.sources.vitals import health_of
from haidang.ingest.model import BrokenLine
from tests.console.requests import request_of

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.console.people.access import Request
    from haidang.console.units.models import Unit


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, settings: Any) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lead(db: None) -> Request:
    return request_of(User.objects.create(username="lead", role="lead"))


def test_a_token_is_shown_once_and_kept_as_a_digest(lead: Request, hospital: Unit) -> None:
    source, first = actions.add_source(lead, {"name": "s", "unit": hospital})
    second = actions.new_token(lead, source)
    source.refresh_from_db()
    assert source.token_digest == hashlib.sha256(second.encode()).hexdigest()
    said = str(list(Entry.objects.values()))
    assert first not in said
    assert second not in said
    assert str(source.token_digest) not in said


def test_what_a_source_is_said_to_send_must_be_readable(lead: Request, hospital: Unit) -> None:
    for wrong in ({"format": "none"}, {"certificate": "ab"}, {"name": ""}):
        with pytest.raises(RefusedError):
            actions.add_source(lead, {"name": "s", "unit": hospital, **wrong})
    colons = ":".join(["AB"] * 32)
    source, _ = actions.add_source(lead, {"name": "s", "unit": hospital, "certificate": colons})
    assert source.certificate == "ab" * 32


def test_a_foreign_unit_gets_no_source(hospital: Unit, school: Unit) -> None:
    bound = request_of(User.objects.create(username="b", role="lead", unit=hospital))
    with pytest.raises(RefusedError):
        actions.add_source(bound, {"name": "s", "unit": school})
    foreign = Source.objects.create(name="f", unit=school)
    with pytest.raises(MissingError):
        actions.source_of(bound, foreign.pk)


def test_health_is_of_the_last_hour(hospital: Unit) -> None:
    now = timezone.now()
    loud = Source.objects.create(name="loud", unit=hospital, last_seen=now)
    quiet = Source.objects.create(name="quiet", unit=hospital, last_seen=now - timedelta(hours=2))
    off = Source.objects.create(name="off", unit=hospital, enabled=False, last_seen=quiet.last_seen)
    for minutes, events in ((1, 50), (2, 70), (90, 1000)):
        SourceMinute.objects.create(
            source=loud, minute=now - timedelta(minutes=minutes), events=events, lag=minutes / 10
        )
    health = health_of([loud, quiet, off])
    assert (health[0].events, health[0].per_minute, health[0].lag) == (120, 2, 0.2)
    assert [one.quiet for one in health] == [False, True, False]


def test_lines_in_quarantine_are_looked_at_and_removed_on_record(lead: Request, hospital: Unit) -> None:
    source, other = (Source.objects.create(name=name, unit=hospital) for name in "ab")
    for one in (source, other):
        quarantine().add(
            str(one.pk), 1, [BrokenLine("broken-line", "d", b"x"), BrokenLine("broken-line", "d", b"y")]
        )
    lines = actions.look_at_quarantine(lead, source)
    assert sorted(line.line for line in lines) == [b"x", b"y"]
    foreign = quarantine().lines(str(other.pk))[0].number
    assert actions.discard_lines(lead, source, [lines[0].number, foreign]) == 1
    assert quarantine().counts() == {str(source.pk): 1, str(other.pk): 2}
    assert list(Entry.objects.order_by("number").values_list("action", flat=True)) == [
        "quarantine.see",
        "quarantine.discard",
    ]
