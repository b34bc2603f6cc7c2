"""The fast matcher agrees with its plain twin, and the lanes agree with decoding everything."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.detect.arranging import arrange_rules
from haidang.detect.batches import BatchMatcher
from haidang.detect.binding import Binding
from haidang.detect.matcher import Matcher
from haidang.detect.naive import evaluate, evaluate_test, satisfied
from haidang.detect.routes import Group, Part, Route
from haidang.detect.semantics import lookup
from haidang.detect.tables import KeywordSets, Table
from haidang.events.model import DocumentBatch, EventBatch, FileReport
from haidang.events.shapes import flatten, recognise, unwrap
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma import ir
from haidang.sigma.ir import (
    ANY,
    Condition,
    EventRule,
    LogSource,
    LogsourceEntry,
    LogsourceMap,
    RuleInfo,
)
from haidang.sigma.logsource import load_maps

from .strategies import conditions, events, phrases, values

pytestmark = pytest.mark.usefixtures("memory")

SYSMON = "Microsoft-Windows-Sysmon/Operational"


WINDOWS = LogSource("windows")

PLACES = [("Image",), ("CommandLine", "Image"), ("a.b", "Image"), ("Image.a", "a.b.c"), ("{Image}-{Code}",)]
"""Where a rule's field may be in an event."""


def rule(condition: Condition, logsource: LogSource = WINDOWS) -> EventRule:
    """Return a rule with that condition."""
    info = RuleInfo("k", "", "", "t", "low", "test", (), "", "", (), (), "r.yml", 1, "", "")
    return EventRule(info, logsource, condition, ())


def group(rules: list[Condition]) -> Group:
    """Return a group of rules numbered from 0."""
    numbered = [(at, rule(condition)) for at, condition in enumerate(rules)]
    return Group(lambda: numbered, None, DEFAULT_LIMITS)


def fast_reasons(route: Route, rules: list[Condition], event: dict[str, Any]) -> dict[int, list[Any]]:
    """Return the tests that made each rule hold, by what the tables remember."""
    found = route.reasons(route.match(event), event, rules.__getitem__)
    return {at: list(tests) for at, (_, tests) in found.items()}


def plain_reasons(
    rules: list[Condition], holding: tuple[int, ...], event: dict[str, Any]
) -> dict[int, list[Any]]:
    """Return the tests that made each rule hold, by plain evaluation."""
    held = partial(evaluate_test, get=partial(lookup, event), event=event)
    return {at: satisfied(rules[at], held) for at in holding}


@settings(max_examples=200, deadline=None)
@given(
    rules=st.lists(conditions(), min_size=1, max_size=5), samples=st.lists(events(), min_size=1, max_size=4)
)
def test_table_agrees_with_the_plain_evaluation(
    rules: list[Condition], samples: list[dict[str, Any]]
) -> None:
    table = Table(arrange_rules(rules), range(len(rules)), DEFAULT_LIMITS, rules.__getitem__)
    part = Part.of(table, Binding(None))
    # Twice, so that what was remembered is asked too.
    for event in samples * 2:
        expected = tuple(
            at for at, condition in enumerate(rules) if evaluate(condition, partial(lookup, event), event)
        )
        for patience in (0, 1):
            route = Route([part], patience)
            assert (route.match(event), route.match(event)) == (expected, expected)
            assert fast_reasons(route, rules, event) == plain_reasons(rules, expected, event)


@settings(max_examples=200, deadline=None)
@given(
    tables=st.lists(st.lists(conditions(), min_size=1, max_size=3), min_size=2, max_size=4),
    samples=st.lists(events(), min_size=1, max_size=4),
    names=st.dictionaries(st.sampled_from(["Image", "Code"]), st.sampled_from(PLACES)),
)
def test_one_function_for_several_tables_agrees_with_each_by_itself(
    tables: list[list[Condition]], samples: list[dict[str, Any]], names: dict[str, tuple[str, ...]]
) -> None:
    binding = Binding(LogsourceEntry(WINDOWS, {}, names, {}))
    shared = KeywordSets()
    parts = []
    for at, rules in enumerate(tables):
        numbers, written = range(at * 10, at * 10 + 3), rules.__getitem__
        table = Table(arrange_rules(rules), numbers, DEFAULT_LIMITS, written, keyword_sets=shared)
        parts.append(Part.of(table, binding))
    route = Route(parts, patience=0)
    for event in samples * 2:
        expected = tuple(
            at * 10 + number
            for at, rules in enumerate(tables)
            for number, condition in enumerate(rules)
            if evaluate(condition, partial(binding.get, event), event)
        )
        assert route.match(event) == route.match_plainly(event) == expected


@settings(max_examples=200, deadline=None)
@given(
    rules=st.lists(conditions(("Image", "EventID", "Channel", "CommandLine")), min_size=1, max_size=4),
    samples=st.lists(events(), min_size=1, max_size=3),
    event_id=st.sampled_from([1, "1", 10, "x", "01", "1.0", "+10", 0.5]),
    channel=st.sampled_from(["cmd", "a", SYSMON]),
)
def test_deciding_routing_fields_once_changes_nothing(
    rules: list[Condition], samples: list[dict[str, Any]], event_id: object, channel: str
) -> None:
    entry = LogsourceEntry(LogSource("windows"), {}, {}, {})
    logsources = LogsourceMap("windows", "windows", ("Channel", "EventID"), (), (entry,))
    matcher = Matcher({LogSource("windows"): group(rules)}, [logsources])
    for sample in samples:
        event = {**sample, "Channel": channel, "EventID": event_id}
        expected = tuple(
            at for at, condition in enumerate(rules) if evaluate(condition, partial(lookup, event), event)
        )
        assert matcher.match("windows", event) == expected
        assert fast_reasons(matcher.route("windows", event), rules, event) == plain_reasons(
            rules, expected, event
        )


def test_reasons_that_the_signature_does_not_tell_are_those_of_each_event() -> None:
    entry = LogsourceEntry(LogSource("windows"), {}, {}, {})
    logsources = LogsourceMap("windows", "windows", ("Channel", "EventID"), (), (entry,))
    # The routing value makes the rule hold, so that the keyword is in no table.
    rules: list[Condition] = [
        ("or", ("is", (None, "str", ("word",), False)), ("not", ("is", ("EventID", "num", 7, False))))
    ]
    matcher = Matcher({LogSource("windows"): group(rules)}, [logsources])
    for data in ("other", "a word", "other"):
        event = {"Channel": "Security", "EventID": 1, "Data": data}
        route = matcher.route("windows", event)
        assert fast_reasons(route, rules, event) == plain_reasons(rules, (0,), event)


@pytest.mark.parametrize("spelled", [4688, "4688", "04688", "4688.0", "+4688"])
def test_a_routing_field_may_spell_its_number_in_any_way(spelled: object) -> None:
    entry = LogsourceEntry(LogSource("windows"), {}, {}, {})
    logsources = LogsourceMap("windows", "windows", ("Channel", "EventID"), (), (entry,))
    rules: list[Condition] = [
        ("is", ("EventID", "num", 4688, False)),
        ("is", ("EventID", "num", 4689, False)),
    ]
    matcher = Matcher({LogSource("windows"): group(rules)}, [logsources])
    assert matcher.match("windows", {"Channel": "Security", "EventID": spelled}) == (0,)


def routed(when: dict[str, tuple[str, ...]], route_by: tuple[str, ...]) -> Matcher:
    """Return a matcher with one rule, which always holds, on events for which ``when`` holds."""
    entry = LogsourceEntry(LogSource("windows"), when, {}, {})
    maps = [LogsourceMap("windows", "windows", route_by, (), (entry,))]
    return Matcher({LogSource("windows"): group([("is", ("Channel", "exists", True, False))])}, maps)


@pytest.mark.parametrize("route_by", [("Channel", "EventID"), ("Channel", "Task", "EventID")])
@pytest.mark.parametrize("wanted", ["1", "01", "1.0"])
@pytest.mark.parametrize("event_id", [1, 1.0, "1", "01", "0001", [7, "01"]])
def test_numbers_of_when_are_equal_however_they_are_spelled(
    route_by: tuple[str, ...], wanted: str, event_id: object
) -> None:
    matcher = routed({"EventID": (wanted,)}, route_by)
    event = {"Channel": SYSMON, "EventID": event_id}
    assert matcher.match("windows", event) == (0,)


@pytest.mark.parametrize("route_by", [("Channel", "EventID"), ("Channel", "Task", "EventID")])
@pytest.mark.parametrize("event_id", [10, "11", "0x1", "1a", "", None, True, [7, 10], 1.5])
def test_another_number_or_text_is_not_the_number_of_when(
    route_by: tuple[str, ...], event_id: object
) -> None:
    matcher = routed({"EventID": ("1",)}, route_by)
    assert matcher.match("windows", {"Channel": SYSMON, "EventID": event_id}) == ()


def test_a_rule_that_names_category_and_service_meets_the_events_of_the_category() -> None:
    entry = LogsourceEntry(LogSource("windows", "process_creation"), {}, {}, {})
    maps = [LogsourceMap("windows", "windows", ("Channel", "EventID"), (), (entry,))]
    logsource = LogSource("windows", "process_creation", "sysmon")
    matcher = Matcher({logsource: group([("is", ("Channel", "exists", True, False))])}, maps)
    assert matcher.match("windows", {"Channel": SYSMON, "EventID": 1}) == (0,)
    assert matcher.unclaimed == []


@pytest.mark.parametrize(
    ("application", "image"),
    [
        ("\\device\\harddiskvolume3\\users\\lan\\a.exe", "C:\\users\\lan\\a.exe"),
        ("\\DEVICE\\HarddiskVolume1\\Windows\\a.exe", "C:\\Windows\\a.exe"),
        ("\\device\\harddiskvolume12\\a.exe", "\\device\\harddiskvolume12\\a.exe"),
        ("\\device\\harddiskvolumeshadowcopy2\\a.exe", "\\device\\harddiskvolumeshadowcopy2\\a.exe"),
        ("System", "System"),
    ],
)
def test_volumes_of_the_filtering_platform_are_drive_c(application: str, image: str) -> None:
    rules: list[Condition] = [("is", ("Image", "str", (image,), True))]
    matcher = Matcher({LogSource("windows", "network_connection"): group(rules)}, load_maps())
    event = {"Channel": "Security", "EventID": 5156, "Application": application}
    assert matcher.match("windows", event) == (0,)


def _windows_matcher(rules: list[Condition]) -> Matcher:
    """Return a matcher with entries that rename, choose, join and translate fields."""
    entries = (
        LogsourceEntry(
            LogSource("windows"), {"Channel": ("security",)}, {"Image": ("NewImage", "Image")}, {}
        ),
        LogsourceEntry(
            LogSource("windows"),
            {"Channel": (SYSMON.lower(),), "EventID": ("1", "2"), "Kind": ("a", "b")},
            {"CommandLine": ("{Image} {Code}",)},
            {"Code": {"a": "cmd", "10": "ab"}},
        ),
        LogsourceEntry(LogSource("windows"), {"Channel": (SYSMON.lower(),)}, {}, {}),
    )
    logsources = LogsourceMap("windows", "windows", ("Channel", "EventID", "Kind"), (), entries)
    return Matcher({LogSource("windows"): group(rules)}, [logsources])


_data = st.dictionaries(
    st.sampled_from(
        ["Image", "CommandLine", "Code", "NewImage", "Kind", "Channel", "Provider_Name", "Data", "Other"]
    ),
    st.one_of(values, phrases),
    max_size=6,
)
_ids = st.sampled_from(
    [1, 2, "1", True, 1.0, None, {"#text": 2}, {"#text": "1", "#attributes": {"Qualifiers": 5}}, [1]]
)
_channels = st.sampled_from([SYSMON, "Security", "security", None, "Other", 5])


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return a Windows event in one of its JSON shapes, or nearly."""
    data, event_id, channel = draw(_data), draw(_ids), draw(_channels)
    shape = draw(st.sampled_from(["flat", "event", "winlogbeat", "splunk", "other"]))
    system: dict[str, Any] = {"EventID": event_id, "Channel": channel}
    if shape == "flat":
        document = {**data, **system}
    elif shape == "event":
        provider = draw(st.sampled_from([None, {"#attributes": {"Name": "cmd"}}, {"Name": "cmd"}]))
        document = {
            "Event": {
                "System": {**system, "Provider": provider},
                "EventData": draw(st.sampled_from([data, data, None])),
            }
        }
        if draw(st.integers(0, 5)) == 0:
            document["Event"]["UserData"] = {"X": {"#attributes": {}, "Image": "cmd", "Code": "a"}}
    elif shape == "winlogbeat":
        document = {
            "winlog": {"event_id": event_id, "channel": channel, "event_data": data},
            "message": "cmd.exe",
        }
        if draw(st.integers(0, 5)) == 0:
            document["winlog"]["user_data"] = {"Image": "b"}
    elif shape == "splunk":
        document = {**data, "EventCode": event_id, "LogName": channel}
    else:
        document = data
    return draw(st.sampled_from([document, document, {"_source": document}, {"result": document}]))


@settings(max_examples=200, deadline=None)
@given(
    rules=st.lists(
        conditions(("Image", "CommandLine", "Code", "Provider_Name", "Data")), min_size=1, max_size=4
    ),
    samples=st.lists(documents(), min_size=1, max_size=8),
)
def test_lanes_agree_with_decoding_everything(rules: list[Condition], samples: list[dict[str, Any]]) -> None:
    matcher = _windows_matcher(rules)
    plain = _windows_matcher(rules)
    lines = [orjson.dumps(sample) for sample in samples] * 3
    report = FileReport("x")
    found = {
        hit.record: hit.rules
        for hit in BatchMatcher(matcher, DEFAULT_LIMITS, patience=0).match(
            DocumentBatch(report, lines, range(len(lines)))
        )
    }
    assert report.problems == {}
    assert report.records == len(lines)
    for at, line in enumerate(lines):
        _, inner = unwrap(orjson.loads(line))
        shape = recognise(inner)
        expected = plain.match("windows", flatten(shape, inner)) if shape else plain.match("json", inner)
        assert found.get(at, ()) == expected


def test_a_keyword_behind_a_json_escape_is_found() -> None:
    matcher = _windows_matcher([("is", (None, "str", (0, "sekurlsa::logon", 0), False))])
    plain = {"Channel": "Security", "EventID": 1, "Image": "x"}
    lines = [
        orjson.dumps(plain),
        orjson.dumps({**plain, "Other": "run SEKURLSA::LogonPasswords"}),
        b'{"Channel":"Security","EventID":1,"Other":"sekurlsa\\u003a:logon"}',
        b'{"Channel":"Security","EventID":1,"Other":"\\u0073ekurlsa::logon"}',
        '{"Channel":"Security","EventID":1,"Other":"se\u212aurlsa::logon"}'.encode(),
        b'{"Channel":"Security","EventID":1,"Other":"nothing::here"}',
    ]
    batch = DocumentBatch(FileReport("x"), lines, range(len(lines)))
    assert [hit.record for hit in BatchMatcher(matcher, DEFAULT_LIMITS, patience=0).match(batch)] == [
        1,
        2,
        3,
        4,
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"a":', "broken-line"),
        (b"nonsense", "broken-line"),
        (b"[1,2]", "broken-line"),
        (b'{"a":"\xff"}', "invalid-utf8"),
        (b'{"a":"\\ud800"}', "invalid-utf8"),
        (b'{"a":NaN}', "broken-line"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "too-deep"),
        (b'{"a":' * 10_000, "too-deep"),
        (b"\x00\x00\x00", "broken-line"),
    ],
)
def test_a_document_that_cannot_be_decoded_is_counted_with_its_place(line: bytes, kind: str) -> None:
    matcher = _windows_matcher([("is", ("Image", "str", ("a",), False))])
    good = b'{"Channel":"Security","EventID":1,"Image":"a"}'
    report = FileReport("x")
    batch = DocumentBatch(report, [good, b"", line, good], range(1, 5))
    hits = list(BatchMatcher(matcher, DEFAULT_LIMITS, patience=0).match(batch))
    assert [hit.record for hit in hits] == [1, 4]
    assert report.problems[kind].where == "record 3"
    assert report.records + report.skipped == 3


def test_brackets_inside_strings_are_no_depth() -> None:
    matcher = _windows_matcher([("is", ("Image", "str", ("a",), False))])
    report = FileReport("x")
    batch = DocumentBatch(report, [orjson.dumps({"x": '\\"{[' * 500, "EventID": 1})], [1])
    list(BatchMatcher(matcher, DEFAULT_LIMITS, patience=0).match(batch))
    assert report.problems == {}


def test_memory_of_values_is_bounded_whatever_comes() -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, memo_entries=50, memo_chars=2000)
    rules = [("is", ("Image", "str", (0, f"w{at}.", 0), False)) for at in range(40)]
    numbered = [(at, rule(condition)) for at, condition in enumerate(rules)]
    one = Group(lambda: numbered, None, limits)
    entry = LogsourceEntry(LogSource("windows"), {}, {}, {})
    matcher = Matcher(
        {LogSource("windows"): one},
        [LogsourceMap("windows", "windows", ("Channel", "EventID"), (), (entry,))],
    )
    batches = BatchMatcher(matcher, limits, patience=0)
    for start in range(0, 3000, 10):
        rows = [
            {
                "Channel": "c",
                "EventID": 1,
                "Image": " ".join(f"w{(at * k) % 40}." for k in range(1, 2 + at % 9)) + str(at),
            }
            for at in range(start, start + 10)
        ]
        found = {
            hit.record: hit.rules
            for hit in batches.match(EventBatch(FileReport("x"), "windows", rows, range(10)))
        }
        for at, row in enumerate(rows):
            expected = tuple(k for k in range(40) if f"w{k}." in str(row["Image"]))
            assert found.get(at, ()) == expected
    for part in matcher.route("windows", {"Channel": "c", "EventID": 1}).parts:
        for memo in part.table.memos:
            assert len(memo) <= 50
            assert len(memo.classes) <= 50 + 321
        assert len(part.table.signatures) <= 50


def test_a_joint_memo_forgets_what_its_tables_forget() -> None:
    limits = dataclasses.replace(DEFAULT_LIMITS, memo_entries=3)
    tables: list[list[Condition]] = [
        [("is", ("Image", "str", (letter,), False)) for letter in letters] for letters in ("abcd", "xyz")
    ]
    parts = [
        Part.of(Table(arrange_rules(rules), range(at, at + 4), limits, rules.__getitem__), Binding(None))
        for at, rules in ((0, tables[0]), (4, tables[1]))
    ]
    route = Route(parts, patience=0)
    assert [route.match({"Image": letter}) for letter in "abc"] == [(0,), (1,), (2,)]
    # The first table has too many classes now: from here on, its class 1 is another one.
    assert parts[0].table.trim()
    assert [route.match({"Image": letter}) for letter in "dcx"] == [(3,), (2,), (4,)]


def test_tables_of_one_matcher_share_what_decides_keywords_and_matchers_share_nothing() -> None:
    keyword = ir.Test(None, "str", (ANY, "sekurlsa", ANY))
    # In the second table the keyword has another number.
    either: Condition = ("or", ("is", ir.Test("Image", "str", ("a",))), ("is", keyword))
    shared = KeywordSets()

    def table(condition: Condition, keyword_sets: KeywordSets | None) -> Table:
        arranged = arrange_rules([condition])
        return Table(arranged, [0], DEFAULT_LIMITS, [condition].__getitem__, keyword_sets=keyword_sets)

    one, two, alone = table(("is", keyword), shared), table(either, shared), table(("is", keyword), None)
    assert one.keywords != two.keywords
    tests = [each.keyword_memo.tests for each in (one, two, alone) if each.keyword_memo is not None]
    assert tests[0] is tests[1] is not tests[2]
    for each in (one, two, alone):
        route = Route([Part.of(each, Binding(None))], patience=0)
        assert (route.match({"x": "Sekurlsa::"}), route.match({"x": "y"})) == ((0,), ())
