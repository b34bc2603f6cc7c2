"""The explanation of a correlation agrees with a scan, and says what is missing and where it would be."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import haidang
from haidang.errors import InputError
from haidang.sigma.ir import CorrelationRule
from haidang.sigma.logsource import load_maps
from haidang.workshop.choosing import choose_rule
from haidang.workshop.correlating import explain_correlation
from haidang.workshop.reading import ReadEvent, events_of

if TYPE_CHECKING:
    from haidang.workshop.correlated import Correlated

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "logs"
RULES = """title: Refused
id: 00000000-0000-4000-8000-0000000000a1
name: refused
haidang: {vi: {title: Bị từ chối, description: x, advice: x}}
logsource: {category: shop}
detection: {s: {action: refused}, condition: s}
---
title: Granted
name: granted
logsource: {category: shop}
detection: {s: {action: granted}, condition: s}
---
title: Left
name: left
logsource: {category: shop}
detection: {s: {action: left}, condition: s}
"""
SECTION = "---\ntitle: Seen together\nname: together\ncorrelation: "


@cache
def maps() -> Any:
    return load_maps()


def event(seconds: int | None, action: str, **fields: Any) -> dict[str, Any]:
    time = {} if seconds is None else {"time": f"2026-01-05T08:{seconds // 60:02}:{seconds % 60:02}Z"}
    return {**time, "action": action, **fields}


def explained(
    folder: Path, section: str, events: list[dict[str, Any]], word: str = "together", lang: str = "en"
) -> Correlated:
    path = folder / "rules.yml"
    path.write_text(RULES + SECTION + section, encoding="utf-8")
    one, rule, written = choose_rule(word, [str(path)])
    assert isinstance(rule, CorrelationRule)
    read = [ReadEvent("log", number, "json", event) for number, event in enumerate(events, 1)]
    return explain_correlation(one, rule, written, read, maps(), lang=lang)


def missing(found: Correlated) -> list[str]:
    return [message.text() for message in found.groups[0].missing]


COUNT = "{type: event_count, rules: [refused], group-by: [user], timespan: 1m, condition: {gte: 3}}"


def test_says_of_each_rule_in_which_events_it_held(tmp_path: Path) -> None:
    events = [event(0, "granted", user="a"), event(1, "refused", user="a"), event(2, "refused", user="A")]
    found = explained(tmp_path, COUNT, events)
    assert found.events == 3
    (rule,) = found.rules
    assert (rule.info.title, rule.looked) == ("Refused", 3)
    assert [(hit.path, hit.record) for hit in rule.hits] == [("log", 2), ("log", 3)]
    (group,) = found.groups
    assert (group.values, group.hits, group.number, group.fires) == ({"user": "a"}, 2, 2, 0)
    assert missing(found) == ["1 more are missing"]


def test_shows_the_window_in_which_it_first_holds(tmp_path: Path) -> None:
    events = [event(at, "refused", user="a") for at in (0, 200, 210, 220, 230)]
    found = explained(tmp_path, COUNT, events)
    assert found.fires == 1
    (group,) = found.groups
    assert [hit.record for hit in group.window] == [2, 3, 4]
    assert group.missing == ()


def test_the_group_that_fires_comes_first_then_the_nearest(tmp_path: Path) -> None:
    events = [event(0, "refused", user="far")]
    events += [event(at, "refused", user="near") for at in (1, 2)]
    events += [event(at, "refused", user="over") for at in (3, 4, 5)]
    found = explained(tmp_path, COUNT, events)
    assert [group.values["user"] for group in found.groups] == ["over", "near", "far"]


def test_says_when_more_time_would_have_been_enough(tmp_path: Path) -> None:
    found = explained(tmp_path, COUNT, [event(at, "refused", user="a") for at in (0, 100, 200)])
    assert missing(found) == [
        "2 more are missing",
        "all hits of the group together make 3, but over a longer time than the window",
    ]


def test_says_which_hits_do_not_count_and_why(tmp_path: Path) -> None:
    section = (
        "{type: value_count, rules: [refused], group-by: [user], timespan: 1m, "
        "condition: {field: host, gte: 2}}"
    )
    events = [
        event(None, "refused", user="a", host="h"),
        event(1, "refused", host="h"),
        event(2, "refused", user="a"),
        event(3, "refused", user="a"),
        event(4, "refused", user="a", host="h"),
    ]
    found = explained(tmp_path, section, events)
    assert [(left.reason, left.fields, left.count, left.first.record) for left in found.left_out] == [
        ("no-time", (), 1, 1),
        ("no-group-field", ("user",), 1, 2),
        ("no-value", ("host",), 2, 3),
    ]
    assert [hit.measured for hit in found.groups[0].window] == [("h",)]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{lt: 2}", ["1 are too many"]),
        ("{eq: 4}", ["2 more are missing"]),
        ("{neq: 2}", ["it is the very number that it must not be"]),
        ("{gt: 2}", ["1 more are missing"]),
    ],
)
def test_says_how_far_a_count_is_from_each_operator(tmp_path: Path, condition: str, said: list[str]) -> None:
    section = f"{{type: event_count, rules: [refused], timespan: 1m, condition: {condition}}}"
    assert missing(explained(tmp_path, section, [event(0, "refused"), event(1, "refused")])) == said


@pytest.mark.parametrize(("bound", "said"), [("gte: 9", "too low"), ("lte: 2", "too high")])
def test_says_on_which_side_a_sum_is_off(tmp_path: Path, bound: str, said: str) -> None:
    section = f"{{type: value_sum, rules: [refused], timespan: 1m, condition: {{field: n, {bound}}}}}"
    assert missing(explained(tmp_path, section, [event(0, "refused", n=4)])) == [f"the number is {said}"]


TEMPORAL = "{type: temporal, rules: [refused, granted], group-by: [user], timespan: 1m}"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ([], "Granted is missing; it holds in no event"),
        ([event(5, "granted", user="b")], "Granted is missing; hits with other values of the group: 1"),
        ([event(5, "granted")], "Granted is missing; hits that do not count (see above): 1"),
        (
            [event(300, "granted", user="a")],
            "Granted is missing here; of this group it holds at 2026-01-05T08:05:00.000Z, too early",
        ),
    ],
    ids=["nowhere", "other-group", "left-out", "other-time"],
)
def test_says_of_a_missing_rule_where_it_holds_instead(
    tmp_path: Path, other: list[dict[str, Any]], said: str
) -> None:
    found = explained(tmp_path, TEMPORAL, [event(0, "refused", user="a"), *other])
    assert any(one.startswith(said) for one in missing(found))


def test_an_alias_joins_fields_of_two_names(tmp_path: Path) -> None:
    section = (
        "{type: temporal, rules: [refused, granted], aliases: {who: {refused: user, granted: account}}, "
        "group-by: [who], timespan: 1m}"
    )
    found = explained(tmp_path, section, [event(0, "refused", user="a"), event(1, "granted", account="A")])
    assert [(group.values, group.fires) for group in found.groups] == [({"who": "a"}, 1)]


def test_says_how_far_an_order_went_and_what_comes_next(tmp_path: Path) -> None:
    section = "{type: temporal_ordered, rules: [refused, granted, left], timespan: 1m}"
    events = [event(0, "left"), event(1, "refused"), event(2, "granted")]
    found = explained(tmp_path, section, events)
    assert missing(found) == [
        "the order goes as far as Granted at 2026-01-05T08:00:02.000Z",
        "Left is missing here; of this group it holds at 2026-01-05T08:00:00.000Z, too early or too late",
    ]


def test_says_which_rule_is_in_the_way(tmp_path: Path) -> None:
    section = "{type: temporal, rules: [refused, left], timespan: 1m, condition: refused and not left}"
    found = explained(tmp_path, section, [event(0, "refused"), event(1, "left")])
    assert missing(found) == ["Left holds in the window, and must not"]


def test_says_how_many_rules_are_missing_where_some_are_enough(tmp_path: Path) -> None:
    section = "{type: temporal, rules: [refused, granted, left], timespan: 1m, condition: {gte: 2}}"
    found = explained(tmp_path, section, [event(0, "refused")])
    assert missing(found)[0] == "1 more are missing"
    found = explained(tmp_path, section.replace("gte: 2", "lt: 1"), [event(0, "refused")])
    assert missing(found) == ["1 are too many"]


def test_a_correlation_is_explained_by_what_it_refers_to_however_far(tmp_path: Path) -> None:
    outer = (
        f"{COUNT}\n---\ntitle: Outer\nname: outer\ncorrelation: {{type: temporal_ordered, "
        "rules: [together, granted], group-by: [user], timespan: 5m}\n"
    )
    events = [event(at, "refused", user="a") for at in (0, 1, 2)]
    found = explained(tmp_path, outer, [*events, event(9, "granted", user="a")], "outer")
    assert found.fires == 1
    inner, granted = found.rules
    assert (inner.info.title, inner.looked, len(inner.hits)) == ("Seen together", 1, 1)
    assert inner.hits[0].path == ""
    assert len(granted.hits) == 1


def test_names_rules_in_the_language_that_is_asked_for(tmp_path: Path) -> None:
    section = "{type: temporal, rules: [granted, refused], timespan: 1m}"
    found = explained(tmp_path, section, [event(0, "granted")], lang="vi")
    assert missing(found) == ["Bị từ chối is missing; it holds in no event"]


def test_agrees_with_a_scan_on_the_samples() -> None:
    ruleset = haidang.load_rules(cache=False).outspoken()
    titles = [finding.rule.title for finding in haidang.scan(SAMPLES, rules=ruleset)]
    read = list(events_of(str(SAMPLES), ruleset.matcher.recognise))
    found = {}
    for word in ("guessing_then_logon", "password_spraying", "regular_callbacks"):
        one, rule, written = choose_rule(word, [])
        assert isinstance(rule, CorrelationRule)
        found[one.info.title] = explain_correlation(one, rule, written, read, maps()).fires
    assert found == {title: titles.count(title) for title in found}
    assert sum(found.values()) > 1


def test_one_record_of_a_log_is_not_enough_for_a_correlation() -> None:
    with pytest.raises(InputError, match="several events"):
        list(events_of("log.json#7", lambda _: ""))


def test_a_log_without_an_event_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="no event"):
        list(events_of(str(path), lambda _: ""))
