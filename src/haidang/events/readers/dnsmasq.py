"""The query log of dnsmasq, which is also that of Pi-hole and of most small routers.

    Nov 11 21:59:02 dnsmasq[812]: query[A] example.vn from 10.20.0.31
    Nov 11 21:59:02 dnsmasq[812]: reply example.vn is 203.0.113.9

Rules of this module:

- Read are the lines of ``log-queries``, plain and ``extra`` (with a number and the client before them).
  Where an answer shows its type, ``record_type`` says it: of an address, of a CNAME, of a text.
- What else dnsmasq says stays syslog.
- Input is untrusted.

Fields (origin ``dnsmasq``; all text, absent where the line does not say):

    timestamp hostname program pid …  of the header
    action       query, forwarded, reply, cached, config, gravity blocked …
    query        the name that is asked for
    record_type  A, AAAA, TXT …
    client       who asks
    client_port serial  of the ``extra`` form
    server       whom the query was forwarded to
    answer       what the answer says
    raw          the whole line
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

__all__ = ["ORIGIN", "READER", "DnsmasqReader"]

ORIGIN = Origin("dnsmasq", time_fields=("time", "timestamp"), host_fields=("hostname",))

_LINE = expression(
    r"(?:(\d{1,12}) ([0-9A-Fa-f.:%\w]{2,80})/(\d{1,5}) )?"
    r"(?:(query)\[([\w=-]{1,24})\] (\S{0,1024}) from ([0-9A-Fa-f.:%\w]{2,80})"
    r"|(forwarded) (\S{0,1024}) to ([0-9A-Fa-f.:%\w#]{2,80})"
    r"|((?:[a-z][\w/.-]{1,80} ){1,3})(\S{0,1024}) is (.*))\Z",
    re.ASCII | re.DOTALL,
)
_ADDRESS = expression(r"\d{1,3}(?:\.\d{1,3}){3}\Z|(?=[0-9a-fA-F:.]*:)[0-9a-fA-F:.]{2,45}\Z", re.ASCII)


class DnsmasqReader(ProductReader):
    """Reads the query log of dnsmasq."""

    name = "dnsmasq"
    title = "dnsmasq and Pi-hole (queries)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for the lines of dnsmasq."""
        return bool(start) and program in {"dnsmasq", "pihole-ftl"}

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the query or the answer of a line."""
        match = _LINE.match(event["message"])
        if match is None:
            return None
        serial, client, port, asked, kind, name, source, sent, target_name, server, told, answered, answer = (
            match.groups()
        )
        fields = envelope(event)
        if serial:
            fields.update(serial=serial, client=client, client_port=port)
        if asked:
            fields.update(action=asked, query=name, record_type=kind, client=source)
        elif sent:
            fields.update(action=sent, query=target_name, server=server)
        else:
            fields.update(action=told.strip(), query=answered, answer=answer)
            if record_type := _type_of(answer):
                fields["record_type"] = record_type
        return fields


def _type_of(answer: str) -> str:
    """Return the type of record that an answer can only be, "" where it may be several."""
    if answer == "<CNAME>":
        return "CNAME"
    if answer.startswith('"'):
        return "TXT"
    if answer.startswith("<") and answer.endswith(">") and answer[1:-1].isupper():
        return answer[1:-1]
    if _ADDRESS.match(answer):
        return "AAAA" if ":" in answer else "A"
    return ""


READER = DnsmasqReader()
