"""The debug log of Microsoft's DNS server (``dns.log``): each packet that it received or sent.

    11/11/2026 9:58:57 PM 0E70 PACKET  00000000033397A0 UDP Rcv 10.20.0.31 5b47   Q [0001   D   NOERROR] A …

Rules of this module:

- Read are the packets, with the name that is asked for as people write it, and what else the server says with
  a time and a context. The key at the beginning of the file, and what details of a packet begin with, are
  events of their text alone; the lines that follow these are indented, and are kept as text.
- Windows writes times as the server's region has it. A date with dots or dashes has the day first, as has
  one with SA or CH, or whose first number is no month. Of others the month is first, unless one of the file
  has a day there (see :mod:`haidang.events.readers._day_order`). A time has no zone and is taken for UTC.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``windowsdns``; all text, absent where the line does not say):

    time          as written; a date of which only the day can be first as RFC 3339 has it
    thread        number of the thread, in hexadecimal digits
    context       PACKET, EVENT, DSPOLL …
    packet        identifier of the packet inside the server
    protocol      UDP, TCP
    direction     Rcv, Snd
    client        who asked, or is answered
    server        whom this server asked, or who answers it
    xid           identifier of the query, in hexadecimal digits
    action        query, response
    opcode        Q (query), N (notify), U (update), ?
    flags flags_hex
                  A (authoritative), T (truncated), D (recursion desired), R (available); as a number
    answer        status of a response: NOERROR, NXDOMAIN …
    record_type   A, AAAA, TXT …
    query         the name that is asked for, without the dot at its end
    message       what a line says that is no packet
    raw           the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._day_order import Ahead, iso_time
from haidang.events.readers._product import SURE, ProductReader, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import EventBatch, Fields, FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "WindowsDnsReader"]

ORIGIN = Origin("windowsdns", time_fields=("time", "timestamp"), host_fields=("hostname",))

_KEY = "Message logging key (for packets"
_STARTS = frozenset("0123456789DLMUT")
_BESIDE = (
    "DNS Server log file creation at ",
    "Log file wrap at ",
    _KEY,
    *(f"{protocol} {kind} info at " for protocol in ("UDP", "TCP") for kind in ("question", "response")),
)
"""What the lines begin with that are no packets and have no time before them."""
_LINE = expression(
    r"(\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4} \d{1,2}[:.]\d\d[:.]\d\d(?: (?:[AaPp]\.?[Mm]\.?|SA|CH))?|"
    r"\d{8} \d\d:\d\d:\d\d) "
    r"([0-9A-Fa-f]{3,8}) ([A-Z]{2,12}|Note:) +(.*)\Z",
    re.ASCII | re.DOTALL,
)
_PACKET = expression(
    r"(?:([0-9A-Fa-f]{8,16}) +)?(UDP|TCP) +(Rcv|Snd) +([0-9A-Fa-f.:%]{2,64}) +([0-9A-Fa-f]{4}) +(R )? *"
    r"([QNU?]) +\[([0-9A-Fa-f]{4}) ([ATDR ]{0,12}) ([^\s\]]{1,16})\](?: +(\S{1,32}))?(?: +(\S{1,2048}))?",
    re.ASCII,
)
_DAY_FIRST = expression(r"(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4}) (\d{1,2})[:.](\d\d)[:.](\d\d)\Z", re.ASCII)
_LABEL = expression(r"\((\d{1,2})\)", re.ASCII)
_MONTHS = 12


class WindowsDnsReader(ProductReader):
    """Reads the debug log of Microsoft's DNS server."""

    name = "windowsdns"
    title = "Microsoft DNS server (debug log)"
    origins = (ORIGIN, syslog.ORIGIN)
    splittable = False
    """A date further on may tell how all are written."""

    def recognises(self, head: Head) -> int:
        """Return 93 for the key that the file begins with, also where details outnumber the packets."""
        return SURE if _KEY in head.text else super().recognises(head)

    def carries(self, program: str, start: str) -> bool:
        """Return True for a time that no program is named before; forwarders name none."""
        return not program and start in _STARTS

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the packet in a line, or what else the server says."""
        return self._parsed(event, day_first=False)

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield the records of each batch of lines, then what else is there."""
        ahead = Ahead(stream, report, limits)
        reader: WindowsDnsReader = _DayFirst() if ahead.day_first() else self
        yield from syslog.read_lines(ahead, report, limits, (reader,))

    @staticmethod
    def _parsed(event: Fields, *, day_first: bool) -> Fields | None:
        message: str = event["message"]
        if message.startswith(_BESIDE):
            return dict(event)
        match = _LINE.match(message)
        if match is None:
            return None
        time, thread, context, text = match.groups()
        fields = envelope(event)
        fields |= {
            "time": iso_time(time, day_first=True) if day_first else _time(time),
            "thread": thread,
            "context": context.removesuffix(":"),
        }
        packet = _PACKET.match(text) if context == "PACKET" else None
        if packet is None:
            fields["message"] = text
        else:
            _add_packet(fields, packet)
        return fields


class _DayFirst(WindowsDnsReader):
    """Reads a file of which a date has told that the day is first."""

    def parse_message(self, event: Fields) -> Fields | None:
        return self._parsed(event, day_first=True)


def _add_packet(fields: Fields, packet: re.Match[str]) -> None:
    """Add what a line says of a packet."""
    number, protocol, way, peer, xid, response, opcode, bits, flags, status, kind, name = packet.groups()
    fields |= {"protocol": protocol, "direction": way, "xid": xid, "opcode": opcode, "flags_hex": bits}
    fields["action"] = "response" if response else "query"
    # A query comes in from a client, its response goes out to one; the other two are this server's own.
    fields["client" if (way == "Rcv") != bool(response) else "server"] = peer
    given = {"packet": number, "flags": flags.replace(" ", ""), "record_type": kind}
    fields.update((key, value) for key, value in given.items() if value)
    if response:
        fields["answer"] = status
    if name:
        fields["query"] = _name(name)


def _name(written: str) -> str:
    """Return a name of labels with their lengths (``(3)www(6)haivan(2)vn(0)``) as people write it."""
    if not written.startswith("("):
        return written.strip(".") or "."
    labels = []
    position = 0
    while match := _LABEL.match(written, position):
        end = match.end() + int(match[1])
        # Lengths count bytes, of which a label may show several as one character or one as several.
        if end < len(written) and written[end] != "(":
            return ".".join(part for part in _LABEL.sub("\0", written).split("\0") if part) or "."
        labels.append(written[match.end() : end])
        position = end
    return ".".join(label for label in labels if label) or "."


def _time(written: str) -> str:
    """Return a time as written, as RFC 3339 has it where the day can only be first."""
    match = _DAY_FIRST.match(written)
    if match is None or (match[2] == "/" and int(match[1]) <= _MONTHS):
        return written
    day, _, month, year, hour, minute, second = match.groups()
    return f"{year}-{int(month):02}-{int(day):02} {int(hour):02}:{minute}:{second}"


READER = WindowsDnsReader()
