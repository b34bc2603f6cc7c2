"""OpenVPN's log says who came in, from where, and who was turned away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers.openvpn import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SEEN = feed(READER, sample("openvpn", "server.log"))
OLDER = feed(READER, sample("openvpn", "older.log"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (1, {"src_ip": "203.0.113.9", "src_port": "51234", "action": "tls_error"}),
        (3, {"action": "authenticated", "user": "hoa.nt"}),
        (4, {"action": "connected", "user": "hoa.nt", "src_ip": "203.0.113.77"}),
        (5, {"virtual_ip": "10.8.0.6", "user": "hoa.nt", "src_port": "40022"}),
        (6, {"action": "auth_failed", "src_ip": "203.0.113.9"}),
        (7, {"action": "disconnected", "user": "hoa.nt"}),
    ],
)
def test_each_line_says_what_became_of_a_peer(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_a_line_of_the_server_is_its_text() -> None:
    assert SEEN.events[0]["message"].startswith("OpenVPN 2.6.8")
    assert "src_ip" not in SEEN.events[0]


def test_the_time_of_earlier_versions_is_read() -> None:
    assert OLDER.events[0]["timestamp"] == "Wed Nov 11 21:58:57 2026"
    assert (OLDER.events[0]["action"], OLDER.events[0]["src_ip"]) == ("tls_error", "203.0.113.9")
    assert OLDER.events[2]["message"] == "Initialization Sequence Completed"
    assert all(parse_time(event["timestamp"]) for event in [*SEEN.events, *OLDER.events])


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("[2001:db8::1]:40022", "2001:db8::1"),
        ("2001:db8::1:40022", "2001:db8::1"),
        ("udp4:10.0.0.1:40022", "10.0.0.1"),
        ("hoa/10.0.0.1:40022", "10.0.0.1"),
    ],
)
def test_peers_are_read_as_they_are_written(peer: str, address: str) -> None:
    event = feed(READER, f"2026-11-11 21:58:57 {peer} TLS Error: x".encode()).events[0]
    assert (event["src_ip"], event["src_port"], event["message"]) == (address, "40022", "TLS Error: x")


def test_a_peer_that_is_not_known_yet_has_no_user() -> None:
    line = b"2026-11-11 21:58:57 10.0.0.1:4 [UNDEF] Peer Connection Initiated with [AF_INET]10.0.0.1:4"
    assert "user" not in feed(READER, line).events[0]


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-11 21:58:57 Started the service",
        "2026-11-11 21:58:57,123 INFO [main] TLS Error: x",
        "2026-11-11 21:58:57 10.0.0.1 - GET /",
        "OpenVPN 2.6.8",
    ],
)
def test_other_logs_with_such_times_are_not_taken(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_reads_what_the_corpora_have_of_openvpn(corpora: Path) -> None:
    data = (corpora / "logs" / "openvpn__openvpn.log").read_bytes()
    assert READER.recognises(head(data)) == 93
    seen = feed(READER, data)
    assert seen.report.complete
    assert set(seen.origins) == {"openvpn"}
    assert len(seen.events) == sum(bool(line.strip()) for line in data.splitlines())
    assert {event.get("action") for event in seen.events} >= {"connected", "tls_error"}
