"""SonicWall's pairs are read; the ends of a connection and what was done with it are told apart."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.sonicwall import READER
from haidang.events.recognition import make_head, recognise
from tests.events.readers.feeding import feed, head, sample

DATA = sample("sonicwall", "sonicos.log")
SEEN = feed(READER, DATA)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "m": "98",
                "msg": "Connection Opened",
                "rule": "22 (LAN->WAN)",
                "src_ip": "10.20.0.31",
                "src_port": "50112",
                "src_interface": "X0-V5",
                "dst_ip": "203.0.113.77",
                "dst_port": "23",
                "protocol": "tcp",
                "service": "telnet",
                "action": "accept",
            },
        ),
        (1, {"dst_interface": "X0", "dst_port": "22", "action": "deny"}),
        (2, {"url": "http://tai-lieu.example/tai/mau.exe?x=1", "url_extension": "exe", "result": "200"}),
        (3, {"src_ip": "fe80::31", "src_port": "49702", "dst_ip": "ff02::1:3", "dst_port": "5355"}),
    ],
)
def test_each_record_says_who_spoke_to_whom(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ('fw_action="forward"', {"action": "accept"}),
        ('msg="Web site access denied"', {"action": "deny"}),
        ("src=10.0.0.1", {"src_ip": "10.0.0.1"}),
        ("src=10.0.0.1::X0", {"src_ip": "10.0.0.1", "src_interface": "X0"}),
    ],
)
def test_parts_may_be_left_out(pairs: str, expected: dict[str, str]) -> None:
    (event,) = feed(READER, f"id=firewall sn=1 fw=198.51.100.1 m=1 {pairs}".encode()).events
    assert expected.items() <= event.items()
    assert "src_port" not in event


def test_where_nothing_tells_there_is_no_action() -> None:
    assert "action" not in SEEN.events[2]


def test_the_identifier_of_a_device_may_be_its_own() -> None:
    line = (
        b"<134>Nov 11 21:58:57 10.20.0.1   id=hv-fw01 sn=00HAIVAN0001 fw=198.51.100.1 m=537 src=10.0.0.1:1:X0"
    )
    seen = feed(syslog.READER, line)
    assert (seen.origins, seen.events[0]["id"]) == (["sonicwall"], "hv-fw01")


@pytest.mark.parametrize("line", ["id=1 sn=2", "sn=1 x=2", "id=firewall msg=x m=1 ", "s"])
def test_other_pairs_are_not_its(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0
    assert feed(READER, line.encode()).origins == ["syslog"]


def test_a_file_of_it_is_recognised() -> None:
    assert recognise(make_head("log", DATA), readers()) is READER
