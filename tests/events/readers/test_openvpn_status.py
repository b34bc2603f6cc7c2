"""A status file of OpenVPN tells who is connected, in any of its versions."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers
from haidang.events.readers.openvpn_status import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, feed_in_time, head, sample

FILES = ["status1.log", "status2.log", "status3.log"]


@pytest.mark.parametrize("name", FILES)
def test_a_client_and_a_route_are_an_event_each(name: str) -> None:
    seen = feed(READER, sample("openvpn_status", name))
    assert seen.report.complete
    online, route = seen.events
    client = {"user": "hoa", "src_ip": "203.0.113.9", "src_port": "51234"}
    assert client.items() <= online.items()
    assert client.items() <= route.items()
    assert (online["action"], online["bytes_received"], online["connected_since"]) == (
        "online",
        "1024",
        "2026-11-11 21:00:00",
    )
    assert (route["action"], route["virtual_ip"]) == ("route", "10.8.0.6")


@pytest.mark.parametrize(
    ("name", "time"),
    [("status1.log", "2026-11-11T21:58:57Z"), ("status2.log", "2026-11-11T14:58:57Z")],
)
def test_the_time_is_that_of_the_file(name: str, time: str) -> None:
    event = feed(READER, sample("openvpn_status", name)).events[0]
    assert parse_time(event["time"]) == parse_time(time)


def test_the_user_who_signed_in_counts_more_than_the_certificate() -> None:
    data = sample("openvpn_status", "status2.log").replace(b"UNDEF", b"lan")
    event = feed(READER, data).events[0]
    assert (event["user"], event["common_name"], event["cipher"]) == ("lan", "hoa", "AES-256-GCM")


def test_an_address_may_be_of_ipv6_and_name_the_protocol() -> None:
    for written, ip in (("[2001:db8::9]:51234", "2001:db8::9"), ("tcp4:203.0.113.9:51234", "203.0.113.9")):
        data = sample("openvpn_status", "status2.log").replace(b"203.0.113.9:51234", written.encode())
        event = feed(READER, data).events[0]
        assert (event["src_ip"], event["src_port"]) == (ip, "51234")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_it_is_recognised(name: str, end: str) -> None:
    data = sample("openvpn_status", name).decode().replace("\n", end).encode()
    assert recognise(make_head("log", data), readers()) is READER
    assert feed(READER, data).events == feed(READER, sample("openvpn_status", name)).events


@pytest.mark.parametrize("line", [b"OpenVPN 2.5", b"TITLE,x", b"CLIENT_LIST,a"])
def test_other_files_are_not_its(line: bytes) -> None:
    assert READER.recognises(head(line)) == 0


@pytest.mark.parametrize("line", [b"CLIENT_LIST,hoa,x", b"oops"])
def test_what_fits_no_table_is_noted_and_skipped(line: bytes) -> None:
    seen = feed(READER, line + b"\n\n" + sample("openvpn_status", "status2.log"))
    assert seen.problems == {"broken-line": ("line 1", 1)}
    assert len(seen.events) == 2


def test_a_row_that_is_cut_is_noted_and_skipped() -> None:
    whole = sample("openvpn_status", "status1.log")
    seen = feed(READER, whole[: whole.index(b":51234")])
    assert seen.problems == {"broken-line": ("line 4", 1)}


@pytest.mark.parametrize("line", ["CLIENT_LIST" + "," * 600_000, "HEADER,CLIENT_LIST," + "a," * 300_000])
def test_hostile_lines_take_linear_time(line: str) -> None:
    feed_in_time(READER, line.encode())
