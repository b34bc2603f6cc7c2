r"""What Event Viewer saves as a table (CSV, text): a header of five names, and a sixth cell with the message.

    Level,Date and Time,Source,Event ID,Task Category
    Information,5/11/2026 10:14:15 AM,Microsoft-Windows-Sysmon,1,Process Create (rule: …),"Process Create:
    UtcTime: 2026-05-11 03:14:15.123
    …"

Rules of this module:

- The names are in the language of Windows, so that the form of the rows decides: the fourth cell is a number,
  and there is one cell more than there are names.
- The table does not say of which channel an event is: its provider does.
- Under a header that is not English the day comes before the month, in Vietnamese with SA and CH for the
  halves of a day.

Input is untrusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.rendered_messages import message_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.events.model import Fields

__all__ = ["CHANNELS", "Viewer"]

_COLUMNS = 5
_ENGLISH = frozenset({"Date and Time", "Event ID"})
_DAY_FIRST = expression(
    r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?: (SA|CH|AM|PM))?\Z", re.ASCII
)
CHANNELS = {
    "microsoft-windows-sysmon": "Microsoft-Windows-Sysmon/Operational",
    "microsoft-windows-security-auditing": "Security",
    "microsoft-windows-eventlog": "Security",
    "service control manager": "System",
    "microsoft-windows-powershell": "Microsoft-Windows-PowerShell/Operational",
    "powershell": "Windows PowerShell",
    "microsoft-windows-windows defender": "Microsoft-Windows-Windows Defender/Operational",
    "microsoft-windows-taskscheduler": "Microsoft-Windows-TaskScheduler/Operational",
    "microsoft-windows-wmi-activity": "Microsoft-Windows-WMI-Activity/Operational",
    "microsoft-windows-bits-client": "Microsoft-Windows-Bits-Client/Operational",
    "microsoft-windows-terminalservices-localsessionmanager": (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"
    ),
    "microsoft-windows-applocker": "Microsoft-Windows-AppLocker/EXE and DLL",
    "microsoft-windows-codeintegrity": "Microsoft-Windows-CodeIntegrity/Operational",
    "microsoft-windows-dns-client": "Microsoft-Windows-DNS Client Events/Operational",
    "microsoft-windows-ntlm": "Microsoft-Windows-NTLM/Operational",
}
"""Provider, in lower case, to the channel that nearly all of its events are in."""
_LOG_CLEARED = "104"
"""What Microsoft-Windows-Eventlog writes to System, not to Security."""


class Viewer:
    """Makes events of such rows."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of the header."""
        self._is_english = not _ENGLISH.isdisjoint(names)

    @staticmethod
    def wrote(names: Sequence[str], row: Sequence[str]) -> bool:
        """Return whether a row under these names is of Event Viewer."""
        return len(names) == _COLUMNS and len(row) == _COLUMNS + 1 and row[3].isdecimal()

    def event(self, row: Sequence[str]) -> Fields:
        """Return the fields of a row, by the names of Windows."""
        level, time, provider, number, task, message = row
        channel = CHANNELS.get(provider.lower())
        if channel == "Security" and number == _LOG_CLEARED:
            channel = "System"
        fields: Fields = {
            "Level": level,
            # It is local: the time in UTC that an event of Sysmon has comes first.
            "EventTime": time if self._is_english else _iso(time),
            "Provider_Name": provider,
            "EventID": number,
            "TaskCategory": task,
            "Message": message,
        }
        if channel:
            fields["Channel"] = channel
        return {**message_fields(message), **fields}


def _iso(time: str) -> str:
    match = _DAY_FIRST.match(time.strip())
    if match is None:
        return time
    day, month, year, hour, minute, second, half = match.groups()
    hours = int(hour) % 12 + (12 if half in {"CH", "PM"} else 0) if half else int(hour)
    return f"{year}-{int(month):02}-{int(day):02}T{hours:02}:{minute}:{second}"
