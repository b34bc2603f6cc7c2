"""Cisco's messages say who spoke with whom, who signed in, and what was typed."""

from __future__ import annotations

import pytest

from haidang.events.readers.cisco import READER
from haidang.events.times import format_time, parse_time
from tests.events.readers.feeding import feed, head, sample

ASA = feed(READER, sample("cisco", "asa.log"))
IOS = feed(READER, sample("cisco", "ios.log"))


def test_a_connection_that_came_in_began_at_its_first_peer() -> None:
    event = ASA.events[0]
    assert event["message_id"] == "%ASA-6-302013"
    assert (event["component"], event["level"], event["mnemonic"]) == ("ASA", "6", "302013")
    assert event["timestamp"] == "Nov 11 2026 21:58:57"
    assert (event["action"], event["direction"], event["protocol"]) == ("built", "inbound", "tcp")
    assert (event["src_interface"], event["src_ip"], event["src_port"]) == ("outside", "203.0.113.9", "51234")
    assert (event["dst_interface"], event["dst_ip"], event["dst_port"]) == ("dmz", "10.20.0.8", "23")


def test_a_connection_that_went_out_began_at_its_second_peer() -> None:
    event = ASA.events[1]
    assert event["direction"] == "outbound"
    assert (event["src_interface"], event["src_ip"], event["src_port"]) == ("inside", "10.20.0.31", "50112")
    assert (event["dst_interface"], event["dst_ip"], event["dst_port"]) == ("outside", "203.0.113.77", "443")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (2, {"action": "deny", "src_ip": "203.0.113.9", "dst_ip": "10.20.0.8", "dst_port": "22"}),
        (2, {"src_interface": "outside", "dst_interface": "dmz", "acl": "tu_ngoai_vao"}),
        (3, {"action": "permitted", "src_interface": "outside", "src_port": "51241", "dst_port": "443"}),
        (
            4,
            {
                "action": "denied",
                "src_ip": "203.0.113.9",
                "dst_interface": "outside",
                "dst_ip": "198.51.100.1",
            },
        ),
        (5, {"action": "denied", "user": "quantri", "src_ip": "203.0.113.9", "dst_ip": "198.51.100.1"}),
        (6, {"action": "rejected", "user": "hoa.nt", "src_ip": "203.0.113.9"}),
        (7, {"user": "quantri", "src_ip": "10.20.0.5", "command": "no logging host inside 10.20.0.40"}),
        (8, {"user": "quantri", "command": "clear logging buffer"}),
        (9, {"action": "teardown", "dst_port": "23"}),
        (11, {"AccessControlRuleAction": "Allow", "DstIP": "203.0.113.77", "DstPort": "80"}),
    ],
)
def test_the_messages_of_an_asa_are_taken_apart(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= ASA.events[at].items()


def test_a_message_of_no_known_form_is_its_text() -> None:
    event = ASA.events[10]
    assert event["mnemonic"] == "104001"
    assert event["message"] == "(Primary) Switching to ACTIVE - Interface check."
    assert "action" not in event


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, {"message_id": "%SYS-5-CONFIG_I", "timestamp": "Nov 11 21:58:59.112"}),
        (1, {"acl": "101", "action": "denied", "src_port": "4100", "dst_ip": "10.20.0.8", "dst_port": "23"}),
        (2, {"acl": "101", "action": "permitted", "protocol": "icmp", "dst_ip": "10.20.0.8"}),
        (3, {"acl": "12", "action": "denied", "src_ip": "203.0.113.9"}),
        (4, {"user": "quantri", "command": "no aaa new-model"}),
        (5, {"component": "SEC_LOGIN", "user": "quantri", "src_ip": "203.0.113.9", "dst_port": "22"}),
        (7, {"component": "IP-TCP", "mnemonic": "BADAUTH", "timestamp": "Nov 11 2026 21:59:05"}),
    ],
)
def test_the_messages_of_ios_are_taken_apart(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= IOS.events[at].items()


def test_every_time_is_understood() -> None:
    times = [parse_time(event["timestamp"], now=1_795_000_000) for event in [*ASA.events, *IOS.events]]
    assert {format_time(time)[:10] for time in times if time is not None} == {"2026-11-11"}
    assert None not in times


@pytest.mark.parametrize(
    "line",
    [
        "Nov 11 21:59:02 hv-rt01 45: Nov 11 21:59:01.900 UTC: %SYS-5-RESTART: System restarted",
        "<189>45: hv-rt01: *Nov 11 21:59:01.900: %SYS-5-RESTART: System restarted",
        "<189>45: RP/0/RP0/CPU0:Nov 11 21:59:01.900 UTC: sys[65]: %SYS-5-RESTART : System restarted",
        "Nov 11 21:59:02 hv-asa01 : %SYS-5-RESTART: System restarted",
        "<189>: 2026 Nov 11 21:59:05 UTC: %SYS-5-RESTART: System restarted",
        "%SYS-5-RESTART: System restarted",
    ],
)
def test_the_headers_of_all_platforms_are_passed_over(line: str) -> None:
    seen = feed(READER, line.encode())
    assert seen.origins == ["cisco"]
    assert seen.events[0]["message_id"] == "%SYS-5-RESTART"
    assert seen.events[0]["message"] == "System restarted"
    assert seen.events[0]["raw"] == line


@pytest.mark.parametrize(
    "line",
    [
        "Nov 11 21:59:02 h cpu: 90% used",
        "100%-5-A: x",
        "%asa-6-302013: x",
        "%ASA-9-302013: x",
        "Nov 11 21:59:02 h %d",
    ],
)
def test_a_percent_sign_makes_no_message_of_cisco(line: str) -> None:
    assert feed(READER, line.encode()).origins == ["syslog"]
    assert READER.recognises(head(line.encode())) == 0


def test_lines_of_a_collector_are_left_to_syslog() -> None:
    assert READER.recognises(head(sample("cisco", "asa.log"))) == 93
    assert READER.recognises(head(sample("syslog", "collector.log"))) == 0
