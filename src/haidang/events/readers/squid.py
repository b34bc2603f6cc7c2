"""Squid's access log: the native format, and the combined one that adds referrer and user agent.

    1794409142.417    123 10.20.0.31 TCP_MISS/200 4512 GET http://example.vn/a.zip?x=1 lan HIER_DIRECT/203. …

Rules of this module:

- Read are the ``squid`` and ``combined`` formats of squid.conf, alone or behind a header of syslog. A dash
  is an absent value, except for the status of a request that never got one.
- Of the URL, the parts that rules ask for are given as well: for CONNECT, it is host and port.
- Input is untrusted.

Fields (origin ``squid``; all text):

    timestamp    seconds since the epoch with a fraction, or as the combined format writes it
    duration     milliseconds
    client       address of the client
    result       TCP_MISS, TCP_TUNNEL, TCP_DENIED …
    status bytes method url user content_type
    hierarchy    how the answer was got: HIER_DIRECT …
    peer         address of the server
    referrer user_agent
                 of the combined format
    host port uri path query extension
                 parts of the URL: the host in lower case without port; ``uri`` is the path with its query;
                 ``extension`` in lower case, no dot
    raw          the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers._urls import url_parts

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "SquidReader"]

ORIGIN = Origin("squid", time_fields=("timestamp",), host_fields=("hostname",))

_NATIVE = expression(
    r"(?P<timestamp>\d{9,11}\.\d{1,6}) {1,12}(?P<duration>-?\d{1,12}) (?P<client>\S{1,256}) "
    r"(?P<result>[A-Z][A-Z_]{2,60})/(?P<status>\d{1,3}|-) (?P<bytes>\d{1,20}|-) (?P<method>\S{1,64}) "
    r"(?P<url>\S+) (?P<user>\S{1,256}) (?P<hierarchy>[A-Z][A-Z_]{2,60}|-)/(?P<peer>\S{1,256}) "
    r"(?P<content_type>\S{1,256})",
    re.ASCII,
)
_COMBINED = expression(
    r"(?P<client>\S{1,256}) \S{1,256} (?P<user>\S{1,256}) \[(?P<timestamp>[^\]]{1,64})\] "
    r'"(?P<method>\S{1,64}) (?P<url>[^\s"]+)(?: [^"]{0,32})?" (?P<status>\d{1,3}|-) (?P<bytes>\d{1,20}|-) '
    r'"(?P<referrer>[^"\\]*+(?:\\.[^"\\]*+)*+)" "(?P<user_agent>[^"\\]*+(?:\\.[^"\\]*+)*+)" '
    r"(?P<result>[A-Z][A-Z_]{2,60}):(?P<hierarchy>[A-Z][A-Z_]{2,60})\s*\Z",
    re.ASCII | re.DOTALL,
)
_PROGRAMS = ("squid", "(squid")


class SquidReader(ProductReader):
    """Reads the access log of Squid."""

    name = "squid"
    title = "Squid access log"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for lines of squid, and for those that name no program."""
        return bool(start) and (not program or program.startswith(_PROGRAMS))

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the request of a line."""
        message: str = event["message"].lstrip(" ")
        match = _NATIVE.match(message) or _COMBINED.match(message)
        if match is None:
            return None
        fields = envelope(event)
        for name, value in match.groupdict().items():
            if value != "-":
                fields[name] = value
        # What was no request at all has no URL: error:invalid-request.
        if not match["url"].startswith("error:"):
            fields.update(url_parts(match["url"]))
        return fields


READER = SquidReader()
