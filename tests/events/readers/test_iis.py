"""IIS's own format has the fields of the W3C format, whatever order the region writes dates in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers import readers
from haidang.events.readers.iis import READER
from haidang.events.recognition import make_head, recognise
from haidang.events.times import parse_time
from tests.events.readers.feeding import feed, feed_in_time, head, sample
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

DATA = sample("iis", "inetsv1.log")
LINE = "203.0.113.9, -, {}, 21:58:57, W3SVC1, HV-WEB02, 10.20.0.8, 4, 1, 3, 200, 0, GET, /a, -,"


def test_the_columns_are_those_of_the_w3c_format() -> None:
    first, second, third = feed(READER, DATA).events
    assert (first["c-ip"], first["sc-status"], first["time-taken"]) == ("203.0.113.9", "200", "4502")
    assert first["request"] == ["/dich-vu/a.aspx?id=1' union select 1--", "id=1' union select 1--"]
    assert (second["cs-username"], second["s-computername"]) == ("HAIVAN\\hoa", "HV-WEB02")
    assert "cs-uri-query" not in second
    assert (third["cs-uri-stem"], third["timestamp"]) == ("/a,b/..%2f..%2fweb.config", "2026-11-13T07:05:09")


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["11/12/26"], ["2026-11-12"]),
        (["11/12/26", "11/13/26"], ["2026-11-12", "2026-11-13"]),
        (["11/12/2026", "13/12/2026"], ["2026-12-11", "2026-12-13"]),
        (["11.12.2026", "13.12.2026"], ["2026-12-11", "2026-12-13"]),
        (["13/12/26", "12/13/26"], ["2026-12-13", "2026-12-13"]),
    ],
)
def test_a_number_over_twelve_tells_which_is_the_day(dates: list[str], days: list[str]) -> None:
    data = "".join(LINE.format(date) + "\n" for date in dates).encode()
    times = [parse_time(event["timestamp"]) for event in feed(READER, data).events]
    assert times == [parse_time(f"{day}T21:58:57Z") for day in days]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_it_is_recognised(end: str) -> None:
    data = DATA.decode().replace("\n", end).encode()
    assert recognise(make_head("log", data), readers()) is READER
    assert feed(READER, data).events == feed(READER, DATA).events


def test_other_lines_are_not_its() -> None:
    for line in (
        b"a, b, c",
        b"203.0.113.9, -, 11/11/26, 21:58:57, X1, H, 10.20.0.8, 4, 1, 3, 200, 0, GET, /a, -,",
    ):
        assert READER.recognises(head(line)) == 0


def test_what_is_no_record_is_noted_and_skipped() -> None:
    seen = feed(READER, DATA + b"\n203.0.113.9, -, 11/11/26, 21:5\n")
    assert seen.problems == {"broken-line": ("line 5", 1)}
    assert (seen.report.skipped, len(seen.events)) == (1, 3)


@pytest.mark.parametrize("line", [LINE.format("1/1/26") + "," * 600_000, ", " * 300_000, "1" * 600_000])
def test_hostile_lines_take_linear_time(line: str) -> None:
    feed_in_time(READER, line.encode())


def test_rules_on_web_servers_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        union=(
            "category: webserver",
            "{cs-uri-query|contains: union select, sc-status: 200, cs-method: GET}",
        ),
        climbs=("category: webserver", "cs-uri-query|contains: ../../web.config"),
    )
    assert fired(tmp_path, DATA, rules) == {("union", "1"), ("climbs", "3")}
