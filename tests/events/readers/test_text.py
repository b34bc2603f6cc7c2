"""Any text is read line by line, and nothing else is."""

from __future__ import annotations

import os

import pytest

from haidang.events.readers.text import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample
from tests.events.reading import read_bytes


def test_each_line_is_an_event() -> None:
    file = read_bytes(READER, sample("text", "backup.log"))
    assert file.messages == [
        "[08:00:00] backup started",
        "[08:00:09] copying hồ sơ một cửa",
        "[08:03:10] ERROR: disk /dev/sdb1 is full",
    ]
    assert file.records == [1, 2, 4]
    assert file.report.lines == 4
    assert file.report.complete


def test_padding_is_no_part_of_a_line() -> None:
    file = read_bytes(READER, b"one" + bytes(9) + b"\r\n" + bytes(9) + b"\n" + bytes(9) + b"t\x00wo")
    assert (file.messages, file.records) == (["one", "t\x00wo"], [1, 3])


def test_bytes_that_are_no_utf_8_are_replaced_and_noted() -> None:
    file = read_bytes(READER, b"ok\n\xe0 la carte\n\xff\n")
    assert file.messages == ["ok", "\ufffd la carte", "\ufffd"]
    assert file.problems == {"invalid-utf8": ("line 2", 2)}
    assert not file.report.skipped


@pytest.mark.parametrize(
    ("data", "sure"),
    [
        ("Nhật ký hệ thống\n".encode(), True),
        ("Nhật ký\n".encode("utf-16"), True),
        (b"\x1b[31mred\x1b[0m\ttext\x0c\n", True),
        (b"caf\xe9 cr\xe8me, and more of the same in latin 1 text\n", True),
        (b"line\n" + bytes(5000) + b"line\n" * 10, True),
        (b"a\x00b\x00c\x00d", True),
        (bytes(range(1, 32)) * 10, False),
        (bytes(5000), False),
        (os.urandom(5000), False),
        (b"", False),
    ],
)
def test_text_is_what_has_hardly_any_control_characters(data: bytes, sure: bool) -> None:  # noqa: FBT001
    assert READER.recognises(head(data)) == int(sure)


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-11-11 21:58:02.123 Logon Error: 18456", "2026-11-11 21:58:02.123"),
        ("[2026-11-11T21:58:02+07:00][ERROR] x", "2026-11-11T21:58:02+07:00"),
        ("2026/11/11 21:58:02|INFO |x", "2026/11/11 21:58:02"),
        ("[11/Nov/2026:21:58:02 +0700] x", "11/Nov/2026:21:58:02 +0700"),
        ("Wed Nov 11 21:58:02 2026 [pid 2] CONNECT", "Wed Nov 11 21:58:02 2026"),
        ("2026-11-11 21:58:02", "2026-11-11 21:58:02"),
        ("2026-11-11  5:13:12 8 [Warning] Access denied", "2026-11-11  5:13:12"),
        ("2026-11-11T21:58:02+07:00: authentication failure", "2026-11-11T21:58:02+07:00"),
        ("[ERROR|auth|L83] 2026-11-11T21:58:02: Incorrect", "2026-11-11T21:58:02"),
        (" [BACKEND][2026-11-11 21:58:02] x", "2026-11-11 21:58:02"),
        ("web_1     | 2026-11-11T21:58:02,820Z [http] WARN", "2026-11-11T21:58:02,820Z"),
        ("203.0.113.9 2026-11-11 21:58:02.425 UTC [5] a@b FATAL", "2026-11-11 21:58:02.425"),
        ('time="2026-11-11T21:58:02Z" level=warning', "2026-11-11T21:58:02Z"),
        ("[Nov 11 21:58:02] SECURITY[77]: x", "Nov 11 21:58:02"),
        ("Restarted at 2026-11-11 21:58:02 x", None),
        ("see the log of 2026-11-11 21:58:02 x", None),
        ("x" * 90 + " 2026-11-11 21:58:02", None),
        ("2026-11-11 21:58:02x", None),
        ("2026-11-11 21:58", None),
    ],
)
def test_a_line_has_the_time_that_it_begins_with(line: str, time: str | None) -> None:
    (event,) = feed(READER, line.encode()).events
    assert (event["message"], event.get("time")) == (line, time)
    assert time is None or parse_time(time) is not None
