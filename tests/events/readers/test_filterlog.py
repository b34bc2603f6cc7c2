"""The packets that pfSense and OPNsense log are read by the meaning of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers import syslog
from haidang.events.readers.filterlog import READER
from tests.events.readers.feeding import feed, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SEEN = feed(READER, sample("filterlog", "filter.log"))


def test_a_tcp_packet_has_ports_and_flags() -> None:
    line = sample("filterlog", "filter.log").decode().splitlines()[0]
    event = dict(SEEN.events[0])
    assert event.pop("time").endswith("-11-11T21:58:57")
    assert event == {
        "timestamp": "Nov 11 21:58:57",
        "program": "filterlog",
        "pid": "9265",
        "raw": line,
        "rule": "7",
        "tracker": "1000000102",
        "interface": "igb0",
        "reason": "match",
        "action": "block",
        "direction": "in",
        "ip_version": "4",
        "ttl": "64",
        "id": "19008",
        "ip_flags": "DF",
        "protocol": "tcp",
        "length": "60",
        "src_ip": "203.0.113.9",
        "dst_ip": "198.51.100.1",
        "src_port": "42970",
        "dst_port": "22",
        "data_length": "0",
        "tcp_flags": "S",
    }


def test_a_udp_packet_has_ports() -> None:
    event = SEEN.events[2]
    assert (event["protocol"], event["src_port"], event["dst_port"]) == ("udp", "50113", "53")
    assert (event["action"], event["data_length"]) == ("pass", "51")


def test_an_ipv6_packet_of_another_protocol_has_the_rest_as_detail() -> None:
    event = SEEN.events[3]
    assert (event["ip_version"], event["protocol"]) == ("6", "icmpv6")
    assert (event["src_ip"], event["dst_ip"]) == ("2001:db8:77::9", "2001:db8:1::1")
    assert event["detail"] == "echo request,7,1"
    assert "src_port" not in event


def test_a_record_that_ends_early_has_what_is_there() -> None:
    line = (
        b"Nov 11 21:58:57 filterlog[1]: 7,,,1,igb0,match,block,in,4,0x0,,64,19008,0,DF,6,tcp,60,203.0.113.9"
    )
    event = feed(READER, line).events[0]
    assert event["src_ip"] == "203.0.113.9"
    assert "dst_ip" not in event


@pytest.mark.parametrize("message", ["", "reloading rules", "7,,,1,igb0,match,block,in,5,x", "a,b,c"])
def test_what_is_no_packet_stays_syslog(message: str) -> None:
    assert feed(READER, f"Nov 11 21:58:57 filterlog[1]: {message}".encode()).origins == ["syslog"]


def test_the_firewall_s_own_file_is_recognised() -> None:
    assert READER.recognises(head(sample("filterlog", "filter.log"))) == 93
    assert READER.recognises(head(sample("syslog", "collector.log"))) == 0


def test_reads_the_firewall_log_of_the_corpora(corpora: Path) -> None:
    data = (corpora / "logs" / "pfsense-rfc5424-filterlog__pfsense-rfc5424-filterlog.log").read_bytes()
    seen = feed(syslog.READER, data)
    assert seen.origins == ["filterlog"] * 4
    assert {event["action"] for event in seen.events} == {"block"}
    assert {event["dst_port"] for event in seen.events} == {"80", "443"}
    assert {event["ip_version"] for event in seen.events} == {"4", "6"}
