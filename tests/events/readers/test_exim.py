"""Exim's lines tell of mails, of connections and of log-ins by the names of other mail servers."""

from __future__ import annotations

import pytest

from haidang.events.readers import readers, syslog
from haidang.events.readers.exim import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample

DATA = sample("exim", "mainlog")
SEEN = feed(READER, DATA)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "queue_id": "1r0abc-0001Xy-2z",
                "flag": "<=",
                "from": "nguoi@xa.example",
                "client": "mx.xa.example",
                "client_ip": "203.0.113.9",
                "proto": "esmtps",
                "size": "2048",
                "message_id": "abc@xa.example",
                "subject": "Hoa don",
            },
        ),
        (
            1,
            {
                "to": "hoa@haivan.example",
                "status": "sent",
                "router": "local_user",
                "transport": "local_delivery",
            },
        ),
        (3, {"outcome": "auth_failed", "client_ip": "203.0.113.9", "sasl_username": "hoa@haivan.example"}),
        (4, {"action": "reject", "from": "x@xa.example", "to": "khong@haivan.example", "helo": "evil"}),
        (5, {"status": "bounced", "to": "a@xa.example", "client_ip": "198.51.100.7"}),
        (6, {"client_ip": "203.0.113.9"}),
        (7, {"from": "root@hv-mx01", "local_user": "root", "proto": "local"}),
        (9, {"status": "deferred", "to": "lan@xa.example"}),
        (10, {"action": "reject", "client_ip": "203.0.113.9"}),
    ],
)
def test_each_line_says_what_became_of_a_mail(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_what_a_sender_writes_into_the_subject_is_not_what_exim_says() -> None:
    event = SEEN.events[8]
    assert (event["sasl_method"], event["sasl_username"]) == ("plain", "hoa")
    assert (event["client_ip"], event["from"]) == ("10.20.0.31", "hoa@haivan.example")
    subject = "x authenticator failed for (a) [192.0.2.1]"
    forged = f'2026-11-11 21:59:05 1r0abf-0001Xy-2z <= a@xa.example P=local T="{subject}"'
    assert "outcome" not in feed(READER, forged.encode()).events[0]


def test_the_time_has_the_zone_that_the_line_tells() -> None:
    assert parse_time(SEEN.events[0]["time"]) == parse_time("2026-11-11T21:58:57Z")
    assert (SEEN.events[8]["pid"], SEEN.events[8]["queue_id"]) == ("4188", "1r0abf-0000000001A-0bCD")
    assert parse_time(SEEN.events[8]["time"]) == parse_time("2026-11-11T14:59:05Z")


def test_in_a_file_of_its_own_whatever_has_its_time_is_an_event() -> None:
    line = b"2026-11-11 21:59:09 Warning: purging the environment.\n"
    seen = feed(READER, DATA + line)
    assert (seen.origins[-1], seen.events[-1]["message"]) == ("exim", "Warning: purging the environment.")
    assert feed(syslog.READER, line).origins == ["syslog"]


@pytest.mark.parametrize("program", ["exim", "exim4", "exim[4188]"])
def test_a_line_of_syslog_is_read_with_and_without_a_time_of_its_own(program: str) -> None:
    for inner in (b"2026-11-11 21:58:57 1r0abc-0001Xy-2z Completed", b"1r0abc-0001Xy-2z Completed"):
        seen = feed(syslog.READER, b"Nov 11 21:58:57 hv-mx01 " + program.encode() + b": " + inner)
        assert (seen.origins, seen.events[0]["queue_id"]) == (["exim"], "1r0abc-0001Xy-2z")
        assert seen.events[0]["hostname"] == "hv-mx01"


@pytest.mark.parametrize(
    "line",
    [
        b"2026-11-11 21:58:57 hv-mx01 x",
        b"1r0abc-0001Xy-2z Completed",
        b"Nov 11 21:58:57 hv-gw01 sshd[7]: 2026-11-11 21:58:57 1r0abc-0001Xy-2z Completed",
    ],
)
def test_other_lines_are_not_its(line: bytes) -> None:
    assert READER.recognises(head(line)) == 0
    assert feed(syslog.READER, line).origins == ["syslog"]


def test_a_file_of_it_is_recognised() -> None:
    assert recognise(make_head("log", DATA), readers()) is READER
