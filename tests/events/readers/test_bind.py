"""What BIND's clients ask for is read from its own files and from syslog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers.bind import READER
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, head, sample
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

SEEN = feed(READER, sample("bind", "queries.log"))


def test_a_query_says_who_asks_for_what() -> None:
    line = sample("bind", "queries.log").decode().splitlines()[0]
    assert SEEN.events[0] == {
        "raw": line,
        "timestamp": "11-Nov-2026 21:58:57.417",
        "category": "queries",
        "level": "info",
        "client": "10.20.0.31",
        "client_port": "51234",
        "query": "cap-nhat.haivan.example",
        "message": "query: cap-nhat.haivan.example IN A +E(0)K (10.20.0.53)",
        "action": "query",
        "record_class": "IN",
        "record_type": "A",
        "flags": "+E(0)K",
        "server": "10.20.0.53",
    }
    assert all(parse_time(event["timestamp"]) for event in SEEN.events)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (1, {"view": "noi-bo", "record_type": "TXT"}),
        (2, {"action": "denied", "query": "haivan.example", "record_type": "AXFR", "level": "error"}),
        (3, {"action": "denied", "client": "2001:db8:77::9", "record_type": "ANY"}),
        (
            4,
            {
                "action": "failed",
                "query": "hong.haivan.example",
                "record_type": "MX",
                "category": "query-errors",
            },
        ),
        (5, {"action": "rewritten", "answer": "NXDOMAIN", "query": "xau.haivan.example", "record_type": "A"}),
    ],
)
def test_what_else_becomes_of_a_query_is_read(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("11-Nov-2026 21:58:57.417 client @0x1 ::1#1 (a.vn.): query: a.vn. IN A + (::1)", {"query": "a.vn"}),
        ("11-Nov-2026 21:58:57.417 client 10.0.0.1#1 (.): query: . IN NS + (::1)", {"query": "."}),
        (
            "11-Nov-2026 21:58:57.417 info: client 10.0.0.1#1: no matching view in class 'IN'",
            {"level": "info"},
        ),
        (
            "2026-11-11T21:58:57.417Z queries: info: client 10.0.0.1#1 (a): query: a IN A + (::1)",
            {"query": "a"},
        ),
        (
            "client @0x1 10.0.0.1#1 (a): response: a IN A NXDOMAIN + (::1)",
            {"answer": "NXDOMAIN", "action": "response"},
        ),
    ],
)
def test_odd_lines_are_read(line: str, expected: dict[str, str]) -> None:
    seen = feed(READER, line.encode())
    assert seen.origins == ["bind"]
    assert expected.items() <= seen.events[0].items()


def test_what_else_named_says_stays_syslog() -> None:
    line = b"Nov 11 21:59:02 hv-ns01 named[811]: zone haivan.example/IN: loaded serial 1"
    assert feed(READER, line).origins == ["syslog"]


def test_a_query_log_is_recognised_by_its_lines() -> None:
    assert READER.recognises(head(sample("bind", "queries.log"))) == 93
    # Of a file of all categories, the first hundred lines may be about the start alone.
    assert READER.recognises(head(b"11-Nov-2026 21:58:57.417 general: info: running\n")) == 93
    assert READER.recognises(head(b"11-Nov-2026 21:58:57.417 general: running\n")) == 0


def test_reads_what_the_corpora_have_of_bind(corpora: Path) -> None:
    paths = sorted((corpora / "logs").glob("bind9*.log"))
    assert len(paths) == 2
    for path in paths:
        data = path.read_bytes()
        assert READER.recognises(head(data)) == 93
        seen = feed(READER, data)
        assert set(seen.origins) == {"bind"}
        assert seen.report.complete
        assert all(event["action"] == "denied" for event in seen.events if "denied" in event["raw"])
        assert {event["query"] for event in seen.events} <= {"example.com", "wr_test"}


ALL_CATEGORIES = b"""11-May-2026 10:14:10.001 general: info: zone haivan.example/IN: loaded serial 2026051101
11-May-2026 10:14:10.002 notify: info: zone haivan.example/IN: sending notifies (serial 2026051101)
11-May-2026 10:14:11.123 queries: info: client @0x7 10.0.0.9#531 (xau.example): query: xau.example IN TXT +
11-May-2026 10:14:12.123 lame-servers: info: REFUSED unexpected RCODE resolving 'x.example/A/IN': 192.0.2.1#53
11-May-2026 10:14:13.123 info: resolver priming query complete
"""


def test_a_file_of_all_categories_is_read_with_the_queries_in_it(tmp_path: Path) -> None:
    assert READER.recognises(head(ALL_CATEGORIES))
    seen = feed(READER, ALL_CATEGORIES)
    assert (seen.problems, set(seen.origins), seen.records) == ({}, {"bind"}, [1, 2, 3, 4, 5])
    assert (seen.events[0]["category"], seen.events[0]["level"]) == ("general", "info")
    assert seen.events[0]["message"].startswith("zone haivan.example/IN: loaded")
    assert "category" not in seen.events[4]
    assert all(parse_time(event["timestamp"]) for event in seen.events)
    rules = write_rules(tmp_path / "rules", seen=("category: dns", "{query: xau.example, record_type: TXT}"))
    assert fired(tmp_path, ALL_CATEGORIES, rules) == {("seen", "3")}
