"""Windows events of forensic tools and SIEMs have the fields that Windows gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from haidang.events.shapes import flatten, recognise, unwrap
from haidang.inquiry.questions import Question
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

CHANNEL = "Microsoft-Windows-Sysmon/Operational"
TIME = "2026-05-11T03:14:15.123Z"
DATA = {
    "UtcTime": "2026-05-11 03:14:15.123",
    "Image": r"C:\Windows\System32\vssadmin.exe",
    "CommandLine": r'"C:\Windows\System32\vssadmin.exe" delete shadows /all',
    "User": r"HAIVAN\lan",
}
_PAYLOAD = {"EventData": {"Data": [{"@Name": name, "#text": value} for name, value in DATA.items()]}}
_XML = "".join(
    f'<Data Name="{name}">{value}</Data>' for name, value in DATA.items()
)  # None of the values has a bracket.


def _wazuh(escape: bool) -> dict[str, Any]:  # noqa: FBT001 - one parameter of a sample
    def written(value: str) -> str:
        return json.dumps(value)[1:-1] if escape else value

    return {
        "timestamp": "2026-05-11T10:14:16.000+0700",
        "agent": {"id": "003", "name": "PC01"},
        "data": {
            "win": {
                "system": {
                    "providerName": "Microsoft-Windows-Sysmon",
                    "eventID": "1",
                    "systemTime": TIME,
                    "channel": CHANNEL,
                    "computer": "PC01",
                },
                "eventdata": {name[0].lower() + name[1:]: written(value) for name, value in DATA.items()},
            }
        },
    }


DOCUMENTS: dict[str, dict[str, Any]] = {
    "velociraptor": {
        "System": {
            "Provider": {"Name": "Microsoft-Windows-Sysmon"},
            "EventID": {"Value": 1},
            "TimeCreated": {"SystemTime": 1778469255.123},
            "Channel": CHANNEL,
            "Computer": "PC01",
        },
        "EventData": DATA,
        "OSPath": "C:\\x.evtx",
    },
    "wazuh": _wazuh(escape=False),
    "wazuh_escaped": _wazuh(escape=True),
    "wazuh_of_elastic": {"_index": "wazuh-alerts", "_source": _wazuh(escape=True)},
    "evtxecmd": {
        "EventId": 1,
        "Channel": CHANNEL,
        "Provider": "Microsoft-Windows-Sysmon",
        "Computer": "PC01",
        "TimeCreated": TIME,
        "Payload": json.dumps(_PAYLOAD),
        "PayloadData1": "x",
    },
    "dotted": {
        "@timestamp": TIME,
        "winlog.channel": CHANNEL,
        "winlog.event_id": "1",
        "winlog.computer_name": "PC01",
        **{f"winlog.event_data.{name}": value for name, value in DATA.items()},
    },
    "fields_of_elastic": {
        "_index": "winlogbeat",
        "fields": {
            "@timestamp": [TIME],
            "winlog.channel": [CHANNEL],
            "event.code": ["1"],
            "winlog.event_id": ["1"],
            "host.name": ["PC01"],
            **{f"winlog.event_data.{name}": [value] for name, value in DATA.items()},
        },
    },
    "azure_event": {
        "TimeGenerated": TIME,
        "EventLog": CHANNEL,
        "EventID": 1,
        "Source": "Microsoft-Windows-Sysmon",
        "Computer": "PC01",
        "EventData": f'<DataItem type="System.XmlData"><EventData xmlns="x">{_XML}</EventData></DataItem>',
    },
    "azure_windows_event": {
        "TimeGenerated": TIME,
        "Channel": CHANNEL,
        "EventID": 1,
        "Provider": "Microsoft-Windows-Sysmon",
        "Computer": "PC01",
        "EventData": DATA,
    },
    "azure_windows_event_as_text": {
        "TimeGenerated": TIME,
        "Channel": CHANNEL,
        "EventID": "1",
        "Computer": "PC01",
        "EventData": json.dumps(DATA),
    },
}


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_the_fields_are_those_of_windows(name: str) -> None:
    inner = unwrap(DOCUMENTS[name])[1]
    fields = flatten(recognise(inner), inner)
    assert {key: fields.get(key) for key in DATA} == DATA
    assert (fields["Channel"], str(fields["EventID"]), fields["Computer"]) == (CHANNEL, "1", "PC01")


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_rules_fire_on_each_of_many_events(name: str, tmp_path: Path) -> None:
    # More of them than are matched before a decoder of their own is made for documents of one kind.
    rules = write_rules(
        tmp_path / "rules",
        shadows=(
            "product: windows, category: process_creation",
            "Image|endswith: '\\vssadmin.exe'\nCommandLine|contains: delete shadows",
        ),
    )
    data = b"".join(json.dumps(DOCUMENTS[name]).encode() + b"\n" for _ in range(40))
    assert fired(tmp_path, data, rules) == {("shadows", str(number)) for number in range(1, 41)}
    question = Question((str(tmp_path / "log"),))
    found = {(event.origin, question.host(event), question.time(event)) for event in question.events()}
    assert found == {("windows", "PC01", 1778469255_123000000)}


def test_a_shape_may_follow_flat_events(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        shadows=("product: windows, category: process_creation", "CommandLine|contains: delete shadows"),
    )
    flat = {"Channel": CHANNEL, "EventID": 1, "UtcTime": TIME, "CommandLine": "whoami"}
    lines = [flat] * 40 + list(DOCUMENTS.values())
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    expected = {("shadows", str(number)) for number in range(41, 41 + len(DOCUMENTS))}
    assert fired(tmp_path, data, rules) == expected


def test_what_was_not_escaped_stays() -> None:
    document = _wazuh(escape=False)
    document["data"]["win"]["eventdata"]["path"] = r"\\server\share\x"
    assert flatten("wazuh", document)["Path"] == r"\\server\share\x"


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"EventId": 1, "Channel": "x", "Payload": '{"EventData": {"a": "vssadmin'}, "Payload"),
        ({"EventLog": "x", "EventID": 1, "Source": "s", "EventData": "<Data>vssadmin<Data>"}, "EventData"),
    ],
)
def test_data_that_were_cut_short_stay_as_text(document: dict[str, Any], name: str) -> None:
    assert flatten(recognise(document), document)[name] == document[name]


@pytest.mark.parametrize(
    "document",
    [
        {"EventId": 1, "Channel": "x", "Payload": "{broken"},
        {"EventId": 1, "Channel": "x", "Payload": "[1]"},
        {"EventId": 1, "Channel": "x", "Payload": '{"UserData":' + '{"a":' * 1000 + "1" + "}" * 1001},
        {"EventId": 1, "Channel": "x", "Payload": '{"EventData":{"Data":["a",null,{"@Name":3}]}}'},
        {"data": {"win": {"system": {}, "eventdata": []}}},
        {"data": {"win": {"system": {"message": 3}, "other": {"a": [1]}}}},
        {"EventLog": "x", "EventID": 1, "Source": "s", "EventData": "<Data><Data>"},
        {"EventLog": "x", "EventID": 1, "Source": "s", "EventData": "<!DOCTYPE a><Data/>"},
        {"System": {"EventID": None}, "EventData": "text", "UserData": [1]},
        {"winlog.event_id": None, "winlog.event_data": {"a": 1}, "winlog.event_data.": 1},
    ],
)
def test_nonsense_raises_nothing(document: dict[str, Any]) -> None:
    assert isinstance(flatten(recognise(document), document), dict)


def test_a_time_that_kibana_shows_comes_after_one_in_utc(tmp_path: Path) -> None:
    shown = {**DOCUMENTS["dotted"], "@timestamp": "May 11, 2026 @ 10:14:15.123"}
    alone = {name: value for name, value in shown.items() if not name.endswith("UtcTime")}
    file = tmp_path / "discover.json"
    file.write_text("".join(json.dumps(one) + "\n" for one in (shown, alone)))
    question = Question((str(file),))
    assert [question.time(event) for event in question.events()] == [
        1778469255_123000000,
        1778494455_123000000,
    ]
