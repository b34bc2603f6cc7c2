"""What BIND's name server logs of its clients: queries, and what it denies.

    11-Nov-2026 21:59:02.417 queries: info: client @0x7f6510 10.20.0.31#51234 (example.vn): query: example. …

Rules of this module:

- Read are the lines that begin with ``client``, from named's own files (with time, category and severity as
  configured) and through syslog (``named``). What else named says in a file of all categories is read with
  its time, category and severity; through syslog it stays syslog.
- The log of responses that newer versions can write (category ``responses``) is read like that of queries.
- Input is untrusted.

Fields (origin ``bind``; all text, absent where the line does not say):

    timestamp hostname …  as written; of the header of syslog, if there is one
    category level        queries, security …; info, error …
    client client_port    who asks
    view                  of split-horizon servers
    query                 the name that is asked for, without the dot at its end
    record_type record_class flags server
    action                query, response, denied, failed, rewritten …
    answer                status of a response: NOERROR, NXDOMAIN …
    message               what comes after the client
    raw                   the whole line
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

__all__ = ["ORIGIN", "READER", "BindReader"]

ORIGIN = Origin("bind", time_fields=("time", "timestamp"), host_fields=("hostname",))

_CLIENT = expression(
    r"(?:(\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3}|"
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:?\d\d)?) )?"
    r"(?:([a-z][a-z-]{2,30}): )?(?:(debug \d{1,2}|info|notice|warning|error|critical): )?"
    r"client (?:@0x[0-9a-f]{1,16} )?([0-9A-Fa-f.:%\w]{2,80})#(\d{1,5})(?:/key [^\s(]{1,256})? ?"
    r"(?:\(([^)\s]{0,1024})\))?: (?:view ([^\s:]{1,256}): )?(.*)\Z",
    re.ASCII | re.DOTALL,
)
_OTHER = expression(
    r"(\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3}) (?:([a-z][a-z-]{2,30}): )?"
    r"(debug \d{1,2}|info|notice|warning|error|critical): (.*)\Z",
    re.ASCII | re.DOTALL,
)
_QUERY = expression(
    r"(query|response): (\S{1,1024}) (\S{1,32}) (\S{1,32}) (?:(NOERROR|[A-Z]{4,16}) )?([+-]\S{0,32})?"
    r"(?: ?\(([0-9A-Fa-f.:%\w]{2,80})\))?",
    re.ASCII,
)
_DENIED = expression(
    r"(?:query(?: \(cache\))?|zone transfer|update|notify|recursion)? ?"
    r"'([^'/\s]{1,1024})/([^'/\s]{1,32})/([^'/\s]{1,32})' (denied|refused|approved)",
    re.ASCII,
)
_FAILED = expression(
    r"query (failed) \([^)]{1,64}\) for ([^\s/]{1,1024})/([^\s/]{1,32})/([^\s/]{1,32})", re.ASCII
)
_REWRITTEN = expression(
    r"rpz \S{1,20} (\S{1,20}) (rewrite) ([^\s/]{1,1024})/([^\s/]{1,32})/([^\s/]{1,32})", re.ASCII
)
_LEVELS = frozenset({"info", "notice", "warning", "error", "critical"})
_CATEGORIES = frozenset(
    {"client", "queries", "query-errors", "responses", "rpz", "security", "update-security"}
)
_PROGRAMS = frozenset({"", "named", "bind9", "bind", *_CATEGORIES, *_LEVELS})


class BindReader(ProductReader):
    """Reads the query and security logs of BIND."""

    name = "bind"
    title = "BIND name server (queries, security)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for lines of named, and for those of no program."""
        return bool(start) and (start.isdigit() or start.islower()) and program in _PROGRAMS

    def parse_message(self, event: Fields) -> Fields | None:
        """Return what a client asked for."""
        match = _CLIENT.match(event["message"])
        if match is None:
            return _other(event)
        timestamp, category, level, client, port, name, view, text = match.groups()
        if level is None and category in _LEVELS:
            category, level = None, category
        fields = envelope(event)
        if (program := fields.get("program")) in _CATEGORIES:
            # After a time of RFC 3339, the category of named's own files looks like a program.
            category = fields.pop("program")
        elif program in _LEVELS:
            level = fields.pop("program")
        given = {"category": category, "level": level, "view": view, "query": name}
        fields.update((key, value) for key, value in given.items() if value)
        if timestamp and "timestamp" not in fields:
            fields["timestamp"] = timestamp
        fields["client"] = client
        fields["client_port"] = port
        fields["message"] = text
        _add_question(fields, text)
        if "query" in fields and len(fields["query"]) > 1:
            fields["query"] = fields["query"].rstrip(".")
        return fields


def _other(event: Fields) -> Fields | None:
    """Return what named says in its own file of anything but a client."""
    match = _OTHER.match(event["message"])
    if match is None:
        return None
    names = ("timestamp", "category", "level", "message")
    fields = envelope(event)
    fields.update((name, value) for name, value in zip(names, match.groups(), strict=True) if value)
    return fields


def _add_question(fields: Fields, text: str) -> None:
    """Add what a text says of the name that is asked for."""
    if match := _QUERY.match(text):
        action, name, record_class, record_type, answer, flags, server = match.groups()
        found = {"flags": flags, "server": server, "answer": answer}
        fields.update((key, value) for key, value in found.items() if value)
    elif match := _DENIED.match(text):
        name, record_type, record_class, action = match.groups()
    elif match := _FAILED.match(text):
        action, name, record_class, record_type = match.groups()
    elif match := _REWRITTEN.match(text):
        policy, _, name, record_type, record_class = match.groups()
        action = "rewritten"
        fields["answer"] = policy
    else:
        return
    fields["action"] = action
    fields["query"] = name
    fields["record_type"] = record_type
    fields["record_class"] = record_class


READER = BindReader()
