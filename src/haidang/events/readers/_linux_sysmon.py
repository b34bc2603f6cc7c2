"""Sysmon for Linux: events that it writes into syslog and the journal, as XML in the message.

A message that is cut off (syslog daemons cut at 8 KiB unless told otherwise) is no event; it stays the line
of text that it is, and is noted. Input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.readers._event_xml import EventXmlError, parse_event
from haidang.events.readers._lines import broken
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from haidang.events.model import Fields, FileReport

__all__ = ["SYSMON", "SYSMON_MARK", "take_sysmon"]

SYSMON = WINDOWS
"""Sysmon for Linux has the fields of Sysmon for Windows; its channel is Linux-Sysmon/Operational."""
SYSMON_MARK = "<Event>"
"""What the message of such a line begins with."""


def take_sysmon(fields: Fields, number: int, report: FileReport) -> Fields | None:
    """Return the event in a message, None (and a note) where it is cut off or otherwise no XML."""
    try:
        return parse_event(fields["message"].strip().encode("utf-8", "replace"))
    except EventXmlError:
        broken(report, number, "an event of Sysmon that is no whole XML; read as plain syslog", skipped=0)
        return None
