"""LAUREL: the Linux audit log as JSON, an object for each event, one a line.

    {"ID":"1794409137.276:327308","SYSCALL":{"syscall":59,…},"EXECVE":{"argc":2,"ARGV":["id","-u"]},"PATH":[…]}

Rules of this module:

- An event has the origin and the fields of auditd (:mod:`haidang.events.readers.auditd`): rules on the audit
  log find in it what they look for. How that is done is in :mod:`haidang.events.readers._laurel_events`.
- What a parent runs is what LAUREL says of it, else what the log has said before.
- Read are files, with a cookie before each object too, and lines of syslog; shippers may add members of their
  own (``host``), and collectors may keep the objects as text in theirs.
- A line that is no such object is noted and skipped; blank lines are passed over.
- Input is untrusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch
from haidang.events.patterns import expression
from haidang.events.readers import auditd
from haidang.events.readers._audit_parents import Parents
from haidang.events.readers._collected import host_of
from haidang.events.readers._laurel_events import laurel_event
from haidang.events.readers._lines import BOM, COOKIE, broken, decode
from haidang.events.shapes import decoded_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Fields, FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "LaurelReader"]

_HEAD_LINES = 100
_MARK = expression(r'[{,]\s*"ID"\s*:\s*"\d{1,12}\.\d{1,9}:\d{1,20}"', re.ASCII)
_BEFORE = f"{BOM}\x00 \t\r\n"


class LaurelReader:
    """Reads the files of LAUREL."""

    name = "laurel"
    title = "Linux audit log in JSON (LAUREL)"
    origins: tuple[Origin, ...] = (auditd.ORIGIN,)
    splittable = False
    """What a parent runs may be said before any cut."""

    def recognises(self, head: Head) -> int:
        """Return 94 where at least half of the first lines are objects that name an audit event."""
        lines = head.lines[:_HEAD_LINES]
        own = sum(map(_is_own, lines))
        return 94 if own and own * 2 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        parents = Parents(limits)
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            for number, line in enumerate(lines, first):
                text = _bare(decode(line, number, report))
                if not text:
                    continue
                document = decoded_object(text)
                event = None if document is None else laurel_event(document, host_of(document))
                if event is None:
                    broken(report, number, "no event of LAUREL")
                    continue
                _join(parents, event)
                events.append(event)
                records.append(number)
            if events:
                yield EventBatch(report, auditd.ORIGIN.name, events, records)

    def carries(self, program: str, start: str) -> bool:  # noqa: ARG002 - whatever the program
        """Return True for messages that may be an object."""
        return start in {"{", "@"}

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the event in a line of syslog."""
        message = _bare(event["message"])
        if not message.startswith("{") or _MARK.search(message, 0, 200) is None:
            return None
        document = decoded_object(message)
        return None if document is None else laurel_event(document, event.get("hostname", ""))


def _bare(text: str) -> str:
    return text.strip(_BEFORE).removeprefix(COOKIE).lstrip()


def _is_own(line: str) -> bool:
    line = _bare(line)
    return line.startswith("{") and _MARK.search(line) is not None and '":{"' in line.replace(" ", "")


def _join(parents: Parents, event: Fields) -> None:
    """Add the parent that the log has told of, where LAUREL does not say otherwise."""
    said: Fields = {name: event[name] for name in ("ParentImage", "ParentCommandLine") if name in event}
    parents.join(event)
    if said and event["ParentImage"] != said.get("ParentImage"):
        event.pop("ParentCommandLine", None)
    event.update(said)


READER = LaurelReader()
