"""ModSecurity's audit log in its native form, several transactions in one file ("serial").

    --c7036611-A--
    [11/Nov/2026:21:58:40 +0700] Z9sKqX8AAQEAAB 198.51.100.9 51188 192.0.2.10 443
    --c7036611-B--
    GET /tai-ve?tep=../../etc/passwd HTTP/1.1
    Host: dvc.haivan.example
    --c7036611-Z--

Rules of this module:

- One transaction is one event, from its part A to its part Z; versions 2 and 3 mark parts slightly
  differently.
- Read are the parts A, B and C or I (request), F and E (response) and H (what the engine said). Part K
  repeats the text of rules and is passed over, as are D, G and J.
- A transaction that ends without Z is handed over as far as it goes and noted as truncated; what is outside
  of any is noted and skipped; more than ``limits.line_bytes`` of one are noted and the rest of it is
  skipped.
- Its JSON form is read as JSON lines; the logsource map knows its names.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``modsecurity``; what a part does not say is absent):

    time, unique_id         part A
    c-ip, c-port, s-ip, s-port
    cs-method, cs-uri, cs-uri-stem, cs-uri-query, cs-version    as in an access log
    cs-host, cs-user-agent, cs-referer, cs-cookie, cs-content-type    from the headers
    request_headers         header's name in lower case to its value; a list where it is repeated
    request_body            part C, or I where there is none
    sc-status               number; response_headers, response_body
    messages                list of what the engine said
    action, engine_mode, producer, server    part H
    modsecurity_id …        what the messages hold as [id "…"]; a list where there are several
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers._lines import BOM, broken, decode
from haidang.events.readers._web import add_request, add_tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "ModSecurityReader"]

ORIGIN = Origin(
    "modsecurity",
    time_fields=("time", "transaction.time_stamp", "transaction.time"),
    host_fields=("s-ip", "transaction.host_ip", "transaction.local_address"),
)

_MARK = expression(r"---?([0-9A-Za-z]{6,40})-(?:--)?([A-Z])--\Z", re.ASCII)
_PART_A = expression(
    r"\[([^\]]{1,64})\] (\S{1,128}) (\S{1,64}) (\d{1,5}) (\S{1,64}) (\d{1,5})\s*\Z", re.ASCII
)
_STATUS = expression(r"HTTP/\S{1,5} (\d{3})\b", re.ASCII)
_HEADERS = {
    "host": "cs-host",
    "user-agent": "cs-user-agent",
    "referer": "cs-referer",
    "cookie": "cs-cookie",
    "content-type": "cs-content-type",
}
_TRAILER = {"action": "action", "engine-mode": "engine_mode", "producer": "producer", "server": "server"}
_MESSAGES = frozenset({"message", "modsecurity", "apache-error"})
_KEPT = frozenset("ABCEFHI")


class _Transaction:
    """The lines of one transaction by part."""

    __slots__ = ("at", "identifier", "left", "part", "parts")

    def __init__(self, identifier: str, at: int, left: int) -> None:
        self.identifier = identifier
        self.at = at
        self.left = left
        self.part = "A"
        self.parts: dict[str, list[str]] = {}

    def fields(self) -> Fields | None:
        """Return the event, None where part A does not say what it should."""
        match = _PART_A.match("".join(self.parts.get("A", ())[:1]))
        if match is None:
            return None
        time, identifier, client, client_port, server, server_port = match.groups()
        fields: Fields = {
            "time": time,
            "unique_id": identifier,
            "c-ip": client,
            "c-port": int(client_port),
            "s-ip": server,
            "s-port": int(server_port),
        }
        self._add_request(fields)
        self._add_response(fields)
        self._add_trailer(fields)
        return fields

    def _add_request(self, fields: Fields) -> None:
        lines = self.parts.get("B", [])
        if lines and lines[0]:
            add_request(fields, lines[0])
        headers = _headers(lines[1:])
        for name, known in _HEADERS.items():
            if name in headers:
                fields[known] = headers[name]
        if headers:
            fields["request_headers"] = headers
        body = "\n".join(self.parts.get("C") or self.parts.get("I") or ()).rstrip("\n")
        if body:
            fields["request_body"] = body

    def _add_response(self, fields: Fields) -> None:
        lines = self.parts.get("F", [])
        status = _STATUS.match(lines[0]) if lines else None
        if status is not None:
            fields["sc-status"] = int(status[1])
        headers = _headers(lines[1:])
        if headers:
            fields["response_headers"] = headers
        body = "\n".join(self.parts.get("E", ())).rstrip("\n")
        if body:
            fields["response_body"] = body

    def _add_trailer(self, fields: Fields) -> None:
        messages: list[str] = []
        for line in self.parts.get("H", ()):
            name, mark, value = line.partition(": ")
            name = name.lower()
            if mark and name in _MESSAGES:
                messages.append(value)
            elif mark and name in _TRAILER:
                fields.setdefault(_TRAILER[name], value)
        if messages:
            fields["messages"] = messages
            add_tags(fields, messages)


def _headers(lines: list[str]) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for line in lines:
        name, mark, value = line.partition(":")
        if not mark:
            continue
        name, value = name.strip().lower(), value.strip()
        known = found.get(name)
        if known is None:
            found[name] = value
        elif isinstance(known, list):
            known.append(value)
        else:
            found[name] = [known, value]
    return found


class ModSecurityReader:
    """Reads serial audit logs."""

    name = "modsecurity"
    title = "ModSecurity audit log"
    origins: tuple[Origin, ...] = (ORIGIN,)
    splittable = False
    """A transaction is many lines."""

    def recognises(self, head: Head) -> int:
        """Return 94 where the first line begins a transaction and its part A follows."""
        lines = [line.removeprefix(BOM) for line in head.lines[:2]]
        mark = _MARK.match(lines[0]) if len(lines) == 2 else None
        return 94 if mark is not None and mark[2] == "A" and _PART_A.match(lines[1]) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield the transactions in batches."""
        events: list[Fields] = []
        records: list[int] = []
        for at, fields in _transactions(stream, report, limits):
            events.append(fields)
            records.append(at)
            if len(events) >= limits.batch_events:
                yield EventBatch(report, ORIGIN.name, events, records)
                events, records = [], []
        if events:
            yield EventBatch(report, ORIGIN.name, events, records)


def _transactions(stream: Stream, report: FileReport, limits: Limits) -> Iterator[tuple[int, Fields]]:
    current: _Transaction | None = None
    for first, lines in stream.line_batches(report, limits):
        for number, line in enumerate(lines, first):
            text = decode(line, number, report).rstrip("\r").removeprefix(BOM)
            mark = _MARK.match(text) if text.startswith("--") else None
            if mark is None:
                _add(current, text, number, report, limits)
                continue
            identifier, part = mark.groups()
            if current is not None and identifier != current.identifier:
                # Whoever is attacked may have the mark of another in the body; only that of A begins anew.
                if part != "A":
                    _add(current, text, number, report, limits)
                    continue
                report.note("truncated", f"line {current.at}", "a transaction has no part Z")
                yield from _finished(current, report)
                current = None
            if current is None:
                if part != "A":
                    broken(report, number, "a part of no transaction")
                    continue
                current = _Transaction(identifier, number, limits.line_bytes)
            current.part = part
            if part == "Z":
                yield from _finished(current, report)
                current = None
    if current is not None:
        report.note("truncated", f"line {current.at}", "a transaction has no part Z")
        yield from _finished(current, report)


def _add(current: _Transaction | None, text: str, number: int, report: FileReport, limits: Limits) -> None:
    """Add a line to the part that it is in."""
    if current is None:
        if text.strip("\x00 \t"):
            broken(report, number, "outside of any transaction")
        return
    if current.part not in _KEPT:
        return
    if current.left < 0:
        return
    # A line takes room beside its letters, however short it is.
    current.left -= len(text) + 8
    if current.left < 0:
        detail = f"a transaction of more than {limits.line_bytes} bytes; its end is not read"
        report.note("oversized-line", f"line {number}", detail)
        return
    current.parts.setdefault(current.part, []).append(text)


def _finished(transaction: _Transaction, report: FileReport) -> Iterator[tuple[int, Fields]]:
    fields = transaction.fields()
    if fields is None:
        broken(report, transaction.at, "a transaction without its part A")
    else:
        yield transaction.at, fields


READER = ModSecurityReader()
