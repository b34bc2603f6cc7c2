"""Access logs of web servers: Apache's and nginx's common, combined and vhost_combined, and their like.

Rules of this module:

- A line is ``client identity user [time] "request" status bytes``, with a virtual host (and its port)
  before it or not, with referrer and user agent after it or not, and with anything else after those.
- So are those of the load balancers of AWS and of Nginx Proxy Manager (``_web_forms``).
- Errors that a server writes to the same file are those of :mod:`haidang.events.readers.web_errors`.
- Any other line is handed over with its text alone, so that keywords still find it, and is noted.
- What cannot be read as a request line (a scanner that speaks no HTTP) is kept as ``request``.
- Web servers also write such lines to syslog, under their own name or, by way of containers, under none.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``webserver``), as the W3C extended format names them; what the log leaves out or writes as
``-`` is absent:

    time            as written
    c-ip            client, as written: an address or a name; c-port number
    cs-username     user, where the server checked one
    cs-method       GET, POST …
    cs-uri          request target as it was sent
    cs-uri-stem     its path; a list of path and decoded path where they differ
    cs-uri-query    list of all forms in which rules look for pieces of the target (see ``_web``)
    cs-version      HTTP/1.1
    sc-status       number
    sc-bytes        number
    cs-referer      without the server's escapes
    cs-user-agent   without the server's escapes
    cs-host         virtual host
    s-port          its port, number
    request         the request line, where it is none
    extra           what comes after the user agent
    hostname program pid raw
                    of the header of syslog, and the whole line, where it came by that
    message         the line, where it is no line of an access log
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers import web_errors
from haidang.events.readers._lines import BOM, broken, decode
from haidang.events.readers._web import PROGRAMS, QUOTED, add_quoted, add_request, header_of, unescaped
from haidang.events.readers._web_forms import parse_other_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "WebAccessReader", "parse_line"]

# The names of Caddy's, Traefik's and nginx's JSON are beside our own: the logsource map has those, too.
ORIGIN = Origin(
    "webserver",
    time_fields=("time", "ts", "StartUTC", "time_iso8601", "time_local", "@timestamp", "timestamp", "msec"),
    host_fields=("hostname", "cs-host", "request.host", "RequestHost", "http_host", "host", "server_name"),
)

_HEAD_LINES = 100
_LINE = expression(
    r"([^\[\"]*+)(?<= )\[(\d{1,2}/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,9})? [+-]\d{4})\] "
    + QUOTED
    + r" (\d{3}|-) (\d{1,18}|-)(?: "
    + QUOTED
    + r" "
    + QUOTED
    + r")?(.*)\Z",
    re.ASCII | re.DOTALL,
)


def parse_line(text: str) -> Fields | None:
    """Return the fields of one line, or None where it is no line of an access log."""
    match = _LINE.match(text)
    if match is None:
        return parse_other_form(text)
    client, time, request, status, size, referer, agent, extra = match.groups()
    fields: Fields = {"time": time}
    if not _add_client(fields, client[:-1].split(" ")):
        return None
    if request != "-":
        add_request(fields, unescaped(request) if "\\" in request else request)
    if status != "-":
        fields["sc-status"] = int(status)
    if size != "-":
        fields["sc-bytes"] = int(size)
    if agent is not None:
        add_quoted(fields, "cs-referer", referer)
        add_quoted(fields, "cs-user-agent", agent)
    if extra and not extra.isspace():
        fields["extra"] = extra.strip()
    return fields


def _add_client(fields: Fields, words: list[str]) -> bool:
    """Add the words before the time: [virtual host] client identity user; a user's name may have blanks."""
    # The identity is never known nowadays, so that a second word of its own means a virtual host.
    if len(words) > 3 and words[1] != "-":
        host, mark, port = words[0].rpartition(":")
        if mark and port.isdecimal() and len(port) <= 5:
            fields["cs-host"] = host
            fields["s-port"] = int(port)
        else:
            fields["cs-host"] = words[0]
        del words[0]
    if len(words) < 3:
        return False
    if words[0] != "-":
        fields["c-ip"] = words[0]
    user = words[2] if len(words) == 3 else " ".join(words[2:])
    if user not in {"-", '""', ""} and not user.endswith(" -"):
        fields["cs-username"] = user
    return True


class WebAccessReader:
    """Reads access logs."""

    name = "web-access"
    title = "Web server access log (Apache, nginx)"
    origins: tuple[Origin, ...] = (ORIGIN, web_errors.ORIGIN)
    splittable = True
    """Each line says all by itself."""

    def carries(self, program: str, start: str) -> bool:
        """Return True for web servers, and where a line has no program and may begin with a client."""
        return program in PROGRAMS or (not program and (start.isalnum() or start == ":"))

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the request in a line of syslog, None where it is none."""
        fields = parse_line(event["message"])
        return None if fields is None else {**header_of(event), **fields}

    def recognises(self, head: Head) -> int:
        """Return 88 where at least half of the first lines are of the form."""
        lines = head.lines[:_HEAD_LINES]
        alike = sum(parse_line(line.removeprefix(BOM)) is not None for line in lines)
        return 88 if alike and alike * 2 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            errors: dict[int, Fields] = {}
            for number, line in enumerate(lines, first):
                text = decode(line, number, report)
                if text.startswith(BOM):
                    text = text[1:]
                fields = parse_line(text)
                if fields is None:
                    text = text.strip("\x00\r\n\t ")
                    if not text:
                        continue
                    fields = parse_line(text)
                    if fields is None and (error := web_errors.parse_line(text)) is not None:
                        errors[number] = error
                        continue
                    if fields is None:
                        broken(report, number, "no line of an access log; read as plain text", skipped=0)
                        fields = {"message": text}
                events.append(fields)
                records.append(number)
            if events:
                yield EventBatch(report, ORIGIN.name, events, records)
            if errors:
                yield EventBatch(report, web_errors.ORIGIN.name, list(errors.values()), list(errors))


READER = WebAccessReader()
