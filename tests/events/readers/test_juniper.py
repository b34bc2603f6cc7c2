"""Junos' flows, commands and routing messages are read, plain and structured."""

from __future__ import annotations

import pytest

from haidang.events.readers.juniper import READER
from tests.events.readers.feeding import feed, head, sample

SEEN = feed(READER, sample("juniper", "srx.log"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, {"tag": "RT_FLOW_SESSION_CREATE", "action": "create", "source-address": "10.20.0.31"}),
        (0, {"destination-address": "203.0.113.77", "destination-port": "23"}),
        (1, {"action": "deny", "source-address": "203.0.113.9", "destination-port": "22"}),
        (2, {"tag": "tcp_auth_ok", "message": "Packet from 203.0.113.9:179 missing MD5 digest"}),
        (3, {"user": "quantri", "command": "show configuration | display set "}),
        (4, {"program": "rpd", "tag": "bgp_read_v4_message"}),
    ],
)
def test_each_message_is_taken_apart(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_the_structured_form_has_its_own_parameters() -> None:
    line = (
        b"<14>1 2026-11-11T21:58:57+07:00 hv-srx RT_FLOW - RT_FLOW_SESSION_DENY "
        b'[junos@2636.1.1.1.2.40 source-address="203.0.113.9" destination-port="22" raw="forged"]'
    )
    seen = feed(READER, line)
    assert seen.origins == ["juniper"]
    event = seen.events[0]
    assert (event["tag"], event["action"], event["destination-port"]) == (
        "RT_FLOW_SESSION_DENY",
        "deny",
        "22",
    )
    assert event["raw"] == line.decode()
    assert "structured_data" not in event


@pytest.mark.parametrize(
    "line",
    [
        "Nov 11 21:58:57 hv-web01 kernel: [8112.5] device eth0 entered promiscuous mode",
        "Nov 11 21:58:57 hv-web01 kernel: tcp_v4_syn_recv_sock: x",
        "Nov 11 21:58:57 hv-web01 sshd[1]: tcp_auth_ok: x",
        "Nov 11 21:58:57 hv-web01 rt_flow: nothing",
    ],
)
def test_lines_of_linux_stay_syslog(line: str) -> None:
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_its_own_file_is_recognised() -> None:
    assert READER.recognises(head(sample("juniper", "srx.log"))) == 93
