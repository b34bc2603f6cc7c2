"""PAN-OS's columns have the names that its documentation gives them."""

from __future__ import annotations

import pytest

from haidang.events.readers.paloalto import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

SEEN = feed(READER, sample("paloalto", "traffic.csv"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, {"type": "TRAFFIC", "subtype": "end", "src": "10.20.0.31", "dst": "203.0.113.77", "dport": "23"}),
        (0, {"rule": "cho-ra-ngoai", "app": "telnet", "proto": "tcp", "action": "allow", "bytes": "4932"}),
        (0, {"srcuser": "haivan\\hoa.nt", "session_end_reason": "tcp-fin", "device_name": "hv-pa01"}),
        (1, {"action": "deny", "src": "203.0.113.9", "dport": "22", "session_end_reason": "policy-deny"}),
        (2, {"misc": "tai-lieu.example/mau,2026.exe?id=7", "threatid": "(9999)", "http_method": "get"}),
        (2, {"url_host": "tai-lieu.example", "url_query": "id=7", "url_extension": "exe"}),
        (2, {"user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64, x64)", "device_name": "hv-pa01"}),
        (3, {"subtype": "virus", "misc": "mau,2026.exe", "threatid": "Trojan/ThuNghiem.A(4281)"}),
        (4, {"type": "SYSTEM", "eventid": "globalprotectgateway-auth-fail", "object": "CONG-VPN"}),
        (
            5,
            {
                "type": "CONFIG",
                "cmd": "set",
                "admin": "quantri",
                "result": "Succeeded",
                "host": "203.0.113.9",
            },
        ),
    ],
)
def test_columns_are_read_by_their_names(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_a_quoted_column_may_hold_commas() -> None:
    assert SEEN.events[4]["opaque"].endswith("Login from: 203.0.113.9, User name: hoa.nt.")


def test_every_time_is_understood() -> None:
    assert all(parse_time(event["time_generated"]) for event in SEEN.events)


def test_a_type_that_is_not_known_has_the_columns_of_all() -> None:
    line = b"1,2026/11/11 21:58:57,0012,HIPMATCH,0,1,2026/11/11 21:58:57,hoa.nt,vsys1"
    event = feed(READER, line).events[0]
    assert (event["type"], event["time_generated"]) == ("HIPMATCH", "2026/11/11 21:58:57")
    assert event["raw"] == line.decode()


@pytest.mark.parametrize(
    "line",
    ["1,2026/11/11,x,TRAFFIC,", "a,b,c,d", "1,2026/11/11 21:58:57,0012,traffic,end", "time,src,dst,action"],
)
def test_other_tables_are_not_taken(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0


def test_an_export_is_recognised() -> None:
    assert READER.recognises(head(sample("paloalto", "traffic.csv"))) == 93
