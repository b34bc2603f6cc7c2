"""Lanes decode little, guess often, and are never wrong."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from haidang.detect.batches import BatchMatcher
from haidang.detect.matcher import Matcher
from haidang.detect.routes import Group
from haidang.events.model import DocumentBatch, FileReport
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.ir import Condition, EventRule, LogSource, LogsourceEntry, LogsourceMap, RuleInfo

pytestmark = pytest.mark.usefixtures("memory")

WINDOWS = LogSource("windows")


def matcher(conditions: list[Condition], *entries: LogsourceEntry) -> Matcher:
    """Return a matcher over rules of Windows numbered from 0."""
    info = RuleInfo("k", "", "", "t", "low", "test", (), "", "", (), (), "r.yml", 1, "", "")
    rules = [(at, EventRule(info, WINDOWS, condition, ())) for at, condition in enumerate(conditions)]
    group = Group(lambda: rules, None, DEFAULT_LIMITS)
    found = entries or (LogsourceEntry(WINDOWS, {}, {}, {}),)
    return Matcher({WINDOWS: group}, [LogsourceMap("windows", "windows", ("Channel", "EventID"), (), found)])


def match(made: Matcher, *documents: dict[str, Any] | bytes) -> list[tuple[int, ...]]:
    """Return the rules that hold for each document; all come in one batch."""
    lines = [one if isinstance(one, bytes) else orjson.dumps(one) for one in documents]
    report = FileReport("log")
    batch = DocumentBatch(report, lines, range(len(lines)))
    found = {hit.record: hit.rules for hit in BatchMatcher(made, DEFAULT_LIMITS, patience=0).match(batch)}
    assert report.records == len(lines)
    assert report.complete
    return [found.get(at, ()) for at in range(len(lines))]


def by_id(*numbers: int) -> list[Condition]:
    return [("is", ("EventID", "num", number, False)) for number in numbers]


def test_a_wrong_guess_costs_no_finding() -> None:
    # The bytes after the first "EventID": speak of another event than the field does.
    made = matcher(by_id(1, 4688))
    plain = b'{"Channel":"Security","EventID":4688}'
    misleading = b'{"Data":"\\"EventID\\":4688,","Channel":"Security","EventID":1}'
    nested = b'{"Inner":{"EventID":4688},"Channel":"Security","EventID":1}'
    assert match(made, plain, misleading, nested, plain) == [(1,), (0,), (0,), (1,)]


def test_the_last_of_two_equal_members_counts() -> None:
    made = matcher(by_id(1, 2))
    twice = b'{"Channel":"Security","EventID":1,"EventID":2}'
    assert match(made, {"Channel": "Security", "EventID": 1}, twice, twice) == [(0,), (1,), (1,)]


def test_ids_that_begin_alike_are_told_apart() -> None:
    made = matcher(by_id(1, 10, 100, 1000, 10_000, 100_000, 1_000_000))
    order = [0, 3, 6, 5, 1, 2, 4, 6, 0, 5]
    documents = [{"Channel": "c", "EventID": 10**at, "Other": "x"} for at in order]
    assert match(made, *documents) == [(at,) for at in order]


def test_the_same_id_in_another_channel_is_another_route() -> None:
    entry = LogsourceEntry(WINDOWS, {"Channel": ("security",)}, {}, {})
    made = matcher(by_id(1), entry)
    channels = ["Security", "System", "SECURITY", "System", "Security"]
    found = match(made, *({"Channel": channel, "EventID": 1} for channel in channels))
    assert found == [(0,), (), (0,), (), (0,)]


def test_more_routes_than_are_remembered_are_matched_all_the_same() -> None:
    made = matcher([*by_id(3, 4998), ("is", ("Image", "str", ("a",), False))])
    documents = [{"Channel": "c", "EventID": at, "Image": "a" if at % 2 else "b"} for at in range(5000)]
    found = match(made, *documents)
    assert found[3] == (0, 2)
    assert found[4998] == (1,)
    assert [at for at, rules in enumerate(found) if 2 in rules] == list(range(1, 5000, 2))


NUMBERS = (1, "1", "01", 1.0)
OBJECTS = ({"#text": 1}, {"#text": "1", "#attributes": {"Qualifiers": 0}})


@pytest.mark.parametrize(
    "document",
    [
        *({"EventID": written, "Channel": "c"} for written in NUMBERS),
        *(
            {"Event": {"System": {"EventID": written, "Channel": "c"}, "EventData": {}}}
            for written in (*NUMBERS, *OBJECTS)
        ),
    ],
    ids=str,
)
def test_an_event_id_may_be_written_in_any_way(document: dict[str, Any]) -> None:
    assert match(matcher(by_id(1, 2)), document, document) == [(0,), (0,)]


NULL = ("is", ("Image", "null", None, False))
EXISTS = ("is", ("Image", "exists", True, False))
LISTED = ("is", ("Image", "str", ("a",), False))


@pytest.mark.parametrize(
    ("image", "rules"),
    [
        (None, (0,)),
        ("", (1,)),
        ("A", (1, 2)),
        (["b", "a"], (1, 2)),
        ([None], (1,)),
        (True, (1,)),
        (0.5, (1,)),
        (-1, (1,)),
        (2**63, (1,)),
    ],
)
@pytest.mark.parametrize("shape", ["flat", "event", "winlogbeat"])
def test_a_member_may_be_of_any_type(image: object, rules: tuple[int, ...], shape: str) -> None:
    data = {"Image": image}
    documents: dict[str, dict[str, Any]] = {
        "flat": {"EventID": 1, "Channel": "c", **data},
        "event": {"Event": {"System": {"EventID": 1, "Channel": "c"}, "EventData": data}},
        "winlogbeat": {"winlog": {"event_id": 1, "channel": "c", "event_data": data}},
    }
    made = matcher([NULL, EXISTS, LISTED])
    assert match(made, documents[shape], documents[shape]) == [rules, rules]


def test_an_absent_part_of_a_document_is_absent_fields() -> None:
    made = matcher([NULL, EXISTS])
    system = {"EventID": 1, "Channel": "c"}
    full = {"Event": {"System": system, "EventData": {"Image": "x"}}}
    found = match(made, full, {"Event": {"System": system}}, {"Event": {"System": system, "EventData": None}})
    assert found == [(1,), (0,), (0,)]


def test_shapes_may_change_from_line_to_line() -> None:
    made = matcher([LISTED])
    data = {"Image": "a"}
    documents: list[dict[str, Any]] = [
        {"EventID": 1, "Channel": "c", **data},
        {"Event": {"System": {"EventID": 1, "Channel": "c"}, "EventData": data}},
        {"winlog": {"event_id": 1, "channel": "c", "event_data": data}},
        {"_source": {"EventID": 1, "Channel": "c", **data}},
        {"result": {"EventCode": "1", "LogName": "c", **data}},
        {"nothing": "of", "the": "kind"},
    ]
    expected: list[tuple[int, ...]] = [(0,)] * 5 + [()]
    assert match(made, *documents, *reversed(documents)) == expected + expected[::-1]
