"""W3C extended log files: IIS, web servers, proxies, the Windows Firewall, and what else has ``#Fields:``.

Rules of this module:

- ``#Fields:`` names the columns of the lines below it, until the next one; ``#Software:``, ``#Date:`` and
  ``#Time Format:`` are obeyed. Columns are parted by blanks, by commas where ``#Fields:`` has them
  (Exchange), or by tabs where a line has them (CloudFront).
- Times are UTC, as the format demands (W3C working draft WD-logfile); those of the Windows Firewall are local
  times of a zone that it does not name, and are left without one.
- A line with too few or too many columns, or before any ``#Fields:``, is noted and skipped.
- IIS writes blanks as ``+``; that is undone for the name of the client's program, where rules look for
  blanks. CloudFront writes them as ``%20``, which is undone there, too.
- Columns of a request in Exchange's HttpProxy logs (``UrlStem``, ``HttpStatus`` …) get the names of the
  format.
- Input is untrusted; each line takes linear time.

Fields (all text; ``-`` is absent), by the names in ``#Fields:``, and besides:

    timestamp   date and time in one, RFC 3339
    request     path with query, the query alone, and the former decoded once and twice where that differs (a
                list), as of other web servers; the path where there is no query
    cs-uri-extension
                of a proxy, the ending of the path where there is no such column

A proxy's ``cs(User-Agent)`` is empty, not absent, where a client gave no name.

The origin is told by the columns: ``w3cweb`` (requests to a web server), ``w3cproxy`` (requests through a
proxy), ``windowsfirewall`` (``pfirewall.log``), ``w3c`` (anything else).
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers._lines import BOM, broken, decode
from haidang.events.readers._rows import split_row
from haidang.events.readers._web import target_forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["FIREWALL", "OTHER", "PROXY", "READER", "WEB", "W3cReader"]

_TIMES = ("timestamp", "date-time", "dateTime", "DateTime")
WEB = Origin("w3cweb", time_fields=_TIMES, host_fields=("s-computername", "s-ip"))
PROXY = Origin("w3cproxy", time_fields=_TIMES, host_fields=("c-ip",))
FIREWALL = Origin("windowsfirewall", time_fields=_TIMES)
OTHER = Origin("w3c", time_fields=_TIMES, host_fields=("server-hostname", "s-computername", "s-ip"))

HEAD_LINES = 100
_FIREWALL = frozenset({"action", "src-ip", "dst-ip"})
# What only something between client and server can say of a request.
_PROXY = frozenset({
    "cs-categories", "cs-uri-scheme", "r-host", "r-ip", "rs(Content-Type)", "s-action", "s-hierarchy",
    "s-supplier-name", "sc-filter-category", "sc-filter-result", "x-exception-id", "x-virus-id",
})  # fmt: skip
_WEB = frozenset({"cs-method", "cs-uri", "cs-uri-stem"})
_HTTP_PROXY = {
    "UrlStem": "cs-uri-stem", "UrlQuery": "cs-uri-query", "UrlHost": "cs-host", "Method": "cs-method",
    "HttpStatus": "sc-status", "UserAgent": "cs(User-Agent)", "ClientIpAddress": "c-ip",
    "AuthenticatedUser": "cs-username", "ServerHostName": "s-computername",
}  # fmt: skip
"""What Exchange calls the parts of a request to one of its servers (HttpProxy logs)."""
_AGENT = "cs(User-Agent)"
_EXTENSION = "cs-uri-extension"
_LONGEST_EXTENSION = 16
_DIRECTIVE = expression(r"#\s?([A-Za-z][A-Za-z -]{0,40}):\s*(.*)\Z", re.DOTALL)
_DAY = expression(r"\d{4}-\d\d-\d\d", re.ASCII)
_QUOTED = expression(r'"((?:[^"]|"")*+)"(?!\S)|(\S+)')


class _Table:
    """The columns that the last ``#Fields:`` named."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._date = ""
        self._software = ""
        self._zone = "Z"
        self._is_csv = False
        self.names: list[str] = []
        self.origin = OTHER

    def obey(self, line: str) -> str:
        """Take a line that begins with ``#``; return what is wrong with it, "" for nothing."""
        match = _DIRECTIVE.match(line)
        if match is None:
            return ""
        name, value = match[1].lower(), match[2].strip()
        if name == "fields":
            return self._name_columns(value)
        if name == "software":
            self._software = value.lower()
            self._zone = "Z"
        elif name == "date" and (day := _DAY.match(value)):
            self._date = day[0]
        elif name == "time format":
            self._zone = "" if value.lower() == "local" else "Z"
        return ""

    def _name_columns(self, value: str) -> str:
        self._is_csv = "," in value
        names = self.names = [name.strip() for name in value.split("," if self._is_csv else None)]
        if not names or len(names) > self._limits.columns:
            self.names = []
            return f"a header that names no columns, or more than {self._limits.columns}"
        given = set(self.names)
        if given >= {"UrlStem", "Method", "HttpStatus"}:
            names = self.names = [_HTTP_PROXY.get(name, name) for name in names]
            given = set(names)
        if given >= _FIREWALL:
            self.origin = FIREWALL
        elif given & _PROXY:
            self.origin = PROXY
        else:
            self.origin = WEB if given & _WEB else OTHER
        return ""

    def event(self, line: str) -> Fields | None:
        """Return the fields of one line, None where it does not fit the columns."""
        values = self._values(line)
        if len(values) != len(self.names):
            return None
        pairs = zip(self.names, values, strict=True)
        event: Fields = {name: value for name, value in pairs if value != "-" and value}
        self._add_time(event)
        if self.origin is WEB or self.origin is PROXY:
            self._add_request(event, tabbed="\t" in line)
        return event

    def _values(self, line: str) -> list[str]:
        if self._is_csv:
            return split_row(line, ",")
        if "\t" in line:
            return line.split("\t")
        values = line.split(" ")
        if '"' in line or len(values) != len(self.names):
            careful = [word or quoted.replace('""', '"') for quoted, word in _QUOTED.findall(line)]
            # A quote that means nothing is part of a word.
            return careful if len(careful) == len(self.names) else line.split()
        return values

    def _add_time(self, event: Fields) -> None:
        clock = event.get("time")
        day = event.get("date") or self._date
        if clock and day:
            event["timestamp"] = f"{day}T{clock}{self._zone}"

    def _add_request(self, event: Fields, *, tabbed: bool) -> None:
        path = event.get("cs-uri-stem")
        query = event.get("cs-uri-query")
        if path and query:
            target = f"{path}?{query.removeprefix('?')}"
            encoded = "%" in target or "+" in query
            event["request"] = target_forms(target) if encoded else [target, query]
        elif path or query:
            event["request"] = path or query
        if self.origin is PROXY:
            self._add_of_proxy(event, path or event.get("cs-uri-path") or "")
        agent = event.get(_AGENT)
        if agent:
            if "internet information" in self._software:
                event[_AGENT] = agent.replace("+", " ")
            elif tabbed and "%" in agent:
                event[_AGENT] = unquote(agent)

    def _add_of_proxy(self, event: Fields, path: str) -> None:
        """Add what rules on proxies look for: the ending of the path, and that a client has no name."""
        if _EXTENSION not in self.names:
            name, dot, ending = path.rpartition("/")[2].rpartition(".")
            if name and dot and len(ending) <= _LONGEST_EXTENSION:
                event[_EXTENSION] = ending
        if _AGENT in self.names:
            event.setdefault(_AGENT, "")


class W3cReader:
    """Reads W3C extended log files."""

    name = "w3c"
    title = "W3C extended log (IIS, proxies, Windows Firewall)"
    origins: tuple[Origin, ...] = (WEB, PROXY, FIREWALL, OTHER)
    splittable = False
    """The header says how all of it is to be read."""

    def recognises(self, head: Head) -> int:
        """Return 95 where ``#Fields:`` stands among other directives at the beginning."""
        lines = head.lines[:HEAD_LINES]
        if not lines or not lines[0].startswith("#"):
            return 0
        names = {match[1].lower() for line in lines if (match := _DIRECTIVE.match(line))}
        return 95 if "fields" in names and names & {"version", "software", "date", "start-date"} else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines, or more where the columns change."""
        csv.field_size_limit(max(csv.field_size_limit(), limits.line_bytes))
        table = _Table(limits)
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            for number, line in enumerate(lines, first):
                text = decode(line, number, report)
                if text.startswith(("#", BOM + "#")):
                    if events:
                        yield EventBatch(report, table.origin.name, events, records)
                        events, records = [], []
                    if fault := table.obey(text.removeprefix(BOM)):
                        broken(report, number, fault)
                elif event := table.event(text) if table.names else None:
                    events.append(event)
                    records.append(number)
                elif text.strip("\x00 \t\r"):
                    detail = "not as many columns as #Fields names" if table.names else "no #Fields before it"
                    broken(report, number, detail)
            if events:
                yield EventBatch(report, table.origin.name, events, records)


READER = W3cReader()
