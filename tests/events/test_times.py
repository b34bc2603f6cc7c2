"""Times are read in every form that logs use, and written in one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.times import FIRST, LAST, format_time, parse_time

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC).timestamp()


def shown(value: object, *, now: float | None = NOW) -> str | None:
    """Return the time that ``value`` is read as, written out."""
    ns = parse_time(value, now=now)
    return None if ns is None else format_time(ns)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06.000Z"),
        ("Feb 3, 2026 @ 04:05:06.123", "2026-02-03T04:05:06.123Z"),
        ("Feb 3, 2026 4:05:06 AM", "2026-02-03T04:05:06.000Z"),
        ("Feb 3, 2026, 12:05:06 PM", "2026-02-03T12:05:06.000Z"),
        ("03/02/2026 4:05:06 SA", "2026-02-03T04:05:06.000Z"),
        ("03/02/2026 04:05:06 CH", "2026-02-03T16:05:06.000Z"),
        ("2026-02-03T04:05:06", "2026-02-03T04:05:06.000Z"),
        ("2026-02-03 04:05:06.5", "2026-02-03T04:05:06.500Z"),
        ("2026-02-03 04:05:06,123", "2026-02-03T04:05:06.123Z"),
        ("2026-02-03t04:05:06.123456z", "2026-02-03T04:05:06.123456Z"),
        ("2026-02-03T04:05:06.1234567Z", "2026-02-03T04:05:06.123456700Z"),
        ("2026-02-03T04:05:06.123456789+07:00", "2026-02-02T21:05:06.123456789Z"),
        ("2026-02-03T04:05:06.1234567891234Z", "2026-02-03T04:05:06.123456789Z"),
        ("2026-02-03T04:05:06-0330", "2026-02-03T07:35:06.000Z"),
        ("2026-02-03T04:05:06+07", "2026-02-02T21:05:06.000Z"),
        ("2026-02-03 04:05:06 UTC", "2026-02-03T04:05:06.000Z"),
        ("2026-02-03T04:05Z", "2026-02-03T04:05:00.000Z"),
        ("2026-02-03", "2026-02-03T00:00:00.000Z"),
        ("2026/02/03 04:05:06", "2026-02-03T04:05:06.000Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000Z"),
        ("  2026-02-03T04:05:06Z\n", "2026-02-03T04:05:06.000Z"),
        ("Feb  3 04:05:06", "2026-02-03T04:05:06.000Z"),
        ("Feb 3 04:05:06.25", "2026-02-03T04:05:06.250Z"),
        ("Feb  3 2024 04:05:06", "2024-02-03T04:05:06.000Z"),
        ("Tue Feb  3 04:05:06 2026", "2026-02-03T04:05:06.000Z"),
        ("Wed Jul 05 09:19:24.428126 2023", "2023-07-05T09:19:24.428126Z"),
        ("03/Feb/2026:04:05:06 +0700", "2026-02-02T21:05:06.000Z"),
        ("Tue, 03 Feb 2026 04:05:06 +0700", "2026-02-02T21:05:06.000Z"),
        ("2/3/2026 4:05:06 AM", "2026-02-03T04:05:06.000Z"),
        ("02/03/2026 12:05:06 AM", "2026-02-03T00:05:06.000Z"),
        ("02/03/2026 12:05:06 pm", "2026-02-03T12:05:06.000Z"),
        ("02/03/2026 16:05:06", "2026-02-03T16:05:06.000Z"),
        ("/Date(1770091506123)/", "2026-02-03T04:05:06.123Z"),
        (1770091506, "2026-02-03T04:05:06.000Z"),
        (1770091506123, "2026-02-03T04:05:06.123Z"),
        (1770091506123456, "2026-02-03T04:05:06.123456Z"),
        (1770091506123456789, "2026-02-03T04:05:06.123456789Z"),
        (1770091506.123456, "2026-02-03T04:05:06.123456Z"),
        (1770091506123.5, "2026-02-03T04:05:06.123500Z"),
        ("1770091506", "2026-02-03T04:05:06.000Z"),
        ("1770091506.123456789", "2026-02-03T04:05:06.123456789Z"),
        ("1770091506123.25", "2026-02-03T04:05:06.123250Z"),
    ],
)
def test_reads_every_form_that_logs_carry(written: object, meant: str) -> None:
    assert shown(written) == meant


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        True,
        False,
        "",
        " ",
        "-",
        "now",
        "Feb 30, 2026 @ 04:05:06",
        "Feb 3, 2026 13:05:06 PM",
        "03/13/2026 4:05:06 SA",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-03T24:00:00Z",
        "2026-02-03T04:60:06Z",
        "2026-02-03T04:05:61Z",
        "2026-02-03T04:05:06+99:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "2\uff1026-02-03T04:05:06Z",
        "Xyz  3 04:05:06",
        "Feb 30 04:05:06",
        "13/45/2026 04:05:06",
        "2/3/2026 13:05:06 AM",
        0,
        7,
        -1770091506,
        4688,
        10**40,
        float("nan"),
        float("inf"),
        float("-inf"),
        b"2026-02-03T04:05:06Z",
        ["2026-02-03T04:05:06Z"],
        {},
        "9" * 1_000_000,
        "2026-02-03T04:05:06" + " " * 1_000_000,
    ],
)
def test_returns_none_for_nonsense(nonsense: object) -> None:
    assert parse_time(nonsense, now=NOW) is None


def test_puts_a_time_without_year_into_the_latest_year_that_is_not_in_the_future() -> None:
    assert shown("Dec 31 23:59:59") == "2025-12-31T23:59:59.000Z"
    assert shown("Mar  1 11:59:59") == "2026-03-01T11:59:59.000Z"
    assert shown("Mar  3 00:00:00") == "2025-03-03T00:00:00.000Z"


def test_allows_for_the_unwritten_zone_of_a_time_without_year() -> None:
    """At noon UTC a clock in Viet Nam shows 19:00, and a log that ends then is of today."""
    assert shown("Mar  1 19:00:00") == "2026-03-01T19:00:00.000Z"
    assert shown("Mar  2 02:00:01") == "2025-03-02T02:00:01.000Z"


def test_new_year_in_the_east_is_not_a_year_back() -> None:
    new_year_eve = datetime(2026, 12, 31, 18, 0, 0, tzinfo=UTC).timestamp()
    assert shown("Jan  1 01:00:00", now=new_year_eve) == "2027-01-01T01:00:00.000Z"


def test_finds_the_last_leap_year_for_29_february() -> None:
    assert shown("Feb 29 01:02:03") == "2024-02-29T01:02:03.000Z"
    after_gap = datetime(2103, 6, 1, tzinfo=UTC).timestamp()
    assert shown("Feb 29 01:02:03", now=after_gap) == "2096-02-29T01:02:03.000Z"


@pytest.mark.parametrize("now", [float("nan"), float("inf"), -1e30, 1e30])
def test_survives_a_broken_clock(now: float) -> None:
    assert parse_time("Feb  3 04:05:06", now=now) is None


def test_writes_times_that_have_no_name_as_the_nearest_that_has() -> None:
    assert format_time(LAST + 1) == "9999-12-31T23:59:59.999999999Z"
    assert format_time(FIRST - 1) == "0001-01-01T00:00:00.000Z"
    assert format_time(-1) == "1969-12-31T23:59:59.999999999Z"


@given(st.integers(FIRST, LAST))
def test_what_is_written_is_read_back(ns: int) -> None:
    text = format_time(ns)
    assert parse_time(text) == ns
    assert parse_time(text.replace("T", " ").removesuffix("Z")) == ns


@given(st.integers(FIRST, LAST))
def test_what_is_written_agrees_with_the_standard_library(ns: int) -> None:
    moment = datetime.fromisoformat(format_time(ns))
    assert moment.microsecond == ns // 1000 % 1_000_000
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) == ns // 1_000_000_000


@given(st.integers(10**8, 10**11 - 1), st.integers(0, 999_999_999))
def test_epoch_numbers_of_any_unit_agree(seconds: int, rest: int) -> None:
    ns = seconds * 1_000_000_000 + rest
    assert parse_time(f"{seconds}.{rest:09d}") == ns
    assert parse_time(seconds) == ns - rest


@given(st.integers(10**8, 4 * 10**9), st.integers(0, 999_999))
def test_a_float_keeps_its_microseconds(seconds: int, micros: int) -> None:
    assert parse_time(seconds + micros / 1e6) == seconds * 1_000_000_000 + micros * 1_000


@given(st.integers(0, 2**31), st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_taken_off(seconds: int, offset: int) -> None:
    sign = "-" if offset < 0 else "+"
    zone = f"{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    local = format_time((seconds + offset * 60) * 1_000_000_000).removesuffix("Z")
    assert parse_time(local + zone) == seconds * 1_000_000_000


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.from_regex(r"[\d:/T .,+Z-]{0,40}"),
        st.from_regex(r"[A-Z][a-z]{2} \d{1,3} \d\d:\d\d:\d\d( \d{4})?", fullmatch=True),
        st.lists(st.integers()),
        st.binary(),
    )
)
def test_never_raises(value: object) -> None:
    ns = parse_time(value, now=NOW)
    assert ns is None or FIRST <= ns <= LAST
