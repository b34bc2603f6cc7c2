"""Events by column give the same hits as the same events decoded, whatever their shape and values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.events import row_groups
from haidang.events.readers import parquet
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import load_rules, scan

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.scanning import Ruleset

pytest.importorskip("pyarrow", reason="the extra [parquet] is not installed")

SYSMON = "Microsoft-Windows-Sysmon/Operational"
RULES = r"""
title: Ends
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: '\tool.exe'}, condition: s}
---
title: No value
logsource: {product: windows, category: process_creation}
detection: {s: {CommandLine: null}, condition: s}
---
title: Not
logsource: {product: windows, category: process_creation}
detection: {s: {Image|contains: tool}, f: {User: lan}, condition: s and not f}
---
title: Exists
logsource: {product: windows, category: process_creation}
detection: {s: {User|exists: true}, condition: s}
---
title: Pair
logsource: {product: windows, category: process_creation}
detection: {s: {Image|fieldref: ParentImage}, condition: s}
---
title: Anywhere
logsource: {product: windows}
detection: {k: [mimikatz, 'sekurlsa'], condition: k}
---
title: Digits
logsource: {product: windows, service: security}
detection: {k: ['4747'], condition: k}
---
title: Number
logsource: {product: windows, service: security}
detection: {s: {LogonType|gte: 10}, condition: s}
---
title: Logon
logsource: {product: windows, service: security}
detection: {s: {EventID: 4624, TargetUserName|re: 'ho[a-c]'}, condition: s}
---
title: Old name
logsource: {product: windows}
detection: {s: {Provider_Name: Acme}, condition: s}
---
title: Cloud
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: StopLogging, userIdentity.type: Root}, condition: s}
---
title: Web
logsource: {category: webserver}
detection: {s: {cs-method: POST, cs-uri-query|contains: /a}, condition: s}
---
title: Anything
logsource: {product: our-own}
detection: {s: {tags|contains: bad}, condition: s}
---
title: Deep
logsource: {product: our-own}
detection: {s: {a.b.c: x}, condition: s}
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    texts = [
        f"id: 00000000-0000-0000-0000-{at:012}\n{text.strip()}\n"
        for at, text in enumerate(RULES.split("---\n"))
    ]
    path.write_text("---\n".join(texts), "utf-8")
    limits = replace(DEFAULT_LIMITS, column_rows=5, batch_events=3)
    ruleset = load_rules(path, cache=False, limits=limits)
    assert not ruleset.refused
    return ruleset


def without_nulls(value: Any) -> Any:
    """Return an event as a file of columns keeps it: no nulls, no objects without anything inside."""
    if isinstance(value, dict):
        found = {name: without_nulls(item) for name, item in value.items() if item is not None}
        return {name: item for name, item in found.items() if item != {}}
    return value


def findings(path: Path, rules: Ruleset, *, full: bool) -> list[tuple[Any, ...]]:
    return [
        (
            one.source.record,
            one.rule.title,
            one.time,
            one.host,
            one.origin,
            json.dumps(one.event, sort_keys=True),
            [(match.field, match.value, match.test) for match in one.matched],
        )
        for one in scan(path, rules=rules, full_event=full)
    ]


def both(events: list[dict[str, Any]], folder: Path, rules: Ruleset, size: int = 7) -> list[tuple[Any, ...]]:
    """Return the findings in events, after checking that both formats give the same."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys(name for event in events for name in event)
    table = pa.table({name: [event.get(name) for event in events] for name in names})
    pq.write_table(table, folder / "events.parquet", row_group_size=size)
    # As they are in the table: evidence names the first of several values, and so depends on their order.
    lines = [json.dumps(without_nulls(event)) + "\n" for event in table.to_pylist()]
    (folder / "events.ndjson").write_text("".join(lines), "utf-8")
    for full in (True, False):
        found = findings(folder / "events.parquet", rules, full=full)
        assert found == findings(folder / "events.ndjson", rules, full=full)
    return found


def texts(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *values])


FLAT = st.fixed_dictionaries(
    {
        "Channel": texts(SYSMON, "Security", "Application"),
        "EventID": st.sampled_from([None, 1, 4624, 4625, 7]),
        "SourceName": texts("Acme", "Other"),
        "Image": texts("C:\\x\\tool.exe", "C:\\TOOL.EXE", "/bin/sh", "", "mimikatz"),
        "ParentImage": texts("C:\\x\\tool.exe", "/bin/sh"),
        "CommandLine": texts("tool x", "run MimiKatz now", "\u212aerberos", "naïve ŞİFRE"),
        "User": texts("lan", "LAN", "hoa"),
        "TargetUserName": texts("hoa", "hob", "lan"),
        "LogonType": st.sampled_from([None, 3, 10, 4747]),
        "Elevated": st.sampled_from([None, True, False]),
        "Score": st.sampled_from([None, 1.0, 2.5]),
        "tags": st.sampled_from([None, [], ["a"], ["a", "sekurlsa"], ["bad"]]),
        "@timestamp": texts("2026-11-11T08:00:00Z"),
        "Hostname": texts("h1", "h2"),
    }
)
SYSTEM = st.fixed_dictionaries(
    {
        "Channel": texts(SYSMON, "Security"),
        "EventID": st.sampled_from([None, 1, 4624]),
        "Computer": texts("h1"),
        "Provider": st.sampled_from([None, {"#attributes": {"Name": "Acme"}}, {"#attributes": None}]),
    }
)
DATA = st.fixed_dictionaries(
    {
        "Image": texts("C:\\x\\tool.exe", "/bin/sh"),
        "ParentImage": texts("C:\\x\\tool.exe"),
        "CommandLine": texts("tool", "sekurlsa::x"),
        "User": texts("lan", "hoa"),
        "TargetUserName": texts("hoa"),
        "LogonType": st.sampled_from([None, 3, 10]),
    }
)
EVENT = st.fixed_dictionaries(
    {
        "Event": st.none()
        | st.fixed_dictionaries(
            {
                "System": SYSTEM,
                "EventData": st.none() | DATA,
                "UserData": st.sampled_from([None, None, {"Inner": {"User": "lan", "Image": "tool"}}]),
            }
        )
    }
)
WINLOG = st.fixed_dictionaries(
    {
        "@timestamp": texts("2026-11-11T08:00:00Z"),
        "message": texts("mimikatz", "x"),
        "winlog": st.none()
        | st.fixed_dictionaries(
            {
                "channel": texts(SYSMON, "Security"),
                "event_id": st.sampled_from([None, 1, 4624]),
                "provider_name": texts("Acme"),
                "event_data": st.none() | DATA,
                "user_data": st.sampled_from([None, None, {"User": "lan"}]),
            }
        ),
        "event": st.sampled_from([None, {"code": 1}, {"code": 4624}]),
    }
)
OTHER = st.fixed_dictionaries(
    {
        "eventSource": texts("cloudtrail.amazonaws.com"),
        "eventName": texts("StopLogging", "mimikatz"),
        "awsRegion": texts("ap-southeast-1"),
        "userIdentity": st.sampled_from([None, {"type": "Root"}, {"type": None}, {"type": "User"}]),
        "RequestMethod": texts("POST", "GET"),
        "RequestPath": texts("/a", "/b"),
        "DownstreamStatus": st.sampled_from([None, 200, 404]),
        "tags": texts("bad", "good"),
        "a.b.c": texts("x", "y"),
        "a": st.sampled_from([None, {"b": {"c": "x"}}, {"b": {"c": None}}]),
    }
)
SYSMON_ALONE = st.fixed_dictionaries(
    {
        "Channel": texts(SYSMON, "Security"),
        "EventID": st.sampled_from([1, 4624]),
        "UtcTime": texts("2026-11-11 08:00:00.000"),
        "Image": texts("/bin/sh"),
        "Message": texts(
            "Process Create:\nUtcTime: 2026-11-11 08:00:00.000\nImage: C:\\tool.exe\nUser: hoa",
            "Image: C:\\tool.exe",
        ),
    }
)
BEATS = st.fixed_dictionaries(
    {
        "log_name": texts(SYSMON, "Security"),
        "event_id": st.sampled_from([None, 1, 4624]),
        "event_data": st.none() | DATA,
    }
)
RECORD = st.fixed_dictionaries(
    {
        "LogName": texts(SYSMON),
        "Id": st.sampled_from([None, 1]),
        "ProviderName": texts("Acme"),
        "Image": texts("C:\\tool.exe"),
    }
)
INSIDE = st.fixed_dictionaries(
    {
        "CloudTrailEvent": texts(
            '{"eventSource": "x", "eventName": "StopLogging", "awsRegion": "r", '
            '"userIdentity": {"type": "Root"}}'
        ),
        "tags": texts("bad"),
    }
)
WRAPPED = st.fixed_dictionaries({"_source": st.none() | FLAT})


@pytest.mark.parametrize(
    "shape",
    [FLAT, EVENT, WINLOG, OTHER, WRAPPED, SYSMON_ALONE, BEATS, RECORD, INSIDE],
    ids=["flat", "event", "winlog", "other", "wrapped", "sysmon", "beats", "record", "inside"],
)
@pytest.mark.parametrize("bulky", [False, True], ids=["small", "bulky"])
@settings(
    suppress_health_check=list(HealthCheck),
    max_examples=15,
)
@given(data=st.data())
def test_both_formats_give_the_same_findings(
    shape: st.SearchStrategy[dict[str, Any]],
    *,
    bulky: bool,
    data: st.DataObject,
    rules: Ruleset,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    events = data.draw(st.lists(shape, min_size=1, max_size=20))
    with pytest.MonkeyPatch.context() as patched:
        if bulky:
            # All texts are of large columns, and a stretch of these has few rows.
            patched.setattr(row_groups, "_MOST_REPEATING", 0)
            patched.setattr(row_groups, "_BULKY", data.draw(st.sampled_from([0, 10, 50])))
            patched.setattr(parquet, "_STRETCHES", data.draw(st.sampled_from([1 << 17, 1 << 19, 1 << 21])))
        compare(events, data, rules, tmp_path_factory)


def compare(
    events: list[dict[str, Any]],
    data: st.DataObject,
    rules: Ruleset,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    try:
        both(events, tmp_path_factory.mktemp("both"), rules, data.draw(st.integers(1, 25)))
    except ValueError as error:
        # A structure that never has a member cannot be written as Parquet.
        assert "no child field" in str(error)


def test_the_rules_of_this_test_can_fire(rules: Ruleset, tmp_path: Path) -> None:
    common = {"Channel": SYSMON, "EventID": 1, "Hostname": "h1"}
    events = [
        {**common, "Image": "C:\\x\\tool.exe", "ParentImage": "C:\\x\\tool.exe", "User": "hoa"},
        {**common, "CommandLine": "run MimiKatz now", "Image": "x", "User": "lan"},
        {
            "Channel": "Security",
            "EventID": 4624,
            "TargetUserName": "hoa",
            "LogonType": 4747,
            "Hostname": "h1",
        },
        {"Channel": "System", "EventID": 3, "SourceName": "Acme"},
    ]
    found = both(events, tmp_path, rules)
    assert [(record, title) for record, title, *_ in found] == [
        (1, "Ends"), (1, "No value"), (1, "Not"), (1, "Exists"), (1, "Pair"), (2, "Exists"), (2, "Anywhere"),
        (3, "Digits"), (3, "Number"), (3, "Logon"), (4, "Old name"),
    ]  # fmt: skip


def test_other_origins_are_recognised_by_their_columns(rules: Ruleset, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = [
        {"eventSource": "x", "eventName": "StopLogging", "awsRegion": "r", "userIdentity": {"type": "Root"}},
        {"RequestMethod": "POST", "RequestPath": "/a", "DownstreamStatus": 200},
        {"tags": "bad", "a": {"b": {"c": "x"}}},
    ]
    found = both(events, tmp_path, rules)
    assert [(record, title, origin) for record, title, _, _, origin, *_ in found] == [
        (1, "Cloud", "cloudtrail"),
        (2, "Web", "webserver"),
        (3, "Anything", "json"),
        (3, "Deep", "json"),
    ]


def test_only_the_columns_that_rules_need_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from haidang.events.row_groups import RowGroup

    read: set[str] = set()
    original = RowGroup.array

    def array(self: RowGroup, path: tuple[str, ...], *rest: Any, **how: Any) -> Any:
        read.add(".".join(path))
        return original(self, path, *rest, **how)

    monkeypatch.setattr(RowGroup, "array", array)
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES.split("---\n", maxsplit=1)[0], "utf-8")
    needed = {"Channel": [SYSMON] * 4, "EventID": [1] * 4, "Image": ["a"] * 4, "UtcTime": ["x"] * 4}
    events = {**needed, "Message": ["long"] * 4}
    pq.write_table(pa.table(events), tmp_path / "quiet.parquet")
    assert not list(scan(tmp_path / "quiet.parquet", rules=load_rules(rules, cache=False)))
    assert read == needed.keys()
    events["Image"] = ["a", "x\\tool.exe", "b", "c"]
    pq.write_table(pa.table(events), tmp_path / "loud.parquet")
    (finding,) = scan(tmp_path / "loud.parquet", rules=load_rules(rules, cache=False))
    assert finding.event == {"Image": "x\\tool.exe"}
    assert read == needed.keys()
    (finding,) = scan(tmp_path / "loud.parquet", rules=load_rules(rules, cache=False), full_event=True)
    assert (finding.source.record, finding.event["Message"]) == (2, "long")
    assert "Message" in read


def test_recorded_attacks_give_the_same_findings(corpora: Path, tmp_path: Path) -> None:
    from benchmarks.data import windows_events

    events = windows_events(corpora, tmp_path, most=6000)
    assert len(events) == 6000
    rules = load_rules(corpora / "sigma_all_rules.zip")
    assert len(both(events, tmp_path, rules, 4000)) > 10
