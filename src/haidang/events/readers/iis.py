"""IIS's own format of its log (Microsoft IIS log file format): fifteen columns of a fixed order, with commas.

    203.0.113.9, -, 11/11/26, 21:58:57, W3SVC1, HV-WEB02, 10.20.0.8, 45, 163, 3223, 200, 0, GET, /a.aspx,
    id=7,

Rules of this module:

- The columns are named as in the W3C extended format, so that rules on web servers find what they look for.
- The date is written as the region of the host has it. A number over twelve in one of the first dates tells
  which is the day; where none does, the month is first. A time is local and has no zone; it is taken for
  UTC.
- The last column, what follows the question mark, may hold commas itself.
- A line that is none is noted and skipped; blank lines are passed over.
- Input is untrusted; the pattern runs in linear time.

Fields (origin ``w3cweb``, all text; ``-`` is absent): ``c-ip``, ``cs-username``, ``s-sitename``,
``s-computername``, ``s-ip``, ``time-taken`` (milliseconds), ``cs-bytes``, ``sc-bytes``, ``sc-status``,
``sc-win32-status``, ``cs-method``, ``cs-uri-stem``, ``cs-uri-query``, and:

    timestamp   date and time in one, without a zone
    request     as of :mod:`haidang.events.readers.w3c`
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch
from haidang.events.patterns import expression
from haidang.events.readers import w3c
from haidang.events.readers._day_order import has_day_first, iso_date
from haidang.events.readers._lines import BOM, broken, decode_all
from haidang.events.readers._web import target_forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Fields, FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "IisReader"]

_HEAD_LINES = 100
_NAMES = (
    "c-ip", "cs-username", "date", "time", "s-sitename", "s-computername", "s-ip", "time-taken", "cs-bytes",
    "sc-bytes", "sc-status", "sc-win32-status", "cs-method", "cs-uri-stem", "cs-uri-query",
)  # fmt: skip
_LINE = expression(
    r"([0-9A-Fa-f.:%]{2,64}), ([^,]{1,256}), (\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d\d)), (\d{1,2}:\d\d:\d\d), "
    r"((?:W3SVC|MSFTPSVC|FTPSVC|SMTPSVC|NNTPSVC)\d{0,10}), ([^,\s]{1,256}), ([0-9A-Fa-f.:%]{2,64}|-), "
    r"(\d{1,12}), (\d{1,20}), (\d{1,20}), (\d{1,5}), (\d{1,10}), ([^,\s]{1,64}), "
    r"([^,]*+(?:,(?! )[^,]*+)*+), (.*?),?\s*\Z",
    re.ASCII | re.DOTALL,
)
_DATE = expression(r", (\d{1,2})[/.-](\d{1,2})[/.-](?:\d{4}|\d\d), \d{1,2}:\d\d:\d\d, ", re.ASCII)


class IisReader:
    """Reads logs in IIS's own format."""

    name = "iis"
    title = "IIS log (its own format)"
    origins: tuple[Origin, ...] = (w3c.WEB,)
    splittable = False
    """The beginning may tell how dates are written."""

    def recognises(self, head: Head) -> int:
        """Return 95 where at least half of the first lines are such records."""
        lines = head.lines[:_HEAD_LINES]
        own = sum(_LINE.match(line.removeprefix(BOM)) is not None for line in lines)
        return 95 if own and own * 2 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        day_first: bool | None = None
        for first, lines in stream.line_batches(report, limits):
            texts = decode_all(lines, first, report)
            if day_first is None:
                day_first = has_day_first(
                    (match[1], match[2]) for text in texts if (match := _DATE.search(text))
                )
            events: list[Fields] = []
            records: list[int] = []
            for number, text in enumerate(texts, first):
                match = _LINE.match(text.removeprefix(BOM))
                if match is not None:
                    events.append(_event(match, day_first=day_first))
                    records.append(number)
                elif text.strip("\x00 \t\r"):
                    broken(report, number, "no record of IIS")
            if events:
                yield EventBatch(report, w3c.WEB.name, events, records)


def _event(match: re.Match[str], *, day_first: bool | None) -> Fields:
    event: Fields = dict(zip(_NAMES, match.groups(), strict=True))
    for name in [name for name, value in event.items() if value in {"-", ""}]:
        del event[name]
    date, clock = event.pop("date"), event.pop("time")
    event["timestamp"] = f"{iso_date(date, day_first=day_first)}T{clock:0>8}"
    path, query = event.get("cs-uri-stem"), event.get("cs-uri-query")
    if path:
        event["request"] = target_forms(f"{path}?{query}" if query else path)
    return event


READER = IisReader()
