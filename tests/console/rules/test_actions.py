"""Rules: switched with a reason, tried on events, measured by what people say of their alerts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from haidang import load_rules
from haidang.console.alerts.models import Alert
from haidang.console.audit.models import Entry
from haidang.console.people.models import User
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.rules import actions, catalogue
from haidang.console.rules.models import RuleState
from haidang.console.service import telling
from haidang.console.service.configuration import Configuration
from tests.console.requests import request_of

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.console.units.models import Unit

EVENT = '{"EventID": 4104, "Channel": "x", "ScriptBlockText": "Invoke-Hoa"}'
RULE = """
title: Hoa
id: 6a6d5b3c-2f0e-4a44-9d1a-2b1f3c4d5e6f
logsource: {category: process_creation, product: windows}
detection:
  one: {CommandLine|contains: hoa-hong}
  condition: one
level: high
"""
SYSMON = (
    '{"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational",'
    ' "Image": "C:\\\\x.exe", "CommandLine": "x hoa-hong"}\n'
)


@pytest.fixture
def lead(db: None) -> User:
    return User.objects.create(username="lead", role="lead")


def name_of_one() -> str:
    return next(iter(catalogue.loaded().by_name))


def test_a_rule_is_switched_with_a_reason_that_is_recorded(lead: User) -> None:
    rule = name_of_one()
    actions.switch(request_of(lead), rule, enabled=False, reason=" ồn ")
    assert RuleState.objects.get().reason == "ồn"
    entry = catalogue.entry_of(lead, rule)
    assert entry is not None
    assert not entry.enabled
    said = Entry.objects.get()
    assert said.before == {"enabled": True, "reason": ""}
    assert said.after == {"enabled": False, "reason": "ồn"}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_a_switch_without_a_reason_is_refused(lead: User, reason: str) -> None:
    with pytest.raises(RefusedError):
        actions.switch(request_of(lead), name_of_one(), enabled=False, reason=reason)


def test_a_rule_that_is_not_loaded_is_not_switched(lead: User) -> None:
    with pytest.raises(MissingError):
        actions.switch(request_of(lead), "no-such-rule", enabled=False, reason="x")


def test_who_works_for_one_unit_switches_nothing_for_all(hospital: Unit) -> None:
    bound = User.objects.create(username="b", role="lead", unit=hospital)
    with pytest.raises(RefusedError):
        actions.switch(request_of(bound), name_of_one(), enabled=False, reason="x")


def test_a_pasted_rule_finds_in_pasted_events() -> None:
    tried = actions.try_on_events(SYSMON * 2, text=RULE)
    assert (tried.records, tried.total) == (2, 2)
    assert tried.findings[0].rule.title == "Hoa"
    assert actions.try_on_events(SYSMON.replace("hoa-hong", "x"), text=RULE).total == 0


def test_what_cannot_be_tried_is_refused(db: None) -> None:
    for given in (
        {"events": ""},
        {"events": "x" * (actions.MOST_EVENTS_BYTES + 1)},
        {"events": EVENT, "format_name": "none"},
        {"events": EVENT, "text": "title: x"},
        {"events": EVENT, "text": "a: [b"},
        {"events": EVENT, "text": "x" * (actions.MOST_RULE_BYTES + 1)},
    ):
        with pytest.raises(RefusedError):
            actions.try_on_events(**given)
    with pytest.raises(MissingError):
        actions.try_on_events(EVENT, rule="no-such-rule")


def test_noise_is_what_was_judged_false_of_what_was_judged(
    lead: User, liaison: User, hospital: Unit, school: Unit
) -> None:
    now = timezone.now()
    for unit, state, disposition, days in (
        (hospital, "closed", "false-positive", 1),
        (hospital, "closed", "true-positive", 1),
        (hospital, "new", "", 1),
        (school, "closed", "false-positive", 1),
        (hospital, "closed", "false-positive", catalogue.NOISE_DAYS + 1),
    ):
        Alert.objects.create(
            rule="r",
            title="t",
            level=3,
            entity="e",
            unit=unit,
            first_seen=now,
            last_seen=now,
            created=now - timedelta(days=days),
            count=10,
            state=state,
            disposition=disposition,
        )
    seen = catalogue.noise(lead)["r"]
    assert (seen.alerts, seen.findings, seen.judged, seen.false) == (4, 40, 3, 2)
    assert seen.false_ratio == pytest.approx(2 / 3)
    assert catalogue.noise(liaison)["r"].false_percent == 50
    assert catalogue.Noise().false_ratio is None


def test_the_rules_shown_are_those_that_the_detector_has_loaded(lead: User, tmp_path: Path) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(lead)
    (tmp_path / "own.yml").write_text(RULE)
    builtin = len(catalogue.loaded().by_name)
    assert catalogue.origin().detector is None

    def tell(**values: Any) -> None:
        telling.rules(catalogue.loaded().ruleset, Configuration(**values))

    tell(rules=(tmp_path,))
    assert [info.title for info in catalogue.loaded().by_name.values()] == ["Hoa"]
    page = client.get("/rules/").content.decode()
    assert str(tmp_path) in page
    assert "may be others" not in page
    tell(rules=(tmp_path,), builtin=True)
    assert len(catalogue.loaded().by_name) == builtin + 1
    # A detector on another machine has files that are not here.
    tell(rules=(tmp_path / "elsewhere",))
    assert len(catalogue.loaded().by_name) == builtin
    assert "may be others" in client.get("/rules/").content.decode()


def test_nobody_waits_for_rules_that_are_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def read(*_: Any) -> catalogue.Rules:
        begun.set()
        go_on.wait(60)
        return catalogue.Rules(load_rules(builtin=False), {})

    monkeypatch.setattr(catalogue, "_kept", [])
    monkeypatch.setattr(catalogue, "_read", read)
    with ThreadPoolExecutor(1) as loading, ThreadPoolExecutor(1) as asking:
        loaded = loading.submit(catalogue.loaded, catalogue.Origin((), None))
        try:
            assert begun.wait(60)
            assert asking.submit(catalogue.known).result(10) is None
        finally:
            go_on.set()
        rules = loaded.result(60)
        assert catalogue.known() is rules


@pytest.mark.usefixtures("db")
def test_pages_take_up_rules_that_change_and_keep_those_that_worked(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(RULE, "utf-8")
    catalogue.use(Configuration(rules=(tmp_path,)))
    try:
        assert [info.title for info in catalogue.loaded().by_name.values()] == ["Hoa"]
        path.write_text(RULE.replace("title: Hoa", "title: Hoa khác"), "utf-8")
        catalogue.look_again(0)
        assert [info.title for info in catalogue.loaded().by_name.values()] == ["Hoa khác"]
        path.write_text("title: [", "utf-8")
        catalogue.look_again(0)
        assert [info.title for info in catalogue.loaded().by_name.values()] == ["Hoa khác"]
    finally:
        catalogue.forget()
