"""Which number of a date is the day, where logs write dates as the region of a host does (``11/12/2026``).

Rules of this module:

- What settles it is a first or second number of more than twelve, in any date of the file that is looked
  at; where both occur, or none, each date stands for itself: the month is first, unless that number is no
  month.
- Input is untrusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["has_day_first", "iso_date"]

_MONTHS = 12
_DATE = expression(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4})\Z", re.ASCII)
_CENTURY = 2000


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
