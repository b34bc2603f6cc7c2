"""Moments as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.cli._moments import moment_ns
from haidang.errors import ConfigurationError

NOW = 1_772_352_000_000_000_000  # 2026-03-01T08:00:00Z
HOUR = 3_600_000_000_000


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2026-03-01T08:00:00Z", 0),
        ("2026-03-01T08:00:00", 0),
        ("2026-03-01 08:00:00Z", 0),
        ("2026-03-01T15:00:00+07:00", 0),
        ("2026-03-01", -8),
        ("8h", -8),
        ("480m", -8),
        ("28800s", -8),
        ("7d", -168),
        ("1w", -168),
    ],
)
def test_reads_rfc_3339_dates_and_times_ago(text: str, hours: int) -> None:
    assert moment_ns(text, now=NOW, end=False) == NOW + hours * HOUR


def test_date_means_the_whole_day() -> None:
    begin = moment_ns("2026-03-01", now=NOW, end=False)
    end = moment_ns("2026-03-01", now=NOW, end=True)
    assert end - begin == 24 * HOUR - 1


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7", "-7d", "7y", "2026-13-01", "2026-02-30", "08:00", "\u0667d", "9" * 30 + "d"],
)
@pytest.mark.parametrize("end", [False, True])
def test_refuses_what_is_no_moment(text: str, *, end: bool) -> None:
    with pytest.raises(ConfigurationError, match="no moment in time"):
        moment_ns(text, now=NOW, end=end)


@given(st.datetimes(timezones=st.just(UTC)))
def test_agrees_with_the_calendar_to_the_microsecond(moment: datetime) -> None:
    nanoseconds = moment_ns(moment.isoformat(), now=NOW, end=False)
    days = moment.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
    seconds = days * 86_400 + moment.hour * 3600 + moment.minute * 60 + moment.second
    assert nanoseconds == seconds * 1_000_000_000 + moment.microsecond * 1000


@given(st.text())
def test_any_text_is_a_moment_or_a_configuration_error(text: str) -> None:
    with suppress(ConfigurationError):
        assert isinstance(moment_ns(text, now=NOW, end=False), int)
