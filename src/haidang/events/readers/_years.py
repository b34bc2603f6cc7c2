"""The year of times that are written without one (RFC 3164: ``Nov 11 21:59:03``).

Rules of this module:

- A log was written up to the moment of its file, so a time belongs to the latest year in which it is not
  after that: when the file was last written or, where that is not known or cannot be, now. A line of next
  month is of the year before; no line is ever more than a day ahead.
- The zone of such times is not written down either, and a log of Việt Nam runs seven hours ahead of the UTC
  time of its file. So a time up to 14 hours (the largest offset there is) after the file's is of this year:
  for want of a zone, what happened last night must not be dated a year back.
- Times without a zone are read as UTC, and a zone is not guessed from one line: the lines in front of it
  would keep theirs, and the order would be lost. But nothing lies after now. A time that would, as UTC, shows
  that the log's clock is ahead of UTC by so much at least; it stays as it is written, and is noted as
  ``ahead``.
- That could be wrong only for a log of a whole year, whose first lines are of these hours of the year
  before. There the lines that follow tell: when they are of the year before, so are those in front of them
  (as far as they are handed over together; a batch is what is looked at).

A file whose time lies before 2000 or after now says nothing. Input is untrusted.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.events.model import Fields, FileReport

__all__ = ["Years"]

_EARLIEST = 946_684_800
"""Seconds since the epoch at the beginning of 2000: files that are said to be older are not."""
_LARGEST_OFFSET = timedelta(hours=14)
_QUARTER = timedelta(minutes=15)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_WITHOUT_YEAR = expression(r"([A-Z][a-z]{2}) {1,2}(\d\d?),? (\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\Z", re.ASCII)
_MOST_DAYS = 1000
_BACK = 9
"""Years in which 29 February comes at least once."""


class Years:
    """Finds the year of each time of one file."""

    def __init__(self, mtime: float | None, now: float | None = None) -> None:
        """Take when the file was last written, in seconds since the epoch, and the time of now."""
        clock = time.time() if now is None else now
        known = mtime is not None and _EARLIEST <= mtime <= clock
        moment = datetime.fromtimestamp(mtime if known and mtime is not None else clock, UTC)
        self._latest = moment.replace(tzinfo=None)
        self._now = datetime.fromtimestamp(clock, UTC).replace(tzinfo=None)
        self._now_written = self._now.isoformat(timespec="seconds")
        self._days: dict[str, str] = {}

    def place(self, events: Sequence[Fields], records: Sequence[int], report: FileReport) -> None:
        """Add, as ``time``, the time with its year to each event of a batch whose ``timestamp`` has none.

        What would be later than now is noted in ``report`` by its number in ``records``.
        """
        doubtful: list[Fields] = []
        near: list[int] = []
        days = self._days
        for at, event in enumerate(events):
            text = event.get("timestamp")
            if text and len(text) == 15 and (day := days.get(text[:7])):
                event["time"] = day + text[7:]
                if doubtful:
                    self._settle(doubtful, event["time"])
                    doubtful = []
                continue
            if text.__class__ is not str or not text or text[0] < "A":
                continue
            found = self._of(text)
            if found is None:
                continue
            event["time"], is_ahead = found
            if is_ahead:
                doubtful.append(event)
                near.append(at)
            elif doubtful:
                self._settle(doubtful, event["time"])
                doubtful = []
        self._note(
            [at for at in near if events[at]["time"][:19] > self._now_written], events, records, report
        )

    def _note(
        self, ahead: Sequence[int], events: Sequence[Fields], records: Sequence[int], report: FileReport
    ) -> None:
        if ahead:
            latest = max(events[at]["time"][:19] for at in ahead)
            # Zones differ from UTC by quarters of an hour.
            hours, quarters = divmod(ceil((datetime.fromisoformat(latest) - self._now) / _QUARTER), 4)
            offset = f"{hours}:{quarters * 15:02}"
            detail = (
                "Times without a zone are read as UTC, but would then be later than now. "
                f"The clock of this log is ahead of UTC by {offset} or more."
            )
            report.note("ahead", f"line {records[ahead[0]]}", detail, count=len(ahead))

    def _settle(self, doubtful: list[Fields], following: str) -> None:
        """Move lines into the year before, where what follows them is of it."""
        for event in doubtful:
            year = int(event["time"][:4]) - 1
            earlier = f"{year:04}{event['time'][4:]}"
            if int(following[:4]) == year and following >= earlier:
                event["time"] = earlier

    def _of(self, text: str) -> tuple[str, bool] | None:
        """Return a time with its year, and whether it is ahead of the file; None where it is no such."""
        match = _WITHOUT_YEAR.match(text)
        if match is None:
            return None
        month, number, clock, fraction = match.groups()
        ending = f"T{clock}.{fraction}" if fraction else f"T{clock}"
        found = self._day(_MONTHS.get(month, 0), int(number), clock)
        if found is None:
            return None
        when, is_near, is_ahead = found
        day = text[:7]
        if not is_near and day[6] == " " and len(text) == 15 and len(self._days) < _MOST_DAYS:
            self._days[day] = f"{when.isoformat()}T"
        return when.isoformat() + ending, is_ahead

    def _day(self, month: int, day: int, clock: str) -> tuple[date, bool, bool] | None:
        """Return the day in the right year, whether the clock had a say in it, and whether it is ahead."""
        hour, minute, second = int(clock[:2]), int(clock[3:5]), int(clock[6:])
        last = self._latest + _LARGEST_OFFSET
        is_near = False
        for year in range(last.year, last.year - _BACK, -1):
            try:
                moment = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - it has none
            except ValueError:
                continue
            is_near = is_near or abs((moment.date() - self._latest.date()).days) <= 1
            if moment <= last:
                return moment.date(), is_near, moment > self._latest
        return None
