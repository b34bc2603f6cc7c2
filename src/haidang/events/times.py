"""Time stamps: from whatever logs carry to nanoseconds since 1970-01-01T00:00:00Z, and back.

Rules of this module:

- A time without a zone is UTC: logs that leave it out cannot be placed any better.
- A bare number is an epoch time; its magnitude says whether it counts seconds (below 10^11),
  milliseconds (10^14), microseconds (10^17) or nanoseconds. Numbers below 10^8 are not times.
- A time without a year (RFC 3164) is put into the latest year in which it is not in the future. Such
  times are local times of a zone that nobody wrote down, so "future" allows for the largest offset
  from UTC there is, 14 hours: without that the last hours of a Vietnamese log would land a year back.
  Readers that know when a file was written settle the year by that (``events/readers/_years.py``).
- Nonsense is None, never an exception. Years run from 1 to 9999.

What is read: ISO 8601 and RFC 3339 (any precision, ``T`` or a space, ``.`` or ``,``, ``-`` or ``/`` in
the date), epoch numbers and their decimal text, RFC 3164 with and without a year or weekday (also as
``asctime`` writes it), ``Mon d, yyyy @ HH:MM:SS`` as Kibana and ``Mon d, yyyy h:MM:SS AM`` as Microsoft's
portals write it, ``dd/Mon/yyyy:HH:MM:SS +zzzz`` and RFC 2822, ``MM/dd/yyyy HH:MM:SS AM`` as Windows tools
write it, ``dd/MM/yyyy HH:MM:SS SA`` (or ``CH``) as they do in Vietnamese, and ``/Date(…)/`` as PowerShell's
JSON writes it.

Input is untrusted.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["format_time", "parse_time"]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
FIRST = (1 - EPOCH_ORDINAL) * DAY
LAST = (date.max.toordinal() - EPOCH_ORDINAL + 1) * DAY - 1
LARGEST_OFFSET = 14 * 3600 * SECOND
LONGEST_TEXT = 64
SMALLEST_EPOCH = 10**8
SCALES = ((10**11, SECOND), (10**14, 10**6), (10**17, 10**3), (LAST, 1))
MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ZONE = r"\s?(Z|z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?"
_CLOCK = r"(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?"
_ISO = expression(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?" + _ZONE + r"\Z",
    re.ASCII,
)
_NUMBER = expression(r"(\d{9,19})(?:\.(\d*))?\Z", re.ASCII)
_DATE_ONLY = expression(r"(\d{4})[-/](\d\d?)[-/](\d\d?)\Z", re.ASCII)
_SLASHED = expression(r"(\d{4})[-/](\d\d?)[-/](\d\d?)[Tt ]\s*" + _CLOCK + _ZONE + r"\Z", re.ASCII)
_SHORT = expression(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)" + _ZONE + r"\Z", re.ASCII)
_SYSLOG = expression(
    r"(?:[A-Za-z]{3},?\s+)?([A-Za-z]{3})\s+(\d\d?),?\s+(?:(\d{4}),?\s+)?"
    + _CLOCK
    + r"(?:\s+(\d{4}))?"
    + _ZONE
    + r"\Z",
    re.ASCII,
)
_DAY_FIRST = expression(
    r"(?:[A-Za-z]{3},?\s+)?(\d\d?)[/ -]([A-Za-z]{3})[/ -](\d{4})[:T ]" + _CLOCK + _ZONE + r"\Z", re.ASCII
)
_WINDOWS = expression(
    r"(\d\d?)/(\d\d?)/(\d{4}),?\s+" + _CLOCK + r"(?:\s?([AaPp])\.?[Mm]\.?)?" + _ZONE + r"\Z", re.ASCII
)
_MONTH_FIRST = expression(
    r"([A-Za-z]{3}) (\d\d?), (\d{4}),? (?:@ )?" + _CLOCK + r"(?:\s?([AaPp])\.?[Mm]\.?)?\Z", re.ASCII
)
_VIETNAMESE = expression(r"(\d\d?)/(\d\d?)/(\d{4}),?\s+" + _CLOCK + r"\s(SA|CH)\Z", re.ASCII)
_DOTNET = expression(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/\Z", re.ASCII)


def parse_time(value: object, *, now: float | None = None) -> int | None:
    """Return ``value`` as nanoseconds since the epoch, or None where it is no time.

    Args:
        value: text, or an epoch time as a number.
        now: epoch seconds that a time without a year must not be after; None is the clock of this machine.
    """
    if type(value) is str:
        match = _ISO.match(value)
        if match is None:
            return _parse_text(value.strip(), now) if len(value) <= LONGEST_TEXT else None
        day, *clock = match.groups()
        return _moment(_day_of(day), clock)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _scaled(value, "")
    if isinstance(value, float):
        return _from_float(value)
    return None


def format_time(ns: int) -> str:
    """Return ``ns`` as RFC 3339 in UTC: three, six or nine digits of a second, as few as lose nothing.

    Times outside the years 1 to 9999 are moved to the nearest that can be written.
    """
    seconds, rest = divmod(min(max(ns, FIRST), LAST), SECOND)
    days, clock = divmod(seconds, 86_400)
    if rest % 1_000_000 == 0:
        digits = f"{rest // 1_000_000:03d}"
    elif rest % 1_000 == 0:
        digits = f"{rest // 1_000:06d}"
    else:
        digits = f"{rest:09d}"
    return f"{_text_of_day(days)}T{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}.{digits}Z"


@lru_cache(maxsize=1024)
def _text_of_day(days: int) -> str:
    return date.fromordinal(EPOCH_ORDINAL + days).isoformat()


@lru_cache(maxsize=1024)
def _day_of(text: str) -> int | None:
    return _day(int(text[:4]), int(text[5:7]), int(text[8:10]))


def _day(year: int, month: int, day: int) -> int | None:
    """Return when a day begins, or None where the calendar has no such day."""
    try:
        return (date(year, month, day).toordinal() - EPOCH_ORDINAL) * DAY
    except ValueError:
        return None


def _moment(start: int | None, clock: Sequence[str | Any]) -> int | None:
    """Add the time of day to the beginning of its day and take the zone off; a second 60 is a leap second.

    ``clock`` is what ``_CLOCK`` and ``_ZONE`` captured: hour, minute, second, fraction and zone.
    """
    hour, minute, second, fraction, zone = clock
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if start is None or hours > 23 or minutes > 59 or seconds > 60:
        return None
    ns = start + (hours * 3600 + minutes * 60 + seconds) * SECOND
    if fraction:
        ns += int(fraction[:9].ljust(9, "0"))
    if zone and zone[0] in "+-":
        offset = (int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)) * 60 * SECOND
        if offset > 24 * 3600 * SECOND:
            return None
        ns += -offset if zone[0] == "+" else offset
    return ns if FIRST <= ns <= LAST else None


def _scaled(whole: int, decimals: str) -> int | None:
    """Read an epoch number, its digits after the point apart so that none are lost."""
    if whole < SMALLEST_EPOCH:
        return None
    for bound, scale in SCALES:
        if whole < bound:
            return whole * scale + int(decimals[:9].ljust(9, "0")) * scale // SECOND
    return None


def _from_float(value: float) -> int | None:
    """Read an epoch number that has only about 16 digits: rounded to microseconds, which are sure."""
    if not SMALLEST_EPOCH <= value < LAST:
        return None
    scale = next(scale for bound, scale in SCALES if value < bound)
    whole = int(value)
    return whole * scale + round((value - whole) * scale / 1000) * 1000


def _parse_text(text: str, now: float | None) -> int | None:
    """Try every form but plain ISO; each pattern begins differently, so most fail at once."""
    if match := _NUMBER.match(text):
        return _scaled(int(match[1]), match[2] or "")
    if match := _ISO.match(text):
        return _moment(_day_of(match[1]), match.groups()[1:])
    if match := _SYSLOG.match(text):
        return _parse_syslog(match, now)
    return _parse_calendar(text)


def _parse_calendar(text: str) -> int | None:
    """Read the forms that carry a whole date and are not plain ISO."""
    if match := _SLASHED.match(text):
        return _moment(_day(int(match[1]), int(match[2]), int(match[3])), match.groups()[3:])
    if match := _DAY_FIRST.match(text):
        day = _day(int(match[3]), MONTHS.get(match[2].lower(), 0), int(match[1]))
        return _moment(day, match.groups()[3:])
    if match := _WINDOWS.match(text):
        return _parse_windows(match)
    if match := _SHORT.match(text):
        return _moment(_day_of(match[1]), (match[2], match[3], "0", None, match[4]))
    if match := _DATE_ONLY.match(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _DOTNET.match(text):
        ns = int(match[1]) * 1_000_000
        return ns if FIRST <= ns <= LAST else None
    return _parse_shown(text)


def _parse_shown(text: str) -> int | None:
    """Read the forms in which programs show times to people."""
    if match := _MONTH_FIRST.match(text):
        name, day, year, *clock = match.groups()
        return _half_days(_day(int(year), MONTHS.get(name.lower(), 0), int(day)), clock)
    if match := _VIETNAMESE.match(text):
        day, month, year, *clock = match.groups()
        clock[-1] = "p" if clock[-1] == "CH" else "a"
        return _half_days(_day(int(year), int(month), int(day)), clock)
    return None


def _parse_windows(match: re.Match[str]) -> int | None:
    month, day, year, *clock, zone = match.groups()
    return _half_days(_day(int(year), int(month), int(day)), clock, zone)


def _half_days(start: int | None, clock: Sequence[str | Any], zone: str | None = None) -> int | None:
    """Return a time of which the half of the day is told, or is not (None)."""
    hour, minute, second, fraction, half = clock
    if half:
        if not 1 <= int(hour) <= 12:
            return None
        hour = str(int(hour) % 12 + (12 if half in "Pp" else 0))
    return _moment(start, (hour, minute, second, fraction, zone))


def _parse_syslog(match: re.Match[str], now: float | None) -> int | None:
    name, day, early, hour, minute, second, fraction, late, zone = match.groups()
    clock = (hour, minute, second, fraction, zone)
    month = MONTHS.get(name.lower(), 0)
    if early or late:
        return _moment(_day(int(early or late), month, int(day)), clock)
    try:
        latest = int((time.time() if now is None else now) * SECOND) + LARGEST_OFFSET
        year = datetime.fromtimestamp(latest // SECOND, UTC).year
    except (ValueError, OverflowError, OSError):
        return None
    # 29 February may be eight years back: 1897 to 1903 had none, and 2097 to 2103 will not.
    for candidate in range(year, max(year - 9, 0), -1):
        ns = _moment(_day(candidate, month, int(day)), clock)
        if ns is not None and ns <= latest:
            return ns
    return None
