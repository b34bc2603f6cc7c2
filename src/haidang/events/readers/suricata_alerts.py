r"""Alerts of Suricata and Snort as lines of text: ``fast.log``, ``alert_fast``, and what both send to syslog.

    11/11/2026-21:59:02.417000  [**] [1:2010935:3] ET SCAN … port 1433 [**] [Classification: Potentially Bad
        Traffic] [Priority: 2] {TCP} 203.0.113.9:45678 -> 10.20.0.3:1433
    Nov 11 21:59:02 ids snort[812]: [1:2010935:3] ET SCAN … [Classification: …] [Priority: 2] {TCP} … -> …

Rules of this module:

- An alert has the fields that Suricata's JSON (EVE) has, for the rules on it.
- Snort's own lines have no year: the latest in which the time is not in the future counts.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``suricata``; what the line leaves out is absent):

    timestamp                  ISO 8601, or ``Nov 11 21:59:02.417000``
    event_type                 alert
    alert                      gid, signature_id, rev, severity (numbers), signature, category
    proto                      TCP, UDP, ICMP …
    src_ip src_port dest_ip dest_port
                               ports are numbers
    hostname raw               of the header of syslog, and the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.readers import suricata, syslog
from haidang.events.readers._product import ProductReader

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["READER", "SuricataAlertsReader"]

_PROGRAMS = frozenset({"suricata", "snort", ""})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PEER = r"([0-9A-Fa-f:.]{2,45}?)(?::(\d{1,5}))?"
_ALERT = expression(
    r"(?:(\d\d)/(\d\d)(?:/(\d{2}|\d{4}))?-(\d\d:\d\d:\d\d(?:\.\d{1,9})?)\s{1,4}"
    r"(?:\[[\w ]{1,16}\] )?\[\*\*\] )?"
    r"\[(\d{1,10}):(\d{1,10}):(\d{1,10})\] \"?([^\[{]{1,1024}?)\"?\s?(?:\[\*\*\] )?"
    r"(?:\[Classification: ([^\]]{0,256})\] )?(?:\[Priority: (\d{1,3})\]:? )?(?:<[^>]{1,64}> )?"
    r"\{([\w-]{1,32})\} " + _PEER + " -> " + _PEER + r"\s*\Z",
    re.ASCII,
)


class SuricataAlertsReader(ProductReader):
    """Reads alerts in lines of text."""

    name = "suricata-alerts"
    title = "Suricata and Snort alerts (fast.log)"
    origins = (suricata.ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True where a sensor, or nobody, begins a line with a date or a signature's number."""
        return program in _PROGRAMS and (start == "[" or start.isdecimal())

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the alert in a line, None where it is none."""
        match = _ALERT.match(event["message"])
        if match is None:
            return None
        month, day, year, clock, gid, sid, rev, signature, category, severity, proto, *peers = match.groups()
        fields: Fields = {"event_type": "alert", "proto": proto, "raw": event["raw"]}
        if clock is not None:
            if not 1 <= int(month) <= len(_MONTHS):
                return None
            full = year if year is None or len(year) == 4 else f"20{year}"
            fields["timestamp"] = (
                f"{full}-{month}-{day}T{clock}" if full else f"{_MONTHS[int(month) - 1]} {day} {clock}"
            )
        else:
            fields |= {name: event[name] for name in ("time", "timestamp") if name in event}
        if "hostname" in event:
            fields["hostname"] = event["hostname"]
        for name, value in zip(("src_ip", "src_port", "dest_ip", "dest_port"), peers, strict=True):
            if value is not None:
                fields[name] = int(value) if name.endswith("port") else value
        alert: Fields = {"gid": int(gid), "signature_id": int(sid), "rev": int(rev), "signature": signature}
        if category:
            alert["category"] = category
        if severity:
            alert["severity"] = int(severity)
        fields["alert"] = alert
        return fields


READER = SuricataAlertsReader()
