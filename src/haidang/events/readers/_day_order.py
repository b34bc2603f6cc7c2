"""Which number of a date is the day, where logs write dates as the region of a host does (``11/12/2026``).

Rules of this module:

- What settles it is a first or second number of more than twelve, in any date of the file that is looked
  at; where both occur, or none, each date stands for itself: the month is first, unless that number is no
  month.
- ``Ahead`` reads lines before they are handed over, until a date settles it, at most ``limits.spool_bytes``.
- Input is untrusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.events.model import FileReport
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["Ahead", "has_day_first", "iso_date", "iso_time"]

_MONTHS = 12
_DATE = expression(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4})\Z", re.ASCII)
_CENTURY = 2000
_TIME = expression(
    r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}),? (\d{1,2})[:.](\d\d)[:.](\d\d)(?: ?([AaPp]\.?[Mm]\.?|SA|CH))?\Z",
    re.ASCII,
)
_AFTERNOON = frozenset("pPC")
_VIETNAMESE = frozenset({"SA", "CH"})
_BEGINNING = expression(rb"(\d{1,2})/(\d{1,2})/\d{4} \d", re.ASCII)


def has_day_first(dates: Iterable[tuple[str, str]]) -> bool | None:
    """Return whether the day is first, of the first two numbers of some dates; None where nothing tells."""
    first_days = second_days = False
    for first, second in dates:
        first_days = first_days or int(first) > _MONTHS
        second_days = second_days or int(second) > _MONTHS
    return None if first_days == second_days else first_days


def iso_date(written: str, *, day_first: bool | None) -> str:
    """Return a date as RFC 3339 has it; as written where it is none.

    A year of two digits is of this century.
    """
    match = _DATE.match(written)
    if match is None:
        return written
    first, second = int(match[1]), int(match[2])
    if (day_first or first > _MONTHS) and second <= _MONTHS:
        first, second = second, first
    year = int(match[3])
    year += _CENTURY if len(match[3]) == 2 else 0
    return f"{year}-{first:02}-{second:02}"


def iso_time(written: str, *, day_first: bool | None) -> str:
    """Return a date and a time as RFC 3339 has them, without a zone; as written where it is none.

    The day is first in dates without slashes, and where the halves of a day have Vietnamese names.
    """
    match = _TIME.match(written)
    if match is None:
        return written
    date, hour, minute, second, half = match.groups()
    clock = int(hour)
    if half:
        clock = clock % 12 + (12 if half[0] in _AFTERNOON else 0)
    told = True if half in _VIETNAMESE or "/" not in date else day_first
    return f"{iso_date(date, day_first=told)} {clock:02}:{minute}:{second}"


class Ahead:
    """The lines of a stream, of which the first may be looked at before they are taken."""

    def __init__(self, stream: Stream, report: FileReport, limits: Limits) -> None:
        """Read from ``stream``."""
        self.mtime = stream.mtime
        self._rest = stream.line_batches(report, limits)
        self._most = limits.spool_bytes
        self._held: list[tuple[int, list[bytes]]] = []

    def day_first(self) -> bool | None:
        """Return whether dates with slashes have the day first; None where nothing tells so far."""
        size = 0
        while size < self._most and (batch := next(self._rest, None)) is not None:
            self._held.append(batch)
            lines = batch[1]
            matches = (match for line in lines if (match := _BEGINNING.match(line)) is not None)
            told = has_day_first((str(int(match[1])), str(int(match[2]))) for match in matches)
            if told is not None:
                return told
            size += sum(map(len, lines))
        return None

    def line_batches(self, report: FileReport, limits: Limits) -> Iterator[tuple[int, list[bytes]]]:
        """Yield all batches of lines, as the stream does."""
        del report, limits
        for at, batch in enumerate(self._held):
            self._held[at] = (0, [])
            yield batch
        yield from self._rest
