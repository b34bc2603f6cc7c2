"""Counting by day and host what a look into the archive meets."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from haidang.console.hunts.questions import Day, Host, Said

if TYPE_CHECKING:
    from datetime import date

__all__ = ["Tally"]

_HOSTS = 20


class Tally:
    """Counts."""

    def __init__(self, before: datetime | None, offset: int) -> None:
        """Begin with nothing; days begin ``offset`` seconds before those of UTC."""
        self._before = before
        self._offset = timedelta(seconds=offset)
        self._number = self._earlier = 0
        self._days: Counter[date] = Counter()
        self._hosts: Counter[str] = Counter()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(self, at: datetime, host: str) -> None:
        """Count one; times are UTC."""
        earlier = self._before is not None and at < self._before
        self.add_some((at + self._offset).date(), host, 1, int(earlier), at, at)

    def add_some(
        self, day: date, host: str, number: int, earlier: int, first: datetime, last: datetime
    ) -> None:
        """Count several of a local day."""
        self._number += number
        self._earlier += earlier
        self._days[day] += number
        self._hosts[host.lower()] += number
        self._first = first if self._first is None else min(self._first, first)
        self._last = last if self._last is None else max(self._last, last)

    def said(self) -> Said:
        """Return what was counted."""
        return Said(
            number=self._number,
            earlier=self._earlier,
            first=_iso(self._first),
            last=_iso(self._last),
            days=[Day(day.isoformat(), number) for day, number in sorted(self._days.items())],
            hosts=[Host(host, number) for host, number in self._hosts.most_common(_HOSTS)],
            host_number=len(self._hosts),
        )


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat()
