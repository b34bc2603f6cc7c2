"""Suricata's events (EVE): JSON lines of alerts, flows and protocols; also one by one through syslog.

    {"timestamp":"2026-11-11T21:59:02.417000+0700","flow_id":1,"event_type":"dns","src_ip":"10.20.0.31",…}

Rules of this module:

- Files are handed over undecoded, as all JSON lines are; the logsource map says how an event of EVE is
  recognised, and does so in any file of JSON.
- A line of syslog whose program is ``suricata`` and whose message is an object is such an event, be it marked
  with ``@cee:`` or not.
- Input is untrusted.

Fields (origin ``suricata``): those of EVE. Through syslog, ``hostname`` of the header as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.readers import ndjson
from haidang.events.readers._lines import COOKIE
from haidang.events.shapes import decoded_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import DocumentBatch, Fields, FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "SuricataReader"]

ORIGIN = Origin("suricata", time_fields=("timestamp",), host_fields=("host", "hostname"))

HEAD_LINES = 100
_MARK = '"event_type":'
_SIGNS = ('"flow_id":', '"stats":', '"in_iface":', '"engine":')


class SuricataReader:
    """Reads EVE."""

    name = "suricata"
    title = "Suricata (EVE JSON)"
    origins: tuple[Origin, ...] = (ORIGIN, *ndjson.READER.origins)
    splittable = True
    """Each line says all by itself, so that several processes may share one large file."""

    def recognises(self, head: Head) -> int:
        """Return 85 where at least half of the first lines are events of EVE."""
        lines = head.lines[:HEAD_LINES]
        own = sum(map(_is_eve, lines))
        return 85 if own and own * 2 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[DocumentBatch]:
        """Yield the lines as they are."""
        yield from ndjson.READER.read(stream, report, limits)

    def carries(self, program: str, start: str) -> bool:
        """Return True for the lines of suricata."""
        return program == "suricata" and start in {"{", "@"}

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the event in a line of syslog."""
        message: str = event["message"].removeprefix(COOKIE).lstrip()
        if not _is_eve(message) or (fields := decoded_object(message)) is None:
            return None
        if "hostname" in event:
            fields.setdefault("hostname", event["hostname"])
        return fields


def _is_eve(line: str) -> bool:
    return line.lstrip("\x00 ").startswith("{") and _MARK in line and any(sign in line for sign in _SIGNS)


READER = SuricataReader()
