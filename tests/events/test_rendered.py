"""A Sysmon event whose data a shipper left out gets its fields from the rendered message."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.rendered import sysmon_fields
from haidang.events.shapes import flatten, recognise, unwrap
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

CHANNEL = "Microsoft-Windows-Sysmon/Operational"
MESSAGE = (
    "Process Create:\r\nRuleName: -\r\nUtcTime: 2026-11-11 00:00:01.120\r\n"
    "ProcessGuid: {0a1b-02}\r\nProcessId: 4120\r\nImage: C:\\Windows\\System32\\whoami.exe\r\n"
    "Description: \r\nCommandLine: whoami /all\r\nUser: HOAVANG\\lan.tt\r\n"
    'Hashes: MD5=00,SHA256=11\r\nParentCommandLine: "C:\\a b\\w.exe" /n\r\n'
)
SHAPES: dict[str, dict[str, Any]] = {
    "winlogbeat": {
        "winlog": {"channel": CHANNEL, "event_id": 1, "computer_name": "ws-07"},
        "message": MESSAGE,
    },
    "beats": {"log_name": CHANNEL, "event_id": 1, "computer_name": "ws-07", "message": MESSAGE},
    "flat": {"Channel": CHANNEL, "EventID": 1, "Computer": "ws-07", "Message": MESSAGE},
    "splunk": {"LogName": CHANNEL, "EventCode": 1, "Computer": "ws-07", "Message": MESSAGE},
    "record": {
        "LogName": CHANNEL,
        "Id": 1,
        "ProviderName": "Microsoft-Windows-Sysmon",
        "MachineName": "ws-07",
        "Message": MESSAGE,
    },
}


def test_each_line_is_a_field() -> None:
    assert sysmon_fields(MESSAGE) == {
        "RuleName": "-",
        "UtcTime": "2026-11-11 00:00:01.120",
        "ProcessGuid": "{0a1b-02}",
        "ProcessId": "4120",
        "Image": r"C:\Windows\System32\whoami.exe",
        "Description": "",
        "CommandLine": "whoami /all",
        "User": r"HOAVANG\lan.tt",
        "Hashes": "MD5=00,SHA256=11",
        "ParentCommandLine": r'"C:\a b\w.exe" /n',
    }


def test_line_ends_in_a_value_hide_nothing() -> None:
    forged = MESSAGE.replace("whoami /all", "echo 1\nsecond line\nImage: C:\\Windows\\explorer.exe")
    fields = sysmon_fields(forged)
    assert fields["CommandLine"] == "echo 1\nsecond line"
    assert fields["Image"] == [r"C:\Windows\System32\whoami.exe", r"C:\Windows\explorer.exe"]


@pytest.mark.parametrize(
    "text", ["", "Process Create:", "An account was logged on.\r\n\r\nSubject:\r\n\tName: x"]
)
def test_other_messages_have_no_fields(text: str) -> None:
    assert sysmon_fields(text) == {}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gets_its_fields_from_the_message_alone(shape: str) -> None:
    assert recognise(SHAPES[shape]) == shape
    fields = flatten(shape, SHAPES[shape])
    assert (fields["Channel"], fields["EventID"], fields["Computer"]) == (CHANNEL, 1, "ws-07")
    assert fields["Image"] == r"C:\Windows\System32\whoami.exe"


def test_data_of_its_own_goes_before_the_message() -> None:
    event = {"Channel": CHANNEL, "EventID": 1, "UtcTime": "x", "Message": MESSAGE}
    assert "Image" not in flatten("flat", event)
    event = {"Channel": CHANNEL, "EventID": 1, "Image": "x", "Message": MESSAGE}
    assert flatten("flat", event)["Image"] == "x"
    event = {"Channel": "Security", "EventID": 1, "Message": MESSAGE}
    assert "Image" not in flatten("flat", event)


def test_winlogbeat_6_keeps_data_below_the_event() -> None:
    event = {"log_name": "Security", "event_id": 4624, "event_data": {"LogonType": "3"}, "source_name": "P"}
    assert flatten("beats", event) == {
        "Channel": "Security",
        "EventID": 4624,
        "Provider_Name": "P",
        "LogonType": "3",
    }


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wrapper", ["", "_source"])
def test_rules_fire_also_where_documents_of_the_other_kind_came_before(
    shape: str, wrapper: str, tmp_path: Path
) -> None:
    rules = write_rules(
        tmp_path / "rules",
        process=("product: windows, category: process_creation", r"Image|endswith: \whoami.exe"),
    )
    whole = dict(SHAPES[shape], UtcTime="x", Image="C:\\a.exe")
    if shape in {"winlogbeat", "beats"}:
        data = {"UtcTime": "x", "Image": "C:\\a.exe"}
        whole = dict(SHAPES[shape], event_data=data)
        if shape == "winlogbeat":
            whole["winlog"] = {**whole["winlog"], "event_data": data}
    documents = [whole, whole, SHAPES[shape], whole, SHAPES[shape]]
    lines = [orjson.dumps({wrapper: one} if wrapper else one) for one in documents]
    assert unwrap(orjson.loads(lines[0]))[0] == wrapper
    assert fired(tmp_path, b"\n".join(lines) + b"\n", rules) == {("process", "3"), ("process", "5")}


def test_rules_on_the_time_itself_hold_also_where_documents_repeat(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        time=("product: windows, category: process_creation", "UtcTime|contains: ':05.'\nImage: C:\\a.exe"),
        image=("product: windows, category: process_creation", "Image: C:\\a.exe"),
    )
    event = {"Channel": CHANNEL, "EventID": 1, "Image": "C:\\a.exe"}
    lines = [orjson.dumps({**event, "UtcTime": f"2026-11-11 00:00:{at:02}.120"}) for at in range(30)]
    found = fired(tmp_path, b"\n".join(lines) + b"\n", rules)
    assert {record for title, record in found if title == "time"} == {"6"}
    assert len({record for title, record in found if title == "image"}) == 30


@given(st.text(max_size=300))
def test_any_message_is_survived(text: str) -> None:
    for value in sysmon_fields("RuleName: -\n" + text).values():
        assert isinstance(value, str | list)


@pytest.mark.parametrize(
    "line", ["A" * 3_000_000, "Aa: b\n" * 300_000, "\n" * 1_000_000, "UtcTime: \n" * 300_000]
)
def test_hostile_messages_take_linear_time(line: str) -> None:
    began = time.process_time()
    assert sysmon_fields("RuleName: -\n" + line)
    assert time.process_time() - began < 3
