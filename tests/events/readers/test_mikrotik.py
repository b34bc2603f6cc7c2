"""RouterOS's packets and sign-ins are read, alone and from a collector's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers import syslog
from haidang.events.readers.mikrotik import READER
from tests.events.readers.feeding import feed, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SEEN = feed(READER, sample("mikrotik", "routeros.log"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, {"topics": "firewall,info", "topic": "firewall", "prefix": "chan drop", "chain": "input"}),
        (0, {"action": "drop", "protocol": "tcp", "flags": "SYN", "in": "ether1-WAN", "length": "40"}),
        (0, {"src_ip": "203.0.113.9", "src_port": "41000", "dst_ip": "198.51.100.1", "dst_port": "23"}),
        (1, {"action": "accept", "out": "ether1-WAN", "dst_ip": "203.0.113.77", "length": "60"}),
        (2, {"src_ip": "2001:db8:77::9", "dst_ip": "2001:db8:1::1", "dst_port": "53", "protocol": "udp"}),
        (3, {"action": "login_failed", "user": "quan tri", "src_ip": "203.0.113.9", "service": "winbox"}),
        (4, {"action": "logged_in", "user": "quantri", "src_ip": "10.20.0.5", "service": "ssh"}),
        (5, {"topic": "dhcp", "message": "may-in assigned 10.20.0.77 for 00:17:10:88:BC:04"}),
    ],
)
def test_each_message_is_taken_apart(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_a_packet_of_a_rule_without_prefix_claims_no_action() -> None:
    assert "action" not in SEEN.events[2]
    assert "prefix" not in SEEN.events[2]


@pytest.mark.parametrize(
    "line",
    ["firewall: x", "info,firewall x", "system started", "Nov 11 21:59:02 h sshd[1]: system,info x", "a,b c"],
)
def test_what_has_no_topics_is_not_taken(line: str) -> None:
    assert feed(READER, line.encode()).origins == ["syslog"]
    assert READER.recognises(head(line.encode())) == 0


def test_topics_that_look_like_a_program_are_read_too() -> None:
    event = feed(
        READER, b"Nov 11 21:59:02 hv-mt01 system,info: user a logged out from 10.20.0.5 via web"
    ).events[0]
    assert (event["topics"], event["action"], event["hostname"]) == ("system,info", "logged_out", "hv-mt01")


def test_reads_what_the_corpora_have_of_routeros(corpora: Path) -> None:
    paths = sorted((corpora / "logs").glob("mikrotik*.log"))
    assert len(paths) == 2
    events = []
    for path in paths:
        data = path.read_bytes()
        assert syslog.READER.recognises(head(data)) == 80
        seen = feed(syslog.READER, data)
        assert set(seen.origins) == {"mikrotik"}
        assert seen.report.complete
        events += seen.events
    packets = [event for event in events if event["topic"] == "firewall"]
    assert packets
    assert all(event["src_ip"] and event["dst_ip"] and event["protocol"] for event in packets)
    assert {event["action"] for event in events if "login failure" in event["message"]} == {"login_failed"}
