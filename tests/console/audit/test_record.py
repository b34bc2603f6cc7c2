"""The audit log: written with the change, numbered without gaps, and any rewriting is found."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.test import RequestFactory

from haidang.console.audit import checkpoints
from haidang.console.audit.checkpoints import EVERY_ENTRIES, EVERY_MINUTES, sign_now
from haidang.console.audit.entries import leaf_of, plain
from haidang.console.audit.models import Checkpoint, Entry, Head
from haidang.console.audit.record import Change, record, record_each
from haidang.console.audit.verifying import verify
from haidang.console.people.models import Token, User
from haidang.crypto.merkle import Tree

if TYPE_CHECKING:
    from haidang.console.units.models import Unit


def codes(kept: tuple[bytes, ...] = ()) -> list[str]:
    return [reason.code for reason in verify(kept).reasons]


def rebuilt_head() -> None:
    """Make the head fit the entries that are there, as somebody would who covers tracks."""
    tree = Tree()
    for entry in Entry.objects.order_by("number"):
        tree.append_leaf(bytes(entry.leaf))
    Head.objects.update(size=tree.size, peaks=tree.peaks)


def test_an_entry_says_who_did_what_to_what_and_where(analyst: User, hospital: Unit) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
    request.user = analyst
    entry = record(request, "unit.edit", hospital, {"name": "a"}, {"name": "b"})
    assert (entry.number, entry.actor, entry.address, entry.action) == (0, "an", "192.0.2.7", "unit.edit")
    assert (entry.object_kind, entry.object_id) == ("unit", str(hospital.pk))
    assert entry.object_name == hospital.name
    assert entry.unit_path == hospital.path
    assert (entry.before, entry.after) == ({"name": "a"}, {"name": "b"})


def test_what_a_token_does_is_told_from_what_its_owner_does(analyst: User) -> None:
    token, _ = Token.issue(analyst, "t" * 100, [], datetime(2030, 1, 1, tzinfo=UTC))
    request: Any = RequestFactory().get("/")
    request.user, request.token = analyst, token
    assert record(request, "a", "audit").actor == f"token {'t' * 100} of an"


@pytest.mark.django_db
def test_an_entry_read_back_has_the_same_leaf() -> None:
    values = {
        "số": 3.5,
        "huge": 10.0**22,
        "nul": "a\0b",
        "lone": "\ud800",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "set": {"b", "a"},
        "big": 10**15,
    }
    entry = record("service", "a", "audit", values)
    assert entry.before == {
        "số": "3.5",
        "huge": "1e+22",
        "nul": "a�b",
        "lone": "?",
        "at": "2026-01-01T00:00:00.000000+00:00",
        "set": ["a", "b"],
        "big": 10**15,
    }
    assert leaf_of(Entry.objects.get()) == bytes(entry.leaf)
    assert verify().holds


def test_plain_values_survive_json() -> None:
    value = plain({"a": (1, None, True, b"x")})
    assert json.loads(json.dumps(value)) == value


@pytest.mark.django_db
def test_a_change_that_is_rolled_back_leaves_neither_entry_nor_gap() -> None:
    def fails() -> None:
        with transaction.atomic():
            record("service", "b", "audit")
            raise KeyError

    record("service", "a", "audit")
    with pytest.raises(KeyError):
        fails()
    assert record("service", "c", "audit").number == 1
    assert verify().holds


@pytest.mark.django_db
def test_a_bulk_action_leaves_one_entry_for_each_record(hospital: Unit, school: Unit) -> None:
    entries = record_each("service", "unit.edit", [Change(hospital), Change(school)])
    assert [(entry.number, entry.object_id) for entry in Entry.objects.order_by("number")] == [
        (0, str(hospital.pk)),
        (1, str(school.pk)),
    ]
    assert len(entries) == 2
    assert record_each("service", "unit.edit", []) == []


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_when_several_write_at_once() -> None:
    errors: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(10):
                record("service", "a", "audit")
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test shows it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list(Entry.objects.order_by("number").values_list("number", flat=True)) == list(range(40))
    assert verify().holds


@pytest.mark.django_db
def test_a_checkpoint_is_signed_by_number_and_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime(2026, 11, 30, tzinfo=UTC)]
    monkeypatch.setattr("django.utils.timezone.now", lambda: now[0])
    record("service", "a", "audit")
    assert list(Checkpoint.objects.values_list("size", flat=True)) == [1]
    record("service", "a", "audit")
    assert Checkpoint.objects.count() == 1
    now[0] += timedelta(minutes=EVERY_MINUTES)
    record("service", "a", "audit")
    assert Checkpoint.objects.order_by("-size").first().size == 3  # type: ignore[union-attr]
    record_each("service", "a", [Change("audit")] * EVERY_ENTRIES)
    assert Checkpoint.objects.order_by("-size").first().size == 3 + EVERY_ENTRIES  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_checkpoint_of_all_entries_is_made_on_demand() -> None:
    assert sign_now() is None
    record_each("service", "a", [Change("audit")])
    record("service", "a", "audit")
    checkpoint = sign_now()
    assert checkpoint is not None
    assert checkpoint.size == 2
    assert sign_now() == checkpoint
    assert verify([checkpoint.note.encode()]).holds


@pytest.mark.django_db
def test_finds_an_altered_entry() -> None:
    record_each("service", "a", [Change("audit")] * 5)
    Entry.objects.filter(number=2).update(actor="nobody")
    assert codes()[0] == "log-entry-altered"


@pytest.mark.django_db
def test_finds_an_entry_altered_with_its_leaf_and_the_head() -> None:
    record_each("service", "a", [Change("audit")] * 5)
    entry = Entry.objects.get(number=2)
    entry.actor = "nobody"
    entry.leaf = leaf_of(entry)
    entry.save()
    rebuilt_head()
    assert codes() == ["log-altered"]


@pytest.mark.django_db
def test_finds_an_entry_that_was_taken_away() -> None:
    record_each("service", "a", [Change("audit")] * 5)
    Entry.objects.filter(number=2).delete()
    assert "log-entry-missing" in codes()


@pytest.mark.django_db
def test_finds_an_end_that_was_cut_off() -> None:
    record_each("service", "a", [Change("audit")] * 5)
    Entry.objects.filter(number__gte=3).delete()
    assert set(codes()) == {"log-cut"}
    rebuilt_head()
    assert codes() == ["log-cut"], "the checkpoint of the service still says so"


@pytest.mark.django_db
def test_a_checkpoint_of_others_finds_what_was_rewritten_as_a_whole() -> None:
    record_each("service", "a", [Change("audit")] * 5)
    kept = sign_now()
    assert kept is not None
    Entry.objects.filter(number__gte=3).delete()
    Checkpoint.objects.all().delete()
    rebuilt_head()
    assert codes() == []
    assert codes((kept.note.encode(),)) == ["log-cut"]
    record_each("service", "b", [Change("audit")] * 4)
    assert codes((kept.note.encode(),)) == ["log-altered"]


@pytest.mark.django_db
def test_a_checkpoint_that_was_forged_does_not_hold() -> None:
    record("service", "a", "audit")
    assert codes((b"haidang/audit/0\n1\nAAAA\n\n",)) == ["checkpoint-unsound"]


def test_the_key_is_readable_by_nobody_else(settings: Any) -> None:
    checkpoints.signing_key()
    assert (settings.DATA / "audit-key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_finds_an_entry_that_was_put_behind_the_end() -> None:
    entry = record("service", "a", "audit")
    entry.number = 1
    entry.leaf = leaf_of(entry)
    entry.save(force_insert=True)
    assert codes() == ["log-entry-beyond"]
