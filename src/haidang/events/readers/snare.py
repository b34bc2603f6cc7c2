r"""Windows events as Snare sends them, and NXLog in its way: columns with tabs, through syslog or alone.

    <13>Nov 11 21:58:57 hv-dc01 MSWinEventLog⇥1⇥Security⇥1234⇥Wed Nov 11 21:58:57
    2026⇥4625⇥Microsoft-Windows-…

Rules of this module:

- The message is the longest of the columns behind the category. Snare writes a blank for each tab and line
  end of it: where two or more stand before a name and a colon, a line of the message began, and the fields
  that it tells are those of :mod:`haidang.events.rendered_messages` and, of Sysmon,
  :mod:`haidang.events.rendered`.
- Tabs that a relay has escaped (``#011``) are tabs.
- A time is local, without a zone; the time in UTC that an event of Sysmon tells comes before it.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``windows``): ``Channel``, ``EventID``, ``Provider_Name``, ``Computer``, ``EventTime``,
``UserName``, ``EventType``, ``TaskCategory``, ``Message``, and what the message says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader
from haidang.events.rendered import add_rendered, is_sysmon
from haidang.events.rendered_messages import message_fields, unfolded
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["READER", "SnareReader"]

_MARK = "MSWinEventLog"
_BEGINNING = expression(r"(?:([^\s\t]{1,255})(?:\t|#011))?MSWinEventLog(?=\t|#011)", re.ASCII)
_ESCAPED = "#011"
_NAMES = (
    "criticality", "Channel", "counter", "EventTime", "EventID", "Provider_Name", "UserName", "sid_type",
    "EventType", "Computer", "TaskCategory",
)  # fmt: skip
_NOT_KEPT = frozenset({"criticality", "counter", "sid_type"})
_NONE = frozenset({"", "N/A", "None"})
_SYSMON_LINE = expression(r"(?<! ) {2,}+(?=[A-Z][A-Za-z0-9]{1,30}+: )", re.ASCII)


class SnareReader(ProductReader):
    """Reads Windows events that Snare sends."""

    name = "snare"
    title = "Windows events through syslog (Snare, NXLog)"
    origins = (WINDOWS, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for its mark, which some relays take for a program, and for what may be a host."""
        return program == _MARK.lower() or (not program and start.isalnum())

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the event in a line."""
        message: str = event["message"]
        if "program" in event:
            message = f"{_MARK}\t{message.lstrip()}"
        match = _BEGINNING.match(message)
        if match is None:
            return None
        if message[match.end()] != "\t":
            message = message.replace(_ESCAPED, "\t")
        columns = message[message.index(_MARK) :].split("\t")[1:]
        if len(columns) <= len(_NAMES) or not columns[_NAMES.index("EventID")].isdecimal():
            return None
        given = zip(_NAMES, columns, strict=False)
        fields: Fields = {
            name: value for name, value in given if name not in _NOT_KEPT and value not in _NONE
        }
        fields.setdefault("Computer", match[1] or event.get("hostname", ""))
        text = max(columns[len(_NAMES) :], key=len).strip()
        if is_sysmon(fields.get("Channel")):
            fields["Message"] = _SYSMON_LINE.sub("\n", text)
            return add_rendered(fields)
        fields["Message"] = unfolded(text)
        return {**message_fields(fields["Message"]), **fields}


READER = SnareReader()
