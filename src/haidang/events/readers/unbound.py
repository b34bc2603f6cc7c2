"""What Unbound logs of its clients: queries, replies, what its local zones did (also on pfSense).

    [1794409137] unbound[812:0] info: 10.20.0.31 www.haivan.example. A IN

Rules of this module:

- Read are the lines of ``log-queries``, ``log-replies`` and ``log-local-actions``, tagged
  (``log-tag-queryreply``) or not, with any of the times that Unbound writes to its own
  file, and through syslog.
- What else Unbound says in its own file is read with its time and level; through syslog it stays syslog.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``unbound``; all text, absent where the line does not say):

    time             seconds since 1970, as Unbound writes them by default
    timestamp hostname …
                     of the header, if there is one
    thread level     number of the thread; info, query, reply, error …
    action           query, response, or the type of the local zone (always_nxdomain, redirect, inform …)
    client client_port
                     who asks
    zone             the local zone that acted
    query            the name that is asked for, without the dot at its end
    record_type record_class
    answer           status of a response: NOERROR, NXDOMAIN …
    duration cached size
                     of a response: seconds, ``1`` where it was in the cache, bytes
    message          what a line says that is none of these
    raw              the whole line
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

__all__ = ["ORIGIN", "READER", "UnboundReader"]

ORIGIN = Origin("unbound", time_fields=("time", "timestamp"), host_fields=("hostname",))

_LINE = expression(
    r"(?:\[(\d{9,10}(?:\.\d{1,9})?)\] )?(unbound)?\[(\d{1,10}):([0-9a-f]{1,8})\] "
    r"(info|query|reply|notice|warning|error|fatal error|debug): (?:(query|reply): )?(.*)\Z",
    re.ASCII | re.DOTALL,
)
_QUESTION = r"(\S{1,1024}) ([A-Z0-9-]{1,20}) ([A-Z0-9]{1,12})"
_QUERY = expression(
    r"([0-9A-Fa-f.:%]{2,64}) "
    + _QUESTION
    + r"(?: ([A-Z0-9]{4,16}) (\d{1,9}\.\d{1,9}) ([01]) (\d{1,6})\b.*)?\Z",
    re.ASCII | re.DOTALL,
)
_LOCAL = expression(
    r"(\S{1,1024}) ([a-z_]{3,24}) ([0-9A-Fa-f.:%]{2,64})@(\d{1,5}) " + _QUESTION + r"\Z", re.ASCII
)


class UnboundReader(ProductReader):
    """Reads what Unbound logs of its clients."""

    name = "unbound"
    title = "Unbound name server (queries)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for lines of Unbound, and for those of no program that may be of its own file."""
        return start in {"[", "u"} and program in {"", "unbound"}

    def parse_message(self, event: Fields) -> Fields | None:
        """Return what a client asked for, what it was answered, or what a local zone did."""
        match = _LINE.match(event["message"])
        if match is None:
            return None
        time, named, pid, thread, level, tag, text = match.groups()
        is_own = "program" not in event
        if is_own and not named:
            return None
        fields = envelope(event)
        fields |= {"pid": pid, "thread": thread, "level": level}
        if time:
            fields["time"] = time
        if not _add_question(fields, tag or level, text):
            if not is_own:
                return None
            fields["message"] = text
        return fields


def _add_question(fields: Fields, tag: str, text: str) -> bool:
    """Add what a text says of a question; return whether it says any."""
    if match := _QUERY.match(text):
        client, name, kind, of_class, status, duration, cached, size = match.groups()
        if status:
            fields |= {"answer": status, "duration": duration, "cached": cached, "size": size}
        fields["action"] = "response" if status or tag == "reply" else "query"
    elif match := _LOCAL.match(text):
        fields["zone"], fields["action"], client, fields["client_port"], name, kind, of_class = match.groups()
        fields["zone"] = _undotted(fields["zone"])
    else:
        return False
    fields |= {"client": client, "query": _undotted(name), "record_type": kind, "record_class": of_class}
    return True


def _undotted(name: str) -> str:
    """Return a name without the dot at its end; the root keeps its own."""
    return name.rstrip(".") or "."


READER = UnboundReader()
