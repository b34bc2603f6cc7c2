r"""Error logs of Apache and nginx.

    [Wed Nov 11 21:58:01.123456 2026] [core:error] [pid 812:tid 140] [client 203.0.113.9:51188] AH00037: …
    2026/11/11 21:58:01 [error] 812#812: *77 open() "/var/www/x" failed (2: …), client: 203.0.113.9, …

Rules of this module:

- Apache's lines are read with and without module, process and client (2.2 and 2.4), nginx's with and
  without a connection.
- What ModSecurity says in either is taken apart too: its ``[name "value"]`` become ``modsecurity_name``; a
  name that is repeated gives a list.
- A line that is neither (what a script wrote, the rest of a message) is handed over with its text alone,
  and noted unless it begins with a blank.
- Such lines also come by syslog, under the name of the web server or, by way of containers, under none.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``weberror``; what the line leaves out is absent):

    time          as written
    server        apache, nginx
    level         error, warn, notice …
    module        Apache: core, proxy_fcgi …
    pid, tid      numbers
    connection    nginx: number
    code          Apache: AH00037
    c-ip          client; c-port number
    cs-host       nginx: host that the client asked for; server_name: that of the server's block
    cs-method …   nginx: request, as in an access log
    cs-referer    as written
    upstream      nginx: as written
    hostname program pid raw
                  of the header of syslog, and the whole line, where it came by that
    message       the text after the header, whole; of other lines, the line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers._lines import BOM, broken, decode
from haidang.events.readers._web import (
    PROGRAMS,
    QUOTED,
    add_quoted,
    add_request,
    add_tags,
    header_of,
    unescaped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "WebErrorsReader", "parse_line"]

ORIGIN = Origin(
    "weberror",
    time_fields=("time",),
    host_fields=("hostname", "server_name", "cs-host", "modsecurity_hostname"),
)

_HEAD_LINES = 100
_LEVELS = frozenset(["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"])
_APACHE = expression(
    r"\[([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4})\] "
    r"\[(?:([\w-]{0,64}):)?([a-z]{2,6}\d?)\] (?:\[pid (\d{1,10})(?::tid (\d{1,20}))?\] )?(.*)\Z",
    re.ASCII | re.DOTALL,
)
_CLIENT = expression(
    r"(?:\([^)]{0,20}\)[^\[]{0,200}: )?\[client ([^\]\s]{1,256})\] (?:(AH\d{5}): )?", re.ASCII
)
_CODE = expression(r"(AH\d{5}): ", re.ASCII)
_NGINX = expression(
    r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[([a-z]{4,6})\] (\d{1,10})#(\d{1,20}): (?:\*(\d{1,20}) )?(.*)\Z",
    re.ASCII | re.DOTALL,
)
# The parts that nginx adds stand at the end, and what a client sent is in quotes.
_PART = expression(
    r", (client|server|request|subrequest|upstream|host|referrer): (?:" + QUOTED + r'|([^,"]*))(?=,|\Z)'
)
_NAMES = {"client": "c-ip", "server": "server_name", "host": "cs-host", "referrer": "cs-referer"}


def parse_line(text: str) -> Fields | None:
    """Return the fields of one line, or None where it is no line of an error log."""
    match = _NGINX.match(text)
    fields = _parse_apache(text) if match is None else _nginx(match)
    if fields is not None and "ModSecurity" in fields["message"]:
        add_tags(fields, [fields["message"]])
    return fields


def _parse_apache(text: str) -> Fields | None:
    match = _APACHE.match(text)
    if match is None:
        return None
    time, module, level, pid, thread, message = match.groups()
    if level not in _LEVELS and not level.startswith("trace"):
        return None
    fields: Fields = {"time": time, "server": "apache", "level": level, "message": message}
    if module:
        fields["module"] = module
    if pid:
        fields["pid"] = int(pid)
    if thread:
        fields["tid"] = int(thread)
    client = _CLIENT.match(message)
    if client is not None:
        _add_address(fields, client[1])
        if client[2]:
            fields["code"] = client[2]
    elif code := _CODE.match(message):
        fields["code"] = code[1]
    return fields


def _add_address(fields: Fields, client: str) -> None:
    """Add an address with its port (2.4) or without (2.2); one of IPv6 has colons of its own."""
    host, mark, port = client.rpartition(":")
    if mark and port.isdecimal() and (":" not in host or host.count(":") == 7 or host.startswith("[")):
        fields["c-ip"] = host.strip("[]")
        fields["c-port"] = int(port)
    else:
        fields["c-ip"] = client


def _nginx(match: re.Match[str]) -> Fields | None:
    time, level, pid, thread, connection, message = match.groups()
    if level not in _LEVELS:
        return None
    fields: Fields = {
        "time": time,
        "server": "nginx",
        "level": level,
        "pid": int(pid),
        "tid": int(thread),
        "message": message,
    }
    if connection:
        fields["connection"] = int(connection)
    at = message.find(", client: ")
    if at >= 0:
        for name, quoted, plain in _PART.findall(message, at):
            value = unescaped(quoted) if quoted else plain
            if name == "request":
                add_request(fields, value)
            elif value:
                add_quoted(fields, _NAMES.get(name, name), value)
    return fields


_BLANKS = " \t\x0b\x0c"
"""What a blank line holds; ``str.isspace`` also takes separators such as U+001C for blank."""


class WebErrorsReader:
    """Reads error logs."""

    name = "web-errors"
    title = "Web server error log (Apache, nginx)"
    origins: tuple[Origin, ...] = (ORIGIN,)
    splittable = True
    """Each line says all by itself."""

    def carries(self, program: str, start: str) -> bool:
        """Return True where a web server, or a line without a program, begins as an error does."""
        return (not program or program in PROGRAMS) and (start == "[" or start.isdecimal())

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the error in a line of syslog, None where it is none."""
        fields = parse_line(event["message"])
        return None if fields is None else {**header_of(event), **fields}

    def recognises(self, head: Head) -> int:
        """Return 88 where at least a third of the first lines are of a form; scripts write between them."""
        lines = head.lines[:_HEAD_LINES]
        alike = sum(parse_line(line.removeprefix(BOM)) is not None for line in lines)
        return 88 if alike and alike * 3 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            for number, line in enumerate(lines, first):
                text = decode(line, number, report).removeprefix(BOM).strip("\x00").rstrip("\r\n")
                if not text.strip(_BLANKS):
                    continue
                fields = parse_line(text)
                if fields is None:
                    if text[0] not in " \t":
                        broken(report, number, "no line of an error log; read as plain text", skipped=0)
                    fields = {"message": text}
                events.append(fields)
                records.append(number)
            if events:
                yield EventBatch(report, ORIGIN.name, events, records)


READER = WebErrorsReader()
