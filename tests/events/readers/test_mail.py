"""Mail logs are syslog with the fields of each mail; lines of one queue id know of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.events.readers.mail import READER
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, feed_in_time, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)
HEADER = b"Nov 11 21:58:01 h postfix/smtpd[1]: "


def test_joins_what_the_lines_of_one_mail_say() -> None:
    seen = feed(READER, sample("mail", "postfix.log"), limits=SMALL)
    assert seen.report.complete
    delivered = seen.events[4]
    expected = {
        "program": "postfix/lmtp",
        "queue_id": "3A1B2C4D5E",
        "client": "mail.doitac.example",
        "client_ip": "203.0.113.60",
        "sasl_username": "vanthu@haivan.example",
        "from": "ke.toan@doitac.example",
        "message_id": "so-1182@doitac.example",
        "to": "hoa.nt@haivan.example",
        "orig_to": "phong.ketoan@haivan.example",
        "relay": "thu01.haivan.example[private/dovecot-lmtp]",
        "delay": "1.9",
        "dsn": "2.0.0",
        "status": "sent",
    }
    assert expected.items() <= delivered.items()
    assert delivered["raw"].encode() == sample("mail", "postfix.log").splitlines()[4]
    assert seen.events[3]["size"] == "48211"
    assert seen.events[5]["from"] == "ke.toan@doitac.example"


def test_an_id_that_was_removed_is_forgotten() -> None:
    again = feed(READER, sample("mail", "postfix.log")).events[8]
    assert (again["from"], "client_ip" in again) == ("khac@haivan.example", False)


def test_reads_refusals_and_failed_logins() -> None:
    events = feed(READER, sample("mail", "postfix.log")).events
    assert events[6]["queue_id"] == "NOQUEUE"
    assert (events[6]["action"], events[6]["reply"], events[6]["client_ip"]) == (
        "reject",
        "554",
        "198.51.100.9",
    )
    assert (events[6]["from"], events[6]["to"], events[6]["helo"]) == (
        "a@b.example",
        "ai.do@ngoai.example",
        "WIN-1",
    )
    assert (events[7]["outcome"], events[7]["client_ip"]) == ("auth_failed", "198.51.100.9")
    assert events[7]["sasl_username"] == "hoa.nt"


def test_reads_dovecot() -> None:
    seen = feed(READER, sample("mail", "dovecot.log"))
    assert seen.report.complete
    login, session, failed, worker, cron = seen.events
    assert (login["outcome"], login["user"], login["client_ip"]) == (
        "Login",
        "hoa.nt@haivan.example",
        "203.0.113.24",
    )
    assert (login["method"], login["lip"], login["session"]) == ("PLAIN", "192.0.2.25", "q1w2e3r4")
    assert (session["user"], session["session"]) == ("hoa.nt@haivan.example", "q1w2e3r4")
    assert (failed["outcome"], failed["reason"]) == ("Disconnected", "auth failed, 3 attempts in 12 secs")
    assert (worker["user"], worker["client_ip"]) == ("quantri", "198.51.100.9")
    assert set(cron) == {"timestamp", "hostname", "program", "pid", "message", "raw"}


def test_the_sender_of_a_mail_cannot_speak_for_another_field_first() -> None:
    line = (
        HEADER
        + b"NOQUEUE: reject: RCPT from unknown[198.51.100.9]: 554 no; from=<a@b> to=<c@d> helo=<x,from=e@f>"
    )
    (event,) = feed(READER, line).events
    assert (event["from"], event["client_ip"]) == ("a@b", "198.51.100.9")


def test_remembers_no_more_mails_than_it_may() -> None:
    limits = replace(DEFAULT_LIMITS, mail_queue_ids=2)
    lines = [HEADER + b"A%05X: client=c%d[192.0.2.%d]" % (n, n, n) for n in (1, 2, 3)]
    lines += [HEADER + b"A%05X: hold: header" % n for n in (1, 3)]
    events = feed(READER, b"\n".join(lines), limits=limits).events
    assert "client_ip" not in events[3]
    assert events[4]["client_ip"] == "192.0.2.3"


def test_a_file_with_a_little_mail_is_left_to_syslog() -> None:
    mail = sample("mail", "postfix.log").splitlines(keepends=True)
    other = sample("syslog", "bsd.log").splitlines(keepends=True)
    assert READER.recognises(head(b"".join(mail))) == 93
    assert READER.recognises(head(b"".join(mail[:3] + other))) == 0
    assert READER.recognises(head(b"".join(other))) == 0


def test_a_line_that_is_no_syslog_line_is_kept_as_text_and_noted() -> None:
    seen = feed(READER, sample("mail", "dovecot.log") + b"wget\n")
    assert seen.events[-1] == {"message": "wget", "raw": "wget"}
    assert seen.problems == {"broken-line": ("line 6", 1)}


@pytest.mark.parametrize(
    "message",
    [
        b"ABCDEF: " + b"from=<" * 200_000,
        b"ABCDEF: " + b"a" * 1_000_000,
        b"NOQUEUE: reject: " + b"from a[" * 200_000,
        b"from=" * 200_000,
    ],
)
@pytest.mark.parametrize("header", [HEADER, b"Nov 11 21:58:01 h dovecot: "])
def test_hostile_lines_take_linear_time(header: bytes, message: bytes) -> None:
    assert len(feed_in_time(READER, header + message + b"\n").events) == 1


def test_reads_the_mail_logs_of_the_corpora(corpora: Path) -> None:
    for pattern, count in (("postfix*.log", 4), ("dovecot*.log", 2)):
        paths = sorted((corpora / "logs").glob(pattern))
        assert len(paths) == count, pattern
        for path in paths:
            data = path.read_bytes()
            assert READER.recognises(head(data, path.name)) == 93, path
            seen = feed(READER, data)
            assert seen.report.complete, path
            assert len(seen.events) == sum(bool(line.strip()) for line in data.split(b"\n"))
            assert sum("client_ip" in event for event in seen.events) * 2 > len(seen.events), path


def test_lines_of_others_in_a_mail_servers_file_go_to_whom_they_belong() -> None:
    firewall = (
        b"Nov 11 21:58:03 hv-thu01 kernel: [ 8112.4] [UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.9 DST=10.20.0.8 "
        b"LEN=44 TTL=43 ID=25313 PROTO=TCP SPT=52220 DPT=22 WINDOW=1024 SYN\n"
    )
    seen = feed(READER, sample("mail", "postfix.log") + firewall)
    assert set(seen.origins) == {"syslog", "netfilter"}
    assert seen.report.complete
