"""Numbers, sizes, times and positions as people write them."""

from __future__ import annotations

import pytest

from haidang.findings.figures import decimal, duration, number, place, size, span
from haidang.i18n import translator


def test_vietnamese_and_english_group_digits_each_in_their_way() -> None:
    assert (number(1234567, "en"), number(1234567, "vi")) == ("1,234,567", "1.234.567")
    assert (decimal(1234.5, "en"), decimal(1234.5, "vi")) == ("1,234.5", "1.234,5")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_960, "1.0 MB"),
        (2_280_000_000, "2.3 GB"),
        (10**19, "10,000.0 PB"),
    ],
)
def test_size_has_three_digits_before_the_point(amount: int, text: str) -> None:
    assert size(amount, "en") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (4.24, "4.2 s"),
        (59.96, "1:00"),
        (187.4, "3:07"),
        (3599.6, "1:00:00"),
        (7387, "2:03:07"),
        (3_810_840, "44 d 02:34"),
    ],
)
def test_duration_reads_as_a_clock_from_a_minute_on(seconds: float, text: str) -> None:
    assert duration(seconds, "en") == text


def test_span_says_year_and_day_once() -> None:
    begin = "2026-03-01T08:12:45.123Z"
    assert span(begin, begin) == "2026-03-01 08:12"
    assert span(begin, "2026-03-01T09:00:00Z") == "2026-03-01 08:12 → 09:00"
    assert span(begin, "2026-04-02T09:00:00Z") == "2026-03-01 08:12 → 04-02 09:00"
    assert span(begin, "2027-03-01T08:12:45Z") == "2026-03-01 08:12 → 2027-03-01 08:12"


def test_place_is_said_in_the_readers_language_and_an_unknown_one_as_it_is() -> None:
    vietnamese = translator("vi")
    assert place("line 1234", vietnamese) == "dòng 1.234"
    assert place("member a/b c.json", vietnamese) == "tệp con a/b c.json"
    assert place("line 1234", translator("en")) == "line 1,234"
    assert place("somewhere else", vietnamese) == "somewhere else"
    assert place("line", vietnamese) == "line"
    assert place("", vietnamese) == ""
