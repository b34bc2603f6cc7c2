"""New alerts are told: to whom they concern, when they may, signed, and until they are taken."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, time, timedelta
from time import monotonic as time_now
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from haidang.console.alerts.alarms import ALARMS, FAILING_CHANNEL, QUIET_SOURCE, Alarm, alarm
from haidang.console.alerts.models import Alert, Channel, Outgoing
from haidang.console.alerts.notify import sending
from haidang.console.alerts.notify.models import new_secret
from haidang.console.alerts.notify.problems import DeliveryError, problem_said
from haidang.console.alerts.notify.queueing import due, queue
from haidang.console.alerts.notify.sending import forget_sent, send_again, send_due
from haidang.console.alerts.notify.webhook import post
from haidang.console.alerts.notify.wording import mail, payload
from haidang.console.alerts.notify.wording import test_mail as trial_mail
from haidang.console.alerts.rulebook import Rulebook
from tests.console.notify.receivers import Mails, Posts, mail_server, slow_server, web_server
from tests.ingest.syslog.small_ca import SmallAuthority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django.fixtures import Settings

    from haidang.console.units.models import Unit

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
ENGLISH = re.compile(
    r"\b(the|alerts?|unit|last|first|seen|about|findings|of|new|and|this|sent|high|medium|source|channel|more|test)\b"
)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
def posts() -> Iterator[Posts]:
    with web_server() as server:
        yield server


@pytest.fixture
def mails(settings: Settings) -> Iterator[Mails]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "haidang@tinh.example"
        settings.PUBLIC_URL = "https://console.example"
        yield server


def made(title: str = "Mimikatz", level: int = 3, unit: Unit | None = None, **values: Any) -> Alert:
    alert: Alert = Alert.objects.create(
        rule="r", title=title, level=level, entity="dc01", unit=unit, first_seen=NOW, last_seen=NOW, **values
    )
    return alert


def channel(kind: str, target: str, **values: Any) -> Channel:
    one: Channel = Channel.objects.create(name=f"{kind} {target}"[:100], kind=kind, target=target, **values)
    return one


def hook_of() -> Channel:
    one: Channel = Channel.objects.get()
    return one


def test_a_webhook_is_signed_as_the_standard_has_it(posts: Posts, hospital: Unit) -> None:
    hook = channel("webhook", posts.url)
    alert = made(unit=hospital)
    queue([alert], NOW)
    assert send_due(NOW) == 1
    (got,) = posts.got
    headers = got.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + got.body
    key = b64decode(hook.signing_secret.removeprefix("whsec_"))
    expected = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    told = json.loads(got.body)
    assert told["id"] == headers["webhook-id"]
    assert told["data"]["alerts"][0]["id"] == alert.pk
    assert told["data"]["alerts"][0]["unit"] == "BV"
    assert send_due(NOW + timedelta(days=1)) == 0
    assert Outgoing.objects.get().state == Outgoing.State.SENT


def test_a_mail_says_what_and_where_in_the_channels_language(mails: Mails) -> None:
    channel("email", "truc@tinh.example, truc2@tinh.example", language="vi")
    alert = made("Mimikatz\r\nBcc: evil@example", entity_kind="host")
    queue([alert], NOW)
    assert send_due(NOW) == 1
    assert mails.recipients == ["truc@tinh.example", "truc2@tinh.example"]
    message = email.message_from_bytes(mails.texts[0], policy=email.policy.default)
    assert message["Bcc"] is None
    assert (
        "Mimikatz\N{SYMBOL FOR CARRIAGE RETURN}\N{SYMBOL FOR LINE FEED}Bcc: evil@example: dc01"
        in message["Subject"]
    )
    text = message.get_content()
    assert f"https://console.example/alerts/{alert.pk}/" in text
    assert "30/11/2026 16:00:00" in text
    assert "Cao" in text


def test_several_at_once_are_one_mail_the_gravest_first(mails: Mails) -> None:
    channel("email", "truc@tinh.example", language="en")
    queue([made(f"Rule {n}", level=3 + (n == 59)) for n in range(60)], NOW)
    assert send_due(NOW) == 1
    message = email.message_from_bytes(mails.texts[0], policy=email.policy.default)
    assert message["Subject"] == "[Critical] 60 new alerts"
    text = message.get_content()
    assert text.startswith("Critical: Rule 59")
    assert "… and 10 more." in text


def test_what_is_not_taken_is_tried_again_with_the_same_id_then_kept(posts: Posts) -> None:
    channel("webhook", posts.url)
    queue([made()], NOW)
    posts.status = 503
    now, pauses = NOW, []
    for _ in range(20):
        assert send_due(now) == 0
        outgoing = Outgoing.objects.get()
        if outgoing.state == Outgoing.State.DEAD:
            break
        assert send_due(outgoing.due - timedelta(seconds=1)) == 0
        pauses.append((outgoing.due - now).total_seconds())
        now = outgoing.due
    assert pauses == [30, 120, 480, 1920, 7680, 21600, 21600]
    assert len(posts.got) == 8
    assert len({post.headers["webhook-id"] for post in posts.got}) == 1
    # People are told of it where they work, but not through the channel that fails.
    failing = Alert.objects.get(rule=FAILING_CHANNEL.rule)
    assert (failing.entity, failing.first_seen, failing.last_seen) == (hook_of().name, NOW, now)
    with translation.override("vi"):
        assert problem_said(Outgoing.objects.get().problem) == "Bên nhận trả lời mã 503."
    assert hook_of().failing_since == NOW
    posts.status = 204
    assert send_due(now + timedelta(days=40)) == 0
    assert send_again(Outgoing.objects.all(), now) == 1
    assert send_due(now) == 1
    assert (hook_of().failing_since, hook_of().last_sent, hook_of().problem) == (None, now, "")


def test_a_digest_that_is_not_taken_is_tried_once_at_a_time(posts: Posts) -> None:
    channel("webhook", posts.url)
    queue([made(f"Rule {n}") for n in range(3)], NOW)
    posts.status = 500
    send_due(NOW)
    send_due(NOW + timedelta(seconds=30))
    assert len(posts.got) == 2
    assert {outgoing.attempts for outgoing in Outgoing.objects.all()} == {2}


@pytest.mark.parametrize(
    ("status", "said"),
    [(307, "redirected|307"), (404, "answered|404"), (500, "answered|500")],
)
def test_what_is_no_success_is_not_taken_and_a_redirect_not_followed(
    posts: Posts, status: int, said: str
) -> None:
    channel("webhook", posts.url)
    queue([made()], NOW)
    posts.status, posts.location = status, posts.url + "/elsewhere"
    assert send_due(NOW) == 0
    assert [post.path for post in posts.got] == ["/hook"]
    assert Outgoing.objects.get().problem == hook_of().problem == said


@pytest.mark.parametrize("busy", [False, True], ids=["silent", "sends for ever"])
def test_a_receiver_has_so_much_time_and_no_more(*, busy: bool) -> None:
    begun = time_now()
    with slow_server(busy=busy) as url, pytest.raises(DeliveryError) as error:
        post(url, new_secret(), "msg_1", 1, b"{}", seconds=0.3)
    assert error.value.kept == "slow|0.3"
    assert time_now() - begun < 5


def test_over_tls_the_certificate_must_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = SmallAuthority(tmp_path)
    with web_server(authority.issue("siem.example")) as posts:
        with pytest.raises(DeliveryError) as error:
            post(posts.url, new_secret(), "msg_1", 1, b"{}")
        assert error.value.kept.startswith("certificate|")
        assert not posts.got
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        post(posts.url, new_secret(), "msg_1", 1, b"{}")
        assert [one.body for one in posts.got] == [b"{}"]
        posts.status = 503
        with pytest.raises(DeliveryError, match="503"):
            post(posts.url, new_secret(), "msg_1", 1, b"{}")


def test_who_does_not_take_a_mail_does_not_keep_it_from_others_and_is_tried_again(mails: Mails) -> None:
    one = channel("email", "a@tinh.example, b@tinh.example; a@tinh.example\nc@tinh.example")
    mails.unknown = {"b@tinh.example"}
    queue([made()], NOW)
    assert send_due(NOW) == 0
    assert mails.recipients == ["a@tinh.example", "c@tinh.example"]
    assert mails.connections == 1
    outgoing = Outgoing.objects.get()
    assert (outgoing.state, outgoing.missed) == ("waiting", "b@tinh.example")
    assert outgoing.problem == "recipients|b@tinh.example (550 no such user)"
    mails.unknown = set()
    assert send_due(outgoing.due) == 1
    assert mails.recipients[2:] == ["b@tinh.example"]
    assert len({email.message_from_bytes(text)["Message-ID"] for text in mails.texts}) == 1
    one.refresh_from_db()
    assert (Outgoing.objects.get().state, one.failing_since) == ("sent", None)


def test_a_channel_that_fails_is_left_alone_for_half_a_minute(posts: Posts) -> None:
    channel("webhook", posts.url)
    posts.status = 500
    for number in range(3):
        queue([made(f"Rule {number}")], NOW + timedelta(seconds=number))
        send_due(NOW + timedelta(seconds=number))
    # The first fails; the others wait until it is tried again, or longer.
    assert len(posts.got) == 3
    sent_late = NOW + timedelta(seconds=10)
    queue([made("late 1"), made("late 2")], sent_late)
    posts.got.clear()
    Outgoing.objects.filter(attempts=0).update(due=sent_late, delivery="")
    Outgoing.objects.filter(attempts=1, pk=Outgoing.objects.order_by("pk")[0].pk).update(due=sent_late)
    assert send_due(sent_late) == 0
    assert len(posts.got) == 1
    assert not Outgoing.objects.filter(due__lt=sent_late + timedelta(seconds=20)).exists()


def test_no_log_and_no_reason_holds_the_address_of_a_webhook(caplog: pytest.LogCaptureFixture) -> None:
    channel("webhook", "http://127.0.0.1:1/s3cret-path")
    channel("webhook", "http://127.0.0.1:1/s3cret path?with=spaces")
    channel("webhook", "http://[s3cret")
    queue([made()], NOW)
    assert send_due(NOW) == 0
    problems = set(Outgoing.objects.values_list("problem", flat=True))
    assert problems == {"address|", "refused|"}
    said = "".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "s3cret" not in said
    assert caplog.records


def test_a_channel_that_fails_does_not_keep_others_waiting(posts: Posts, mails: Mails) -> None:
    channel("webhook", "http://127.0.0.1:1/closed")
    channel("webhook", "file:///etc/passwd")
    channel("webhook", posts.url)
    channel("email", "a@tinh.example")
    mails.refusing = True
    queue([made()], NOW)
    assert send_due(NOW) == 1
    problems = list(Outgoing.objects.exclude(problem="").values_list("problem", flat=True))
    assert len(problems) == 3
    assert any("451" in problem for problem in problems)


def test_killed_after_sending_it_is_the_same_message_again(
    posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel("webhook", posts.url)
    queue([made()], NOW)
    send = sending._send

    def killed(*arguments: Any) -> None:
        send(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(sending, "_send", killed)
    with pytest.raises(KeyboardInterrupt):
        send_due(NOW)
    monkeypatch.setattr(sending, "_send", send)
    queue([made("Another")], NOW)
    assert send_due(NOW) == 2
    ids = [post.headers["webhook-id"] for post in posts.got]
    assert ids[0] == ids[1] != ids[2]
    assert len(json.loads(posts.got[1].body)["data"]["alerts"]) == 1


def test_a_channel_hears_of_its_unit_and_levels_alone(province: Unit, hospital: Unit, school: Unit) -> None:
    mine = channel("webhook", "http://a/", unit=hospital, min_level=2)
    above = channel("webhook", "http://b/", unit=province)
    channel("webhook", "http://c/", enabled=False)
    alerts = [made("low", 1, hospital), made("medium", 2, hospital), made("high", 3, school), made("none", 4)]
    queue(alerts, NOW)
    told = set(Outgoing.objects.values_list("channel", "alert__title"))
    assert told == {(mine.pk, "medium"), (above.pk, "high")}


def test_an_alarm_is_told_as_any_alert() -> None:
    channel("webhook", "http://a/", min_level=2)
    alarm(QUIET_SOURCE, entity="firewall", now=NOW)
    alarm(QUIET_SOURCE, entity="firewall", now=NOW)
    assert Outgoing.objects.get().alert.entity == "firewall"


@pytest.mark.parametrize("kind", ALARMS.values(), ids=lambda kind: kind.rule)
def test_a_mail_in_vietnamese_has_no_english_words_of_ours(kind: Alarm, hospital: Unit) -> None:
    alarm(kind, entity="FW-01", now=NOW, since=NOW - timedelta(hours=2))
    alert = Alert.objects.get()
    alert.unit = hospital
    for told in (mail([alert], "vi"), mail([alert, alert], "vi"), trial_mail("FW-01", "vi")):
        text = f"{told.subject} {told.text}"
        assert kind.title not in text
        assert not ENGLISH.findall(text.lower())
    assert "Ghi nhận lần đầu: 30/11/2026 14:00:00" in mail([alert], "vi").text
    assert json.loads(payload([alert], "msg_1", "vi"))["data"]["alerts"][0]["title"] != kind.title


def test_a_title_is_told_in_the_language_of_the_channel() -> None:
    from haidang import load_rules

    book = Rulebook()
    book.know(load_rules().infos)
    rule = next(
        info for info in load_rules().infos if any(words.lang == "vi" and words.title for words in info.words)
    )
    with translation.override("vi"):
        assert book.title(rule.id, rule.title) != rule.title
    with translation.override("en"):
        assert book.title(rule.id, rule.title) == rule.title


@pytest.mark.parametrize(
    ("now", "level", "expected"),
    [
        ("30T23:30", 3, "01T07:00"),
        ("30T02:00", 3, "30T07:00"),
        ("30T02:00", 4, "30T02:00"),
        ("30T07:00", 3, "30T07:00"),
        ("30T21:59", 3, "30T21:59"),
        ("30T22:00", 3, "01T07:00"),
    ],
)
def test_quiet_hours_hold_over_midnight_but_not_for_what_is_urgent(
    now: str, level: int, expected: str
) -> None:
    night = Channel(quiet_from=time(22), quiet_until=time(7))
    moment = datetime.fromisoformat(f"2026-11-{now}+07:00").astimezone(UTC)
    month = 11 if expected.startswith("30") else 12
    assert due(night, level, moment, HANOI) == datetime.fromisoformat(f"2026-{month}-{expected}+07:00")


def test_a_digest_waits_for_its_turn_and_not_for_long() -> None:
    hourly = Channel(digest_minutes=60)
    assert due(hourly, 3, NOW + timedelta(minutes=5), HANOI) == NOW + timedelta(hours=1)
    assert due(hourly, 3, NOW + timedelta(minutes=59), HANOI) == NOW + timedelta(hours=1)
    assert due(hourly, 4, NOW + timedelta(minutes=5), HANOI) == NOW + timedelta(minutes=5)
    quiet = Channel(digest_minutes=60, quiet_from=time(17), quiet_until=time(18))
    assert due(quiet, 3, NOW + timedelta(minutes=5), HANOI) == NOW + timedelta(hours=2)


def test_what_was_sent_long_ago_is_forgotten() -> None:
    one = channel("webhook", "http://a/")
    Outgoing.objects.create(
        channel=one, alert=made(), due=NOW, state="sent", sent_at=NOW - timedelta(days=31)
    )
    Outgoing.objects.create(channel=one, alert=made(), due=NOW, state="dead")
    forget_sent(NOW)
    assert Outgoing.objects.get().state == "dead"


def test_a_mail_server_that_is_away_is_said_and_nobody_counts_as_told(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    channel("email", "a@tinh.example, b@tinh.example")
    queue([made()], NOW)
    assert send_due(NOW) == 0
    outgoing = Outgoing.objects.get()
    assert (outgoing.state, outgoing.missed, outgoing.problem) == ("waiting", "", "server|Connection refused")
