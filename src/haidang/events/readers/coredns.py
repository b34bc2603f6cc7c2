"""The queries that CoreDNS logs (plugin ``log``), as Kubernetes runs it.

    [INFO] 10.20.0.31:51234 - 29008 "A IN www.haivan.example. udp 41 false 4096" NOERROR qr,rd,ra 68 0.0379s

Rules of this module:

- Read are the lines of the formats ``common`` and ``combined``, with or without a time before them, through
  syslog and inside what containers write. Formats of one's own, errors and what other plugins say stay text.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``coredns``; all text, absent where the line does not say):

    timestamp hostname …   of the header, if there is one
    level                  INFO
    action                 query
    client client_port     who asks
    xid                    identifier of the query
    query                  the name that is asked for, without the dot at its end
    record_type record_class protocol
    answer                 status of the response: NOERROR, NXDOMAIN …
    flags                  of the response: ``qr,rd,ra``
    size duration          of the response: bytes; seconds, as written
    raw                    the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "CorednsReader"]

ORIGIN = Origin("coredns", time_fields=("time", "timestamp"), host_fields=("hostname",))

_NAMES = (
    "level", "client", "client_port", "xid", "record_type", "record_class", "query", "protocol",
    "answer", "flags", "size", "duration",
)  # fmt: skip
_LINE = expression(
    r"\[([A-Z]{4,7})\] \[?([0-9A-Fa-f.:%]{2,64}?)\]?:(\d{1,5}) - (\d{1,5}) "
    r'"([A-Z0-9-]{1,20}) ([A-Z0-9]{1,12}) (\S{1,1024}) (udp|tcp|\S{1,16}) \d{1,6} (?:true|false) \d{1,6}" '
    r"([A-Z0-9-]{1,16}) ([a-z,-]{1,64}) (\d{1,9}) ([\d.]{1,24}s)(?: .*)?\Z",
    re.ASCII | re.DOTALL,
)


class CorednsReader(ProductReader):
    """Reads the queries that CoreDNS logs."""

    name = "coredns"
    title = "CoreDNS (queries)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for a level in brackets, of CoreDNS or of no program."""
        return start == "[" and program in {"", "coredns"}

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the query in a line."""
        match = _LINE.match(event["message"])
        if match is None:
            return None
        fields = envelope(event)
        fields.update(zip(_NAMES, match.groups(), strict=True))
        fields["action"] = "query"
        fields["query"] = fields["query"].rstrip(".") or "."
        return fields


READER = CorednsReader()
