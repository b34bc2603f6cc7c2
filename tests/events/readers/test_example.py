"""The example reader does what its docstring says; copy this test along with it."""

from __future__ import annotations

from haidang.events.readers.example import READER
from tests.events.readers.feeding import head, sample
from tests.events.reading import read_bytes


def test_each_line_is_an_event() -> None:
    file = read_bytes(READER, sample("example", "example.log"))
    assert file.events[0] == {
        "time": "2026-01-31T08:00:00Z",
        "host": "ws-07",
        "message": "Sign-in of user lan failed",
    }
    assert file.events[2]["message"] == "Group changed: admins|added: lan"
    assert file.records == [1, 2, 4]


def test_a_line_that_is_not_of_the_format_is_noted_with_its_number() -> None:
    file = read_bytes(READER, sample("example", "example.log"))
    assert file.problems == {"broken-line": ("line 5", 1)}
    assert file.report.skipped == 1


def test_the_mark_decides() -> None:
    assert READER.recognises(head(sample("example", "example.log"))) == 95
    assert not READER.recognises(head(b"2026-01-31 HDX1|"))
    assert not READER.recognises(head(b""))
