"""Any text is read line by line, and nothing else is."""

from __future__ import annotations

import os

import pytest

from haidang.events.readers.text import READER
from tests.events.readers.feeding import head, sample
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
