"""Channels as people set them up: seen by whom they concern, on record, and their secrets said once."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection
from django.test import Client

from haidang.console.alerts.models import Alert, Channel, Outgoing
from haidang.console.alerts.notify import channels, letters
from haidang.console.alerts.notify.problems import problem_said
from haidang.console.alerts.notify.queueing import queue
from haidang.console.alerts.notify.sending import send_due
from haidang.console.audit.models import Entry
from haidang.console.lockbox import LockboxError, opened, sealed
from haidang.console.people.models import User
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.service.resealing import reseal
from tests.console.api.conftest import NOW, caller
from tests.console.notify.receivers import web_server
from tests.console.requests import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.fixtures import Settings

    from haidang.console.units.models import Unit
    from tests.console.api.conftest import Caller

pytestmark = pytest.mark.django_db
__all__ = ["caller"]

HOOK = {"name": "SIEM", "kind": "webhook", "target": "https://siem.example/s3cret-path"}


@pytest.fixture
def lead(db: None) -> User:
    return User.objects.create_user("duc", role="lead")


@pytest.fixture
def hospital_lead(hospital: Unit) -> User:
    return User.objects.create_user("hoa", role="lead", unit=hospital)


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend=django_settings.AUTHENTICATION_BACKENDS[1])
    return client


def alert(unit: Unit | None, title: str = "t") -> Alert:
    made: Alert = Alert.objects.create(
        rule="r", title=title, level=3, entity="pc-1", unit=unit, first_seen=NOW, last_seen=NOW
    )
    return made


def dead(channel: Channel, unit: Unit | None) -> Outgoing:
    made: Outgoing = Outgoing.objects.create(
        channel=channel, alert=alert(unit), due=NOW, state="dead", attempts=8, problem="answered|503"
    )
    return made


def actions_on_channels() -> list[str]:
    rows = Entry.objects.filter(object_kind="channel").order_by("number")
    return list(rows.values_list("action", flat=True))


def everything_logged() -> str:
    return str(list(Entry.objects.values_list("before", "after", "object_name")))


def test_a_secret_is_said_once_and_kept_sealed(lead: User) -> None:
    request = request_of(lead)
    made, secret = channels.add_channel(request, HOOK)
    assert secret.startswith("whsec_")
    assert made.signing_secret == secret
    anew = channels.renew_secret(request, made)
    assert made.signing_secret == anew != secret
    channels.change_channel(request, made, {"target": "https://siem.example/other-path"})
    channels.change_channel(request, made, {"target": "https://siem.example/other-path"})
    assert list(Entry.objects.order_by("number").values_list("action", flat=True)) == [
        "channel.add",
        "channel.secret",
        "channel.edit",
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM alerts_channel")
        kept = str(cursor.fetchall())
    for hidden in (secret, anew, secret[6:30], anew[6:30]):
        assert hidden not in kept + everything_logged()
    assert "-path" not in everything_logged()
    assert "https://siem.example/…" in everything_logged()


def test_a_key_that_is_replaced_opens_until_all_is_sealed_anew(settings: Settings, lead: User) -> None:
    made, secret = channels.add_channel(request_of(lead), HOOK)
    first = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key", [first]
    made.refresh_from_db()
    assert made.signing_secret == secret
    assert (reseal(), reseal()) == (1, 0)
    settings.SECRET_KEY_FALLBACKS = []
    made.refresh_from_db()
    assert made.signing_secret == secret
    settings.SECRET_KEY = "lost"
    assert reseal() == 0
    with pytest.raises(LockboxError):
        opened(made.secret)
    # What cannot be signed is not sent, and says why; nothing else stops.
    queue([alert(None)], NOW)
    assert send_due(NOW) == 0
    assert Outgoing.objects.get().problem == "secret|"


def test_secrets_of_before_are_sealed_by_the_migration_and_opened_backwards() -> None:
    migration = import_module("haidang.console.alerts.migrations.0009_seal_channel_secrets")
    editor: Any = SimpleNamespace(connection=connection)
    one = Channel.objects.create(**HOOK, secret="whsec_cGxhaW4=")
    two = Channel.objects.create(**{**HOOK, "name": "other"}, secret=sealed("whsec_b3RoZXI="))
    migration._seal(apps, editor)
    migration._seal(apps, editor)
    one.refresh_from_db()
    assert one.secret.startswith("gAAAA")
    assert one.signing_secret == "whsec_cGxhaW4="
    migration._open(apps, editor)
    secrets = Channel.objects.order_by("pk").values_list("secret", flat=True)
    assert list(secrets) == ["whsec_cGxhaW4=", "whsec_b3RoZXI="]
    assert two.pk


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("target", {"kind": "email", "target": "a@tinh.example, not an address"}),
        ("target", {"kind": "email", "target": " , "}),
        ("target", {"kind": "email", "target": ",".join(f"a{n}@b.example" for n in range(51))}),
        ("target", {"target": "ftp://siem.example/"}),
        ("target", {"target": "https:///no-host"}),
        ("target", {"target": "https://mai:mat-khau@siem.example/"}),
        ("target", {"target": "https://siem.example/a b"}),
        ("target", {"target": "https://siem.example/…"}),
        ("target", {"target": "https://siem.example:99999/"}),
        ("quiet_until", {"quiet_from": "22:00"}),
        ("name", {"name": ""}),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_is_entered(
    lead: User, field: str, values: dict[str, str]
) -> None:
    form = {**HOOK, "language": "vi", "min_level": "3", "urgent_level": "4", "digest_minutes": "0", **values}
    answer = signed_in(lead).post("/channels/new/", form)
    assert answer.status_code == 400
    assert field in answer.context["form"].errors
    assert not Channel.objects.exists()


def test_a_channel_is_set_up_tried_switched_and_removed_on_its_pages(lead: User) -> None:
    client = signed_in(lead)
    form = {**HOOK, "language": "vi", "min_level": "2", "urgent_level": "4", "digest_minutes": "30",
            "quiet_from": "22:00", "quiet_until": "06:30", "enabled": "on"}  # fmt: skip
    with web_server() as posts:
        answer = client.post("/channels/new/", {**form, "target": f"{posts.url}?key=s3cret"})
        secret = re.search(r'value="(whsec_[^"]+)"', answer.content.decode())
        assert secret is not None
        assert answer.headers["Cache-Control"] == "no-store"
        one = Channel.objects.get()
        shown = client.post(f"/channels/{one.pk}/test/", follow=True).content.decode()
        assert "The test message was taken" in shown
        assert b'"type":"channel.test"' in posts.got[0].body
        posts.status = 403
        shown = client.post(f"/channels/{one.pk}/test/", follow=True).content.decode()
    assert "The test message was not taken. The receiver answered 403." in shown
    assert "Failing since" in shown
    listed = client.get("/channels/").content.decode()
    assert "22:00 – 06:30" in listed
    assert "every 30 minutes" in listed
    for page in (shown, listed):
        assert "s3cret" not in page
        assert secret[1] not in page
    assert "s3cret" in client.get(f"/channels/{one.pk}/edit/").content.decode()
    client.post(f"/channels/{one.pk}/switch/", {"enabled": "0"})
    one.refresh_from_db()
    assert not one.enabled
    client.get(f"/channels/{one.pk}/remove/")
    assert Channel.objects.exists()
    client.post(f"/channels/{one.pk}/remove/")
    assert not Channel.objects.exists()
    assert "s3cret" not in everything_logged()
    assert actions_on_channels() == [
        "channel.add", "channel.test", "channel.test", "channel.edit", "channel.remove",
    ]  # fmt: skip


def test_who_is_bound_to_a_unit_tells_of_it_and_nothing_else(
    hospital_lead: User, hospital: Unit, school: Unit, province: Unit
) -> None:
    request = request_of(hospital_lead)
    for unit in (None, school, province):
        with pytest.raises(RefusedError):
            channels.add_channel(request, {**HOOK, "unit": unit})
    made, _secret = channels.add_channel(request, {**HOOK, "unit": hospital})
    for_all = Channel.objects.create(name="all", kind="email", target="a@b.example")
    assert [one.pk for one in channels.channels_of(hospital_lead)] == [made.pk]
    with pytest.raises(RefusedError):
        channels.change_channel(request, made, {"unit": None})
    own, foreign, of_all = dead(made, hospital), dead(made, school), dead(for_all, hospital)
    assert list(letters.dead_letters(hospital_lead)) == [own]
    for other in (foreign, of_all):
        with pytest.raises(MissingError):
            letters.discard(request, [own.pk, other.pk])
    assert Outgoing.objects.count() == 3


def test_dead_letters_are_sent_again_or_discarded_each_on_record(lead: User, hospital: Unit) -> None:
    one = Channel.objects.create(name="mail", kind="email", target="a@b.example")
    first, second, third = (dead(one, hospital) for _ in range(3))
    client = signed_in(lead)
    assert "The receiver answered 503." in client.get(f"/channels/dead/?channel={one.pk}").content.decode()
    client.post("/channels/dead/act/", {"action": "retry", "letter": [first.pk, second.pk]})
    client.post("/channels/dead/act/", {"action": "discard", "letter": [third.pk], "channel": one.pk})
    assert not Outgoing.objects.filter(pk=third.pk).exists()
    assert list(Entry.objects.order_by("number").values_list("action", "object_id", "unit_path")) == [
        ("outgoing.retry", str(first.pk), hospital.path),
        ("outgoing.retry", str(second.pk), hospital.path),
        ("outgoing.discard", str(third.pk), hospital.path),
    ]
    assert send_due() == 1
    assert len(mail.outbox) == 1
    assert set(Outgoing.objects.values_list("state", flat=True)) == {"sent"}
    Channel.objects.update(enabled=False)
    fourth = dead(one, hospital)
    with pytest.raises(RefusedError):
        letters.retry(request_of(lead), [fourth.pk])


def test_the_api_does_what_the_pages_do_and_says_no_secret(
    lead: User, analyst: User, hospital: Unit, caller: Callable[..., Caller]
) -> None:
    boss, other = caller(lead), caller(analyst)
    made = boss.post(
        "/channels", {**HOOK, "unit": hospital.pk, "quiet_from": "22:00", "quiet_until": "05:00"}, 201
    )
    key, secret = made["channel"]["id"], made["secret"]
    assert other.ask("post", "/channels", HOOK).status_code == 403
    assert boss.ask("patch", f"/channels/{key}", {"target": made["channel"]["target"]}).status_code == 422
    assert (
        boss.ask("patch", f"/channels/{key}", {"target": "http://127.0.0.1:1/s3cret-too"}).status_code == 200
    )
    trial = boss.post(f"/channels/{key}/test")
    assert not trial["delivered"]
    assert trial["problem"]
    assert "127.0.0.1" not in trial["problem"]
    letter = dead(Channel.objects.get(), hospital)
    shown = [other.ask("get", path) for path in ("/channels", f"/channels/{key}", "/dead-letters")]
    said = b"".join(answer.content for answer in shown)
    assert [answer.status_code for answer in shown] == [200] * 3
    assert b'"dead": 1' in said
    for hidden in (secret.encode(), b"s3cret"):
        assert hidden not in said
    assert other.ask("post", "/dead-letters/retry", {"letters": [letter.pk]}).status_code == 403
    assert boss.post("/dead-letters/retry", {"letters": [letter.pk]}) == {"count": 1}
    assert boss.ask("post", "/dead-letters/discard", {"letters": [letter.pk]}).status_code == 404
    assert boss.post(f"/channels/{key}/secret")["secret"] != secret
    assert boss.ask("delete", f"/channels/{key}").status_code == 204


def test_every_problem_is_said_in_vietnamese_and_what_is_none_stays() -> None:
    from django.utils import translation

    with translation.override("vi"):
        assert problem_said("slow|10") == "Bên nhận không trả lời trong 10 giây."
        assert problem_said("OSError: x") == "OSError: x"
        assert problem_said("") == ""
