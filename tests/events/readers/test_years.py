"""Times without a year are put into the latest one that is possible, whatever the zone they are in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.model import FileReport
from haidang.events.readers._years import Years


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOW = seconds("2027-03-01T12:00:00")


def placed(*times: str, mtime: str | None = None, report: FileReport | None = None) -> list[str | None]:
    events = [{"timestamp": time} for time in times]
    years = Years(None if mtime is None else seconds(mtime), NOW)
    years.place(events, range(1, len(events) + 1), report or FileReport("x"))
    return [event.get("time") for event in events]


@pytest.mark.parametrize(
    ("written", "mtime", "time"),
    [
        ("Nov 11 21:59:03", "2026-11-11T15:00:00", "2026-11-11T21:59:03"),  # Việt Nam, seven hours ahead
        ("Nov 11 14:59:03", "2026-11-11T15:00:00", "2026-11-11T14:59:03"),
        ("Nov 12 04:59:00", "2026-11-11T15:00:00", "2026-11-12T04:59:00"),  # the largest offset there is
        ("Nov 12 05:01:00", "2026-11-11T15:00:00", "2025-11-12T05:01:00"),
        ("Nov 12 15:00:00", "2026-11-11T15:00:00", "2025-11-12T15:00:00"),  # a day ahead
        ("Dec 31 23:59:59", "2026-01-01T00:10:00", "2025-12-31T23:59:59"),
        ("Jan  1 06:00:00", "2025-12-31T23:10:00", "2026-01-01T06:00:00"),
        ("Feb 29 10:00:00", "2026-11-11T15:00:00", "2024-02-29T10:00:00"),
        ("Nov  3 2026 04:05:06", "2026-11-11T15:00:00", None),
        ("2026-11-03T04:05:06Z", "2026-11-11T15:00:00", None),
        ("Nov 3, 04:05:06.25", "2026-11-11T15:00:00", "2026-11-03T04:05:06.25"),
        ("Feb 30 04:05:06", "2026-11-11T15:00:00", None),
        ("Nov 11 25:00:00", "2026-11-11T15:00:00", None),
        ("Xyz 11 05:00:00", "2026-11-11T15:00:00", None),
        ("", "2026-11-11T15:00:00", None),
    ],
)
def test_a_time_is_of_the_latest_year_in_which_its_file_can_hold_it(
    written: str, mtime: str, time: str | None
) -> None:
    assert placed(written, mtime=mtime) == [time]


def test_the_first_lines_of_a_whole_year_are_of_the_year_of_what_follows() -> None:
    times = ["Nov 11 20:00:00", "Nov 11 21:00:00", "Nov 14 08:00:00", "Nov 11 14:00:00"]
    assert placed(*times, mtime="2026-11-11T15:00:00") == [
        "2025-11-11T20:00:00",
        "2025-11-11T21:00:00",
        "2025-11-14T08:00:00",
        "2026-11-11T14:00:00",
    ]


def test_lines_that_come_after_in_the_same_night_stay_in_it() -> None:
    times = ["Nov 11 20:00:00", "Nov 11 14:00:00", "Nov 10 14:00:00"]
    assert placed(*times, mtime="2026-11-11T15:00:00") == [
        "2026-11-11T20:00:00",
        "2026-11-11T14:00:00",
        "2026-11-10T14:00:00",
    ]


@pytest.mark.parametrize("mtime", [None, "1980-01-01T00:00:00", "2027-06-01T00:00:00"])
def test_a_file_whose_time_cannot_be_says_nothing(mtime: str | None) -> None:
    assert placed("Feb 28 10:00:00", "Apr  1 00:00:00", mtime=mtime) == [
        "2027-02-28T10:00:00",
        "2026-04-01T00:00:00",
    ]


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2027, 2, 28)),  # noqa: DTZ001 - logs name no zone
    st.timedeltas(timedelta(0), timedelta(days=363)),
    st.timedeltas(timedelta(hours=-12), timedelta(hours=14)),
)
def test_any_line_of_the_last_year_is_found_in_any_zone(
    written: datetime, age: timedelta, zone: timedelta
) -> None:
    local = (written - age + zone).replace(microsecond=0)
    events = [{"timestamp": f"{local:%b} {local.day:>2} {local:%H:%M:%S}"}]
    Years(written.replace(tzinfo=UTC).timestamp(), NOW).place(events, [1], FileReport("x"))
    assert events[0]["time"] == local.isoformat()


@given(st.text(max_size=30), st.floats(allow_nan=True))
def test_whatever_is_written_is_survived(text: str, mtime: float) -> None:
    Years(mtime, NOW).place([{"timestamp": text}, {}], [1, 2], FileReport("x"))


@pytest.mark.parametrize("mtime", ["2027-03-01T11:59:58", None])
def test_a_time_that_would_be_later_than_now_is_noted(mtime: str | None) -> None:
    report = FileReport("x")
    times = ["Mar  1 18:00:00", "Mar  1 11:00:00", "Mar  1 18:59:57.5", "Mar  1 12:00:00"]
    # A log of Việt Nam: what was written last stays where it was written, in its order.
    assert placed(*times, mtime=mtime, report=report) == [
        "2027-03-01T18:00:00",
        "2027-03-01T11:00:00",
        "2027-03-01T18:59:57.5",
        "2027-03-01T12:00:00",
    ]
    problem = report.problems["ahead"]
    assert (problem.where, problem.count) == ("line 1", 2)
    assert "by 7:00 or more" in problem.detail
    assert report.complete
    assert report.told


def test_what_the_file_proves_to_be_of_last_year_is_not_later_than_now() -> None:
    report = FileReport("x")
    times = ["Mar  1 18:00:00", "Mar  4 08:00:00", "Mar  1 11:00:00"]
    assert placed(*times, mtime="2027-03-01T11:59:58", report=report)[0] == "2026-03-01T18:00:00"
    assert not report.problems


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 3, 1, 12)),  # noqa: DTZ001 - logs name no zone
    st.timedeltas(timedelta(days=-400), timedelta(days=400)),
)
def test_no_time_is_later_than_now_unless_it_is_noted(written: datetime, distance: timedelta) -> None:
    now = datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)
    local = (written + distance).replace(microsecond=0)
    report = FileReport("x")
    events = [{"timestamp": f"{local:%b} {local.day:>2} {local:%H:%M:%S}"}]
    Years(written.replace(tzinfo=UTC).timestamp(), NOW).place(events, [1], report)
    is_later = "time" in events[0] and datetime.fromisoformat(events[0]["time"]) > now
    assert is_later == ("ahead" in report.problems)
