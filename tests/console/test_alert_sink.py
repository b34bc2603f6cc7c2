"""From findings to alerts: what is told apart, what is kept back, what has an effect only once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from haidang.console.alerts.intake import AlertSink
from haidang.console.alerts.models import Alert, Batch, Correlated, Example, Risk, RuleDay, Silence
from haidang.console.rules.models import RuleState
from haidang.console.sources.health import forget_minutes
from haidang.console.sources.models import Source, SourceMinute
from haidang.console.units.models import Asset, AssetName, Criticality
from haidang.findings.model import Finding, FindingRule, Match
from haidang.findings.model import Source as Origin
from haidang.ingest.detecting import Detected
from haidang.scanning.live import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.console.people.models import User
    from haidang.console.units.models import Unit

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
RULE = FindingRule("r-1", "Mimikatz", "high", "test", ("attack.credential-access", "attack.t1003.001"))


def finding(number: int, host: str = "DC01.bv.example", **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "id": f"{number:032x}",
        "rule": RULE,
        "time": "2026-11-30T08:59:00.000Z",
        "host": host,
        "source": Origin("1/7", number),
        "event": {"Image": "C:\\mimikatz.exe"},
        "matched": (Match("Image", "C:\\mimikatz.exe", "endswith '\\mimikatz.exe'"),),
    }
    return Finding(**{**values, **changes})


def batch(
    number: int,
    *findings: Finding,
    source: str = "1",
    members: Sequence[Member] = (),
    received: datetime = NOW,
) -> Detected:
    nanoseconds = int(received.timestamp() * 1e9)
    return Detected(number, source, nanoseconds, max(1, len(findings)), 100, 0, findings, members)


def sink(**options: Any) -> AlertSink:
    return AlertSink(clock=lambda: NOW, **options)


def test_findings_of_a_rule_on_an_entity_are_one_alert_with_twenty_examples() -> None:
    sink().apply([batch(1, *(finding(n) for n in range(25)))], ())
    sink().apply([batch(2, *(finding(n) for n in range(25, 30)), finding(30, "other"))], ())
    alert = Alert.objects.get(entity="dc01.bv.example")
    assert (alert.count, alert.examples.count(), alert.level) == (30, 20, 3)
    assert alert.techniques == ["T1003.001"]
    assert "mimikatz.exe" in alert.search
    assert Alert.objects.get(entity="other").count == 1
    assert alert.examples.first().finding["kind"] == "finding"


def test_a_batch_that_is_delivered_again_has_no_effect() -> None:
    for _ in range(3):
        sink().apply([batch(1, finding(1)), batch(2, finding(2))], ())
    assert Alert.objects.get().count == 2
    assert RuleDay.objects.get().findings == 2
    assert sink().position() == 2
    assert sorted(Batch.objects.values_list("number", flat=True)) == [1, 2]


def test_findings_far_apart_and_those_after_closing_make_new_alerts() -> None:
    early = finding(1, time="2026-11-27T08:00:00.000Z")
    sink().apply([batch(1, early, finding(2))], ())
    assert sorted(Alert.objects.values_list("count", flat=True)) == [1, 1]
    Alert.objects.update(state=Alert.State.CLOSED)
    sink().apply([batch(2, finding(3))], ())
    assert Alert.objects.filter(state=Alert.State.NEW).get().count == 1


def test_a_window_reaches_from_the_last_finding_on() -> None:
    for number, hour in enumerate((1, 20, 40), start=1):
        time = (NOW - timedelta(hours=50 - hour)).isoformat().replace("+00:00", "Z")
        sink().apply([batch(number, finding(number, time=time))], ())
    assert Alert.objects.get().count == 3


def test_an_event_from_the_future_counts_when_it_was_received() -> None:
    sink().apply([batch(1, finding(1, time="9999-12-31T23:59:59.000Z"), finding(2, time=None))], ())
    assert Alert.objects.get().last_seen == NOW
    sink().apply([batch(2, finding(3, time="0001-01-01T00:00:00.000Z"))], ())
    assert Alert.objects.get().first_seen == NOW


def test_findings_of_a_rule_that_is_off_are_dropped_and_counted(analyst: User) -> None:
    RuleState.objects.create(rule="r-1", enabled=False, reason="ồn", by=analyst)
    sink().apply([batch(1, finding(1), finding(2))], ())
    assert not Alert.objects.exists()
    assert (RuleDay.objects.get().findings, RuleDay.objects.get().off) == (2, 2)


@pytest.mark.parametrize(
    ("rule", "entity", "holds"),
    [("r-1", "", True), ("", "dc*.bv.example", True), ("r-1", "dc02*", False), ("r-2", "", False)],
)
def test_a_silence_keeps_back_what_it_names(analyst: User, rule: str, entity: str, *, holds: bool) -> None:
    silence = Silence.objects.create(
        rule=rule, entity=entity, reason="thử", by=analyst, until=NOW + timedelta(hours=1)
    )
    sink().apply([batch(1, finding(1), finding(2))], ())
    silence.refresh_from_db()
    assert Alert.objects.exists() is not holds
    assert silence.hits == (2 if holds else 0)
    assert (silence.last_hit == NOW) is holds


def test_a_silence_holds_for_its_unit_and_until_its_end(analyst: User, hospital: Unit, school: Unit) -> None:
    Silence.objects.create(reason="a", by=analyst, unit=school, until=NOW + timedelta(hours=1))
    Silence.objects.create(reason="b", by=analyst, until=NOW - timedelta(seconds=1))
    source = Source.objects.create(unit=hospital, name="dc")
    sink().apply([batch(1, finding(1), source=str(source.pk))], ())
    assert Alert.objects.get().unit == hospital
    other = Source.objects.create(unit=school, name="pc")
    sink().apply([batch(2, finding(1), source=str(other.pk))], ())
    assert Alert.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "value", "host"),
    [
        ("host", "dc01.bv.example", "DC01.BV.example."),
        ("host", "DC01", "dc01.bv.example"),
        ("host", "dc01.bv.example", "DC01"),
        ("network", "10.1.0.0/16", "10.1.2.3"),
        ("network", "2001:db8::/32", "2001:DB8::1"),
        ("domain", "bv.example", "pc7.lab.bv.example"),
    ],
)
def test_an_asset_is_known_by_its_names(hospital: Unit, kind: str, value: str, host: str) -> None:
    asset = Asset.objects.create(unit=hospital, name="Máy", criticality=Criticality.CRITICAL)
    AssetName.objects.create(asset=asset, kind=kind, value=value)
    source = Source.objects.create(unit=hospital.parent, name="trung tâm")
    sink().apply([batch(1, finding(1, host), source=str(source.pk))], ())
    alert = Alert.objects.get()
    assert (alert.asset, alert.unit, alert.source) == (asset, hospital, source)
    assert alert.risk == 60


def test_a_source_speaks_for_its_own_unit_alone(hospital: Unit, school: Unit) -> None:
    asset = Asset.objects.create(unit=hospital, name="PC01")
    AssetName.objects.create(asset=asset, kind="host", value="pc01")
    sources = [Source.objects.create(unit=unit, name=unit.code) for unit in (hospital, school)]
    sink().apply([batch(n, finding(n, "PC01"), source=str(one.pk)) for n, one in enumerate(sources, 1)], ())
    assert set(Alert.objects.values_list("unit", "asset")) == {(hospital.pk, asset.pk), (school.pk, None)}
    assert Risk.objects.filter(entity="pc01").count() == 2


def test_the_smallest_network_names_the_asset(hospital: Unit) -> None:
    for value in ("10.0.0.0/8", "10.1.2.0/24", "10.1.0.0/16"):
        asset = Asset.objects.create(unit=hospital, name=value)
        AssetName.objects.create(asset=asset, kind="network", value=value)
    source = Source.objects.create(unit=hospital, name="s")
    sink().apply([batch(1, finding(1, "10.1.2.3"), source=str(source.pk))], ())
    assert Alert.objects.get().asset.name == "10.1.2.0/24"


def test_a_score_halves_in_a_day_and_does_not_drown_in_a_noisy_rule() -> None:
    sink().apply([batch(1, finding(1))], ())
    assert Risk.objects.get().score == pytest.approx(20)
    later = AlertSink(clock=lambda: NOW + timedelta(days=1))
    later.apply([batch(2, finding(2, "dc01.bv.example", rule=FindingRule("r-2", "B", "low", "", ())))], ())
    assert Risk.objects.get().score == pytest.approx(11)
    sink().apply([batch(3, *(finding(n, "noisy") for n in range(1023)))], ())
    assert Risk.objects.get(entity="noisy").score == pytest.approx(200)


@pytest.mark.parametrize(
    ("changes", "kind", "entity"),
    [
        ({"host": "", "event": {"User": "BV\\an"}}, "user", "an"),
        ({"host": "", "event": {"SourceIp": "10.0.0.7"}}, "address", "10.0.0.7"),
        ({"host": "", "event": {}}, "source", "1"),
        ({"host": "", "group": {"TargetUserName": "AN", "Ip": "10.0.0.9"}}, "group", "an, 10.0.0.9"),
        ({"host": "", "group": {"IpAddress": "10.0.0.9"}}, "address", "10.0.0.9"),
        ({"host": "MÁY\0\udcff"}, "host", "máy\N{SYMBOL FOR NULL}\\udcff"),
    ],
)
def test_an_alert_is_about_the_nearest_thing_that_is_named(
    changes: dict[str, Any], kind: str, entity: str
) -> None:
    sink().apply([batch(1, finding(1, **changes))], ())
    alert = Alert.objects.get()
    assert (alert.entity_kind, alert.entity) == (kind, entity)


def test_whatever_a_log_holds_can_be_kept() -> None:
    hostile = {"a\0": "x\0y", "b": "\udcff", "c": float("nan"), "d": [float("inf"), {"e": 10**40}]}
    long = FindingRule("", "T" * 500, "nonsense", "", ("attack.t1003\0",))
    sink().apply([batch(1, finding(1, "h" * 9000, event=hostile, rule=long))], ())
    kept = Example.objects.get().finding["event"]
    assert kept["a\N{SYMBOL FOR NULL}"] == "x\N{SYMBOL FOR NULL}y"
    assert (kept["b"], kept["c"], kept["d"][1]["e"]) == ("\\udcff", "nan", 10**40)
    alert = Alert.objects.get()
    assert (len(alert.entity), len(alert.title), len(alert.rule), alert.level) == (255, 300, 200, 2)


def test_long_names_that_differ_at_their_end_stay_apart() -> None:
    sink().apply([batch(1, finding(1, "h" * 300 + "a"), finding(2, "h" * 300 + "b"))], ())
    assert Alert.objects.count() == 2


def test_a_correlation_found_again_has_no_second_effect_but_its_true_count() -> None:
    found = finding(1, origin="correlation", group={"User": "an"}, count=5, members=("a",))
    sink().apply([batch(1)], [found])
    sink().apply([], [finding(1, origin="correlation", group={"User": "an"}, count=9, members=("a",))])
    assert Alert.objects.get().count == 1
    assert Example.objects.get().finding["count"] == 9
    assert Correlated.objects.get().alert == Alert.objects.get()


def test_members_come_back_batch_by_batch_and_old_ones_go() -> None:
    def member(second: int) -> Member:
        return Member("r", second * 10**9, {"User": "an", "n": [1]}, ("id", "h", "1/7", 3))

    start = int(NOW.timestamp())
    one = sink(looks_back=3600 * 10**9)
    for number, second in ((1, start - 9000), (2, start - 3000), (3, 250_000_000_000), (64, start)):
        one.apply([batch(number, members=[member(second), member(second)])], ())
    kept = list(sink().members())
    assert [len(members) for members in kept] == [2, 2, 2]
    assert kept[0][0] == member(start - 3000)
    assert kept[1][0].time == 250_000_000_000 * 10**9


def test_counts_what_sources_sent_and_when_they_were_heard(hospital: Unit) -> None:
    source = Source.objects.create(unit=hospital, name="s")
    received = NOW - timedelta(seconds=3)
    one = sink()
    one.apply([batch(1, source=str(source.pk), received=received)], ())
    one.apply([batch(2, source=str(source.pk), received=received + timedelta(seconds=1))], ())
    minute = SourceMinute.objects.get()
    assert (minute.events, minute.size, minute.lag) == (2, 200, pytest.approx(3))
    source.refresh_from_db()
    assert source.last_seen == received + timedelta(seconds=1)


def test_what_was_counted_weeks_ago_is_forgotten(hospital: Unit) -> None:
    source = Source.objects.create(unit=hospital, name="s")
    for days in (0, 13, 15, 400):
        SourceMinute.objects.create(source=source, minute=NOW - timedelta(days=days))
    assert forget_minutes(NOW) == 2
    assert SourceMinute.objects.count() == 2


def test_what_the_database_refuses_becomes_an_alarm_and_the_rest_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A rule's level past what the database can hold stands for whatever it refuses.
    from django.db import DataError

    from haidang.console.alerts import merging
    from haidang.console.alerts.writing import write as written

    def refusing(rows: Any, fields: Any) -> None:
        rows = list(rows)
        if any(isinstance(row, Alert) and row.entity == "bad" for row in rows):
            raise DataError("refused")
        written(rows, fields)

    monkeypatch.setattr(merging, "write", refusing)
    sink().apply(
        [batch(1, finding(1, "good")), batch(2, finding(2, "bad")), batch(3, finding(3, "good"))], ()
    )
    assert Alert.objects.get(entity="good").count == 2
    assert Alert.objects.get(rule="haidang.lost-batch").entity == "batch 2"
    assert sink().position() == 3


def test_asks_the_database_little_for_many_findings(django_assert_max_num_queries: Any) -> None:
    one = sink()
    one.apply([batch(1, finding(0))], ())
    with django_assert_max_num_queries(60):
        one.apply([batch(2, *(finding(n, f"h{n % 500}") for n in range(5000)))], ())
    assert Alert.objects.count() == 501


def test_silences_are_compared_as_they_are_written(analyst: User) -> None:
    Silence.objects.create(
        entity="DC[01]?", reason="x", by=analyst, until=timezone.now() + timedelta(days=9999)
    )
    sink().apply([batch(1, finding(1, "dc[01]?"), finding(2, "dc0x"))], ())
    assert Alert.objects.get().entity == "dc0x"
