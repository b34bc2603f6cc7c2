"""WatchGuard's records say by position who spoke to whom, and the rest in pairs."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.watchguard import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

DATA = sample("watchguard", "firebox.log")
SEEN = feed(READER, DATA)
RECORD = 'msg_id="3000-0148" Deny Trusted Firebox 40 tcp 20 109 203.0.113.9 198.51.100.8 42971 23 (Chan-00)'


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "process": "firewall",
                "serial": "80DA00HAIVAN1",
                "msg_id": "3000-0148",
                "disposition": "Allow",
                "interfaces": "Trusted 0-External",
                "protocol": "tcp",
                "src_ip": "10.20.0.31",
                "dst_ip": "203.0.113.77",
                "src_port": "50112",
                "dst_port": "23",
                "src_user": "hoa@Firebox-DB",
                "policy": "Ra ngoai-00",
            },
        ),
        (1, {"interfaces": "WAN - Vien thong Firebox", "length": "40", "dst_port": "22"}),
        (2, {"url": "http://tai-lieu.example/tai/mau.exe?x=1", "url_extension": "exe", "op": "GET"}),
        (3, {"disposition": "ProxyDrop", "virus": "Trojan.ThuNghiem", "dst_port": "80"}),
        (5, {"protocol": "icmp", "icmp_type": "8", "icmp_code": "0"}),
        (6, {"signature_name": "WEB SQL injection", "policy": "HTTP vao-00"}),
        (7, {"user": "quantri@Firebox-DB", "client_ip": "203.0.113.9", "outcome": "failed"}),
        (8, {"user": "admin@Firebox-DB", "client_ip": "10.20.0.5", "outcome": "accepted"}),
        (9, {"src_ip": "2001:db8:20::31", "dst_port": "443", "sni": "api.telegram.org"}),
        (10, {"process": "firewall", "disposition": "Deny", "dst_port": "3389"}),
        (11, {"user": "hoa", "client_ip": "203.0.113.9", "outcome": "accepted"}),
    ],
)
def test_each_record_says_what_was_done_between_whom(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_icmp_has_no_ports_and_an_event_no_ends() -> None:
    assert "src_port" not in SEEN.events[5]
    assert "disposition" not in SEEN.events[8]


def test_the_time_is_that_of_the_device() -> None:
    assert parse_time(SEEN.events[0]["time"]) == parse_time("2026-11-11T21:58:57Z")


@pytest.mark.parametrize(
    "header",
    [
        "Nov 11 21:58:57 hv-fw01 firewall: ",
        "<142>Nov 11 21:58:57 hv-fw01 80DA00HAIVAN1 firewall: ",
        "<142>Nov 11 21:58:57 hv-fw01 80DA00HAIVAN1 (2026-11-11T21:58:57) firewall[12]: ",
        "2026-11-11T21:58:57.556323+07:00 hv-fw01 80DA00HAIVAN1 hv-fw01a firewall: ",
    ],
)
def test_the_header_may_say_more_or_less(header: str) -> None:
    seen = feed(syslog.READER, (header + RECORD).encode())
    assert seen.origins == ["watchguard"]
    event = seen.events[0]
    assert (event["hostname"], event["process"], event["dst_port"]) == ("hv-fw01", "firewall", "23")
    assert event["raw"] == header + RECORD


def test_a_pair_does_not_stand_in_for_what_the_line_says_itself() -> None:
    line = f'80DA00HAIVAN1 firewall: {RECORD[:-10]} process="sshd" raw="x" message="y"'
    (event,) = feed(READER, line.encode()).events
    assert (event["process"], event["raw"]) == ("firewall", line)
    assert event["message"].startswith("Deny ")


def test_a_proxy_that_clients_name_gets_the_whole_url() -> None:
    line = 'A1B2C3D4 http-proxy[1]: msg_id="1AFF-0024" Allow a b tcp 10.0.0.1 203.0.113.1 1 80 '
    line += 'op="GET" dstname="haivan.example" arg="http://haivan.example/a.zip"'
    assert feed(READER, line.encode()).events[0]["url"] == "http://haivan.example/a.zip"


@pytest.mark.parametrize(
    "line",
    [
        "firewall: Allow",
        "2026-11-11 21:58:57 Allow 10.20.0.31 203.0.113.77 telnet/tcp 50112 23 a b (c) x=1",
        "A1B2C3 firewall: Deny nothing",
        'A1B2C3 firewall msg_id="3000-0148" Allow',
        'msg_id="3000-0148" Allow',
        'Nov 11 21:58:57 hv-gw01 sshd[1]: Invalid user A1B2C3 firewall: msg_id="3000-0148"',
        'Nov 11 21:58:57 hv-gw01 app: msg_id="30"',
    ],
)
def test_other_lines_are_not_its(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_a_torn_record_keeps_what_it_says() -> None:
    line = DATA.splitlines()[0]
    for end in (120, 90, 80):
        (event,) = feed(READER, line[:end]).events
        assert event["disposition"] == "Allow"
        assert event["raw"] == line[:end].decode()
    assert "src_ip" not in feed(READER, line[:90]).events[0]


SHOWN = sample("watchguard", "monitor.txt")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "process": "firewall",
                "disposition": "Allow",
                "src_ip": "10.20.0.31",
                "dst_ip": "203.0.113.77",
                "service": "telnet",
                "protocol": "tcp",
                "src_port": "50112",
                "dst_port": "23",
                "policy": "Ra ngoai-00",
                "src_ip_nat": "198.51.100.1",
            },
        ),
        (1, {"member": "Member2", "disposition": "Deny", "dst_port": "22", "msg_id": "3000-0148"}),
        (2, {"protocol": "icmp", "type": "8", "policy": "Ping-00"}),
    ],
)
def test_what_traffic_monitor_shows_is_read(at: int, expected: dict[str, str]) -> None:
    event = feed(READER, SHOWN).events[at]
    assert expected.items() <= event.items()
    assert parse_time(event["time"]) is not None


def test_a_page_that_traffic_monitor_shows_has_its_url() -> None:
    line = (
        "2026-11-11 21:58:57 ProxyDrop: 10.20.0.31 203.0.113.81 http/tcp 50114 80 Trusted External x (P-00) "
    )
    line += 'proc_id="http-proxy" msg_id="1AFF-0028" op="GET" dstname="haivan.example" arg="/a.zip" virus="X"'
    (event,) = feed(READER, line.encode()).events
    assert (event["url"], event["process"], event["virus"]) == (
        "http://haivan.example/a.zip",
        "http-proxy",
        "X",
    )


@pytest.mark.parametrize("data", [DATA, SHOWN])
def test_a_file_of_it_is_recognised(data: bytes) -> None:
    assert recognise(make_head("log", data), readers()) is READER
