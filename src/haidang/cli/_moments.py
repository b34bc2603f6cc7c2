"""``--since`` and ``--until``: a moment as people write it, as nanoseconds since 1970 in UTC.

2026-03-01T08:00:00Z   RFC 3339; without an offset it is UTC
2026-03-01             the day's beginning for --since, its end for --until, in UTC
7d 12h 30m 45s 2w      so long ago
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import Context

__all__ = ["bounds", "moment_ns"]

_AGO = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NANO = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bounds(args: argparse.Namespace, context: Context) -> tuple[int | None, int | None]:
    """Return what ``--since`` and ``--until`` name, None for one that is not given.

    Raises:
        ConfigurationError: One is no moment, or the first lies after the second.
    """
    now = context.now()
    since = moment_ns(args.since, now=now, end=False) if args.since else None
    until = moment_ns(args.until, now=now, end=True) if args.until else None
    if since is not None and until is not None and since > until:
        raise ConfigurationError(
            f"--since {args.since} is after --until {args.until}",
            hint="No event can be between them; swap them.",
        )
    return since, until


def moment_ns(text: str, *, now: int, end: bool) -> int:
    """Return the moment that ``text`` names.

    Args:
        text: What the user wrote.
        now: The present, in nanoseconds since 1970.
        end: Whether a date means its last nanosecond rather than its first.

    Raises:
        ConfigurationError: ``text`` is none of the forms above.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        return now - int(ago[1]) * _SECONDS[ago[2]] * _NANO
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            start = _ns(datetime(day.year, day.month, day.day, tzinfo=UTC))
            return start + _SECONDS["d"] * _NANO - 1 if end else start
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is no moment in time",
            hint="Write 2026-03-01T08:00:00Z, 2026-03-01 or a time ago such as 7d, 12h, 30m.",
        ) from None
    return _ns(found if found.tzinfo else found.replace(tzinfo=UTC))


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
