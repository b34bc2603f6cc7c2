"""The packets that the Linux kernel logs are read, with what the rule's prefix says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers import syslog
from haidang.events.readers.netfilter import READER
from tests.events.readers.feeding import feed, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SEEN = feed(READER, sample("netfilter", "dmesg.txt"))
PACKET = "IN=eth0 OUT= SRC=203.0.113.9 DST=10.20.0.8 PROTO=TCP SPT=1 DPT=2"


def test_a_packet_has_the_names_that_the_kernel_gives() -> None:
    event = SEEN.events[0]
    assert (event["SRC"], event["DST"], event["PROTO"], event["DPT"]) == (
        "203.0.113.9",
        "10.20.0.8",
        "TCP",
        "22",
    )
    assert (event["prefix"], event["action"], event["flags"]) == ("UFW BLOCK", "drop", "SYN")
    assert "OUT" not in event
    assert SEEN.events[1]["flags"] == "DF SYN"


def test_a_packet_inside_the_packet_is_left_alone() -> None:
    event = SEEN.events[3]
    assert (event["SRC"], event["DST"], event["PROTO"]) == ("203.0.113.9", "10.20.0.8", "ICMP")
    assert "DPT" not in event
    assert "action" not in event


@pytest.mark.parametrize(
    ("prefix", "action"),
    [
        ("[UFW BLOCK] ", "drop"),
        ("[UFW ALLOW] ", "accept"),
        ("[UFW AUDIT] ", None),
        ("FINAL_REJECT: ", "reject"),
        ("filter_IN_public_DENY: ", "drop"),
        ("WAN_LOCAL-default-D ", "drop"),
        ("[WAN_IN-2000-A] ", "accept"),
        ("DROP invalid: ", "drop"),
        ("A new one ", None),
        ("", None),
        ("[ 8112.417001] nft accept ", "accept"),
    ],
)
def test_the_prefix_says_what_became_of_a_packet(prefix: str, action: str | None) -> None:
    event = feed(READER, (prefix + PACKET).encode()).events[0]
    assert event.get("action") == action
    assert event["DPT"] == "2"


@pytest.mark.parametrize("line", ["IN=eth0 OUT=", "IN=eth0 SRC=1", "MAIN=1 OUT=2", '{"IN=": " OUT= SRC="}'])
def test_what_is_no_packet_is_not_taken(line: str) -> None:
    assert feed(READER, line.encode()).origins == ["syslog"]
    assert READER.recognises(head(line.encode())) == 0


def test_the_output_of_dmesg_is_recognised() -> None:
    assert READER.recognises(head(sample("netfilter", "dmesg.txt"))) == 93


def test_reads_the_packets_of_the_corpora(corpora: Path) -> None:
    data = (corpora / "logs" / "iptables-scan-multi-port__iptables-scan-multi-port.log").read_bytes()
    seen = feed(syslog.READER, data)
    assert set(seen.origins) == {"netfilter"}
    assert len(seen.events) == sum(bool(line.strip()) for line in data.splitlines())
    assert all(event["SRC"] and event["DPT"] and event["hostname"] for event in seen.events)
