r"""Wazuh's and OSSEC's own text logs: everything that arrived (archives.log), and alerts (alerts.log).

    2026 May 11 10:14:16 (web01) 10.0.0.4->/var/log/auth.log May 11 10:14:15 web01 sshd[123]: Failed …
    2026 May 11 10:14:17 (PC01) any->EventChannel {"win":{"system":{…},"eventdata":{…}}}

    ** Alert 1778469255.100: - syslog,sshd,
    2026 May 11 10:14:16 (web01) 10.0.0.4->/var/log/auth.log
    Rule: 5710 (level 5) -> 'sshd: Attempt to login using a non-existent user'
    Src IP: 198.51.100.7
    May 11 10:14:15 web01 sshd[123]: Failed password …

Rules of this module:

- What is behind the header is read as what it is, as :mod:`haidang.events.readers.collected` does: a line of
  syslog or of a product, a Windows event, JSON. Of an alert that is what follows the rule and what Wazuh says
  of it; the alert itself is not an event of its own.
- What is none of these is plain text, with the time of the header and the agent as its host. So is a line
  without a header.
- The time of the header is local to the manager; it only says in which year a line is.
- Input is untrusted.

Fields: those of what is inside; of plain text, ``time``, ``hostname`` and ``message``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers import collected, text
from haidang.events.readers._lines import BOM, decode
from haidang.events.readers._opener import Opener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Batch, FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "WazuhReader"]

_HEAD_LINES = 100
_HEADER = expression(
    r"(\d{4}) ([A-Z][a-z]{2} [ \d]\d) (\d\d:\d\d:\d\d) "
    r"(?:\(([^()]{1,256})\) )?([^\s>]{1,256})->(\S{1,1024})(?: (.*))?\Z",
    re.DOTALL,
)
_ALERT = expression(r"\*\* Alert \d{1,12}\.\d{1,12}:", re.ASCII)
_TOLD = expression(r"(?:Rule|Src IP|Dst IP|Src Port|Dst Port|User|Src Location|Dst Location): ")


class WazuhReader:
    """Reads archives.log and alerts.log."""

    name = "wazuh"
    title = "Wazuh and OSSEC (archives.log, alerts.log)"
    splittable = False
    """What an alert is about stands some lines below it."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return the families of logs that may be inside."""
        return tuple(dict.fromkeys((text.ORIGIN, *collected.READER.origins)))

    def recognises(self, head: Head) -> int:
        """Return 94 where a file begins with an alert, or half of the first lines have a header."""
        lines = [line.removeprefix(BOM) for line in head.lines[:_HEAD_LINES]]
        own = sum(_HEADER.match(line) is not None for line in lines)
        alerts = bool(own and _ALERT.match(lines[0]))
        return 94 if alerts or (own and own * 2 >= len(lines)) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[Batch]:
        """Yield what is inside of each batch of lines."""
        opener = Opener(report, stream.mtime, limits)
        around: Fields = {}
        is_told = False
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            for number, raw in enumerate(lines, first):
                line = decode(raw, number, report).removeprefix(BOM).strip("\x00\r\n")
                if (match := _HEADER.match(line)) is not None:
                    year, day, clock, agent, address, _, message = match.groups()
                    around = {"time": f"{day} {year} {clock}", "hostname": agent or address}
                    line = message or ""
                    # What Wazuh says of an alert is above what the alert is about; below it is the log's own.
                    is_told = not line
                elif _ALERT.match(line) or (is_told and _TOLD.match(line)):
                    continue
                else:
                    is_told = False
                if line.strip():
                    events.append({"message": line, **around})
                    records.append(number)
            if events:
                yield from opener.rows(EventBatch(report, text.ORIGIN.name, events, records))
        yield from opener.close()


READER = WazuhReader()
