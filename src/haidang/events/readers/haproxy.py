r"""Requests that HAProxy passed on, as it writes them to syslog (``option httplog``).

    Jun  3 10:01:22 lb1 haproxy[812]: 203.0.113.4:51234 [03/Jun/2026:10:01:22.113] www~ app/app1 0/0/1/12/13
        404 1234 - - ---- 1/1/0/0/0 0/0 {www.example|curl/8} "GET /.git/config HTTP/1.1"

Rules of this module:

- Read are the lines of requests, with captured headers or without; connections of TCP (``option tcplog``)
  and what HAProxy says of itself stay syslog.
- Which headers were captured stands in HAProxy's configuration alone: they are kept as a list.
- A time without a zone is local; like all such times it is taken for UTC.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``webserver``), as :mod:`haidang.events.readers.web_access` has them, and:

    time                 when the request was taken in, as written
    c-port               port of the client, number
    frontend backend     names; ``~`` behind that of a frontend (TLS) is left out
    server               the server that answered, absent where there was none (``<NOSRV>``)
    time-taken           milliseconds, number
    termination          how it ended (``----``, ``PR--`` …)
    captured             captured headers of the request, then of the answer, as a list
    hostname program pid raw
                         of the header of syslog, and the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.readers import syslog, web_access
from haidang.events.readers._product import ProductReader
from haidang.events.readers._web import QUOTED, add_request, header_of, unescaped

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["READER", "HaproxyReader"]

_REQUEST = expression(
    r"([0-9A-Fa-f.:]{2,45}):(\d{1,5}) "
    r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: [+-]\d{4})?)\] "
    r"(\S{1,256}) ([^\s/]{1,256})/(\S{1,256}) [-+\d]{1,20}(?:/[-+\d]{1,20}){3}/([-+]?\d{1,15}) "
    r"(-1|\d{3}) \+?(\d{1,18}) \S{1,4096} \S{1,4096} (\S{4}) [+\d]{1,12}(?:/[+\d]{1,12}){4} "
    r"\d{1,10}/\d{1,10} (?:\{([^}]*)\} )?(?:\{([^}]*)\} )?" + QUOTED,
    re.ASCII,
)


class HaproxyReader(ProductReader):
    """Reads what HAProxy logs."""

    name = "haproxy"
    title = "HAProxy (HTTP)"
    origins = (web_access.ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True where HAProxy, or nobody, begins a line with an address."""
        return program in {"haproxy", ""} and start in set("0123456789abcdefABCDEF:")

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the request in a line of syslog, None where it is none."""
        match = _REQUEST.match(event["message"])
        if match is None:
            return None
        client, port, time, frontend, backend, server, taken, status, size, end, *captured, request = (
            match.groups()
        )
        fields = header_of(event)
        fields |= {"time": time, "c-ip": client, "c-port": int(port), "frontend": frontend.removesuffix("~")}
        fields |= {"backend": backend, "time-taken": int(taken), "sc-bytes": int(size), "termination": end}
        if server != "<NOSRV>":
            fields["server"] = server
        if status != "-1":
            fields["sc-status"] = int(status)
        headers = [header for some in captured if some for header in some.split("|") if header]
        if headers:
            fields["captured"] = headers
        if request != "<BADREQ>":
            add_request(fields, unescaped(request))
        return fields


READER = HaproxyReader()
