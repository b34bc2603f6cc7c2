"""A proposed filter keeps every true finding, whatever it costs, and is a rule that loads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigma.types import SigmaString

import haidang
from haidang.sigma.ir import LogSource
from haidang.workshop.tuning import Proposal, Trait, confirmed, escaped, propose
from haidang.workshop.verdicts import Judged

SOURCE = LogSource("windows", "process_creation")
RULE_ID = "6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001"


def judged(number: int, **event: Any) -> Judged:
    return Judged(str(number), RULE_ID, "A rule", "windows", event)


def many(*events: dict[str, Any]) -> list[Judged]:
    return [judged(number, **event) for number, event in enumerate(events)]


def test_finds_the_value_that_all_false_findings_share() -> None:
    false = many({"Image": "C:\\a\\agent.exe", "User": "svc"}, {"Image": "C:\\b\\other.exe", "User": "svc"})
    found = propose(many({"Image": "C:\\a\\agent.exe", "User": "mai"}), false)
    assert found.selections == [(Trait("User", "", "svc"),)]
    assert (len(found.dropped), found.left, found.kept) == (2, [], 1)


def test_takes_two_fields_where_one_would_hurt() -> None:
    false = many({"Image": "agent", "User": "svc"}, {"Image": "agent", "User": "svc"})
    true = many({"Image": "agent", "User": "mai"}, {"Image": "cmd", "User": "svc"})
    found = propose(true, false)
    assert found.selections == [(Trait("Image", "", "agent"), Trait("User", "", "svc"))]


def test_takes_the_end_of_paths_that_differ_in_their_beginning() -> None:
    false = many(*({"Image": f"C:\\Users\\{name}\\App\\agent.exe"} for name in ("mai", "lan")))
    found = propose(many({"Image": "C:\\Users\\mai\\App\\cmd.exe"}), false)
    assert found.selections == [(Trait("Image", "endswith", "\\App\\agent.exe"),)]


def test_takes_several_selections_where_false_findings_have_nothing_in_common() -> None:
    found = propose(many({"User": "mai"}), many({"User": "a"}, {"User": "a"}, {"User": "b"}))
    assert found.selections == [(Trait("User", "", "a"),), (Trait("User", "", "b"),)]


def test_proposes_nothing_where_false_findings_look_like_true_ones() -> None:
    found = propose(many({"User": "mai", "ProcessId": 1}), many({"User": "mai", "ProcessId": 2}))
    assert found.selections == []
    assert len(found.left) == 1


def test_wants_two_fields_where_no_finding_is_known_to_be_true() -> None:
    (traits,) = propose([], many({"Image": "agent", "User": "svc"})).selections
    assert {trait.field for trait in traits} == {"Image", "User"}


def test_takes_what_tells_something_before_what_is_merely_long() -> None:
    false = many({"Image": "C:\\a.exe", "Domain": "a very long name of a domain", "User": "svc"})
    (traits,) = propose(many({"Image": "b", "Domain": "c", "User": "d"}), false).selections
    assert traits == (Trait("Image", "", "C:\\a.exe"),)


@pytest.mark.parametrize("field", ["SourceName", "Category", "Channel", "SeverityValue", "EventID"])
def test_never_silences_a_whole_rule_for_want_of_true_findings(field: str) -> None:
    """How an event was logged, and of which kind it is, holds for the true findings to come, too."""
    found = propose([], many({field: "a", "Image": "b"}, {field: "a", "Image": "b"}))
    assert found.selections == [(Trait("Image", "", "b"),)]


def test_a_filter_without_true_findings_looks_at_more_than_the_rule_does() -> None:
    seen = frozenset({"Image", "CommandLine"})
    event = {"Image": "C:\\a.exe", "CommandLine": "a.exe -x"}
    assert propose([], [Judged("1", RULE_ID, "A rule", "windows", event, seen)]).selections == []
    more = Judged("1", RULE_ID, "A rule", "windows", {**event, "User": "svc"}, seen)
    (traits,) = propose([], [more]).selections
    assert "User" in {trait.field for trait in traits}


@pytest.mark.parametrize(
    "field", ["ProcessGuid", "process_id", "UtcTime", "EventRecordID", "uid", "ts", "Hashes", "SourcePort"]
)
def test_never_uses_what_is_new_in_every_event(field: str) -> None:
    assert propose(many({"User": "a"}), many({field: "b", "User": "a"})).selections == []


TEXTS = st.sampled_from(["a", "b", "C:\\x\\a.exe", "C:\\y\\a.exe", "a *b?", "\\\\h\\s$", "7", ""])
EVENTS = st.dictionaries(st.sampled_from(["Image", "User", "CommandLine"]), TEXTS, min_size=1)


@given(st.lists(EVENTS, max_size=5), st.lists(EVENTS, min_size=1, max_size=5))
def test_the_filter_as_written_keeps_every_true_finding_and_drops_what_it_says(
    true: list[dict[str, Any]], false: list[dict[str, Any]]
) -> None:
    kept = many(*true)
    found = propose(kept, many(*false))
    if found.selections:
        assert confirmed(found.as_yaml(SOURCE, "2026-11-30"), kept, found)
    assert len(found.dropped) + len(found.left) == len(false)


def test_a_filter_that_drops_a_true_finding_is_not_confirmed() -> None:
    found = Proposal(RULE_ID, "A rule", [(Trait("User", "", "a"),)])
    text = found.as_yaml(SOURCE, "2026-11-30")
    assert confirmed(text, many({"User": "b"}), found)
    assert not confirmed(text, many({"User": "a"}), found)


@given(st.text(st.sampled_from("\\*?a "), min_size=1, max_size=8))
def test_escaped_text_means_itself(text: str) -> None:
    assert SigmaString(escaped(text)).s == [text]


def test_the_filter_works_on_the_rule_that_it_is_for(tmp_path: Any) -> None:
    (tmp_path / "rule.yml").write_text(
        f"title: A rule\nid: {RULE_ID}\nlogsource: {{product: windows, category: process_creation}}\n"
        "detection: {selection: {Image|endswith: '.exe'}, condition: selection}\n",
        encoding="utf-8",
    )
    false = many({"Image": "C:\\a.exe", "User": "H\\svc*"})
    found = propose(many({"Image": "C:\\a.exe", "User": "H\\mai"}), false)
    (tmp_path / "filter.yml").write_text(found.as_yaml(SOURCE, "2026-11-30"), encoding="utf-8")
    ruleset = haidang.load_rules(tmp_path, cache=False)
    assert ruleset.refused == ()
    base = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Image": "C:\\a.exe"}
    assert ruleset.match({**base, "User": "H\\mai"})
    assert ruleset.match({**base, "User": "H\\svc2"})
    assert not ruleset.match({**base, "User": "H\\svc*"})
