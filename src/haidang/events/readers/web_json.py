r"""Access logs of web servers in JSON lines: nginx, Apache, Caddy, Traefik, and what people put together.

    {"time_local":"11/May/2026:10:14:16 +0700","remote_addr":"203.0.113.9","request":"GET /a?b HTTP/1.1", …}
    {"ts":1778469256.1,"logger":"http.log.access","request":{"method":"GET","uri":"/a?b", …},"status":200, …}

Rules of this module:

- A line is such a record where it has the members of one of these servers; any other line is one of JSON.
- Rules look for payloads as they travel and in the clear, keywords in every value. So each record has, beside
  its own members, the forms of its request target that the text logs of web servers have
  (:mod:`haidang.events.readers._web`).
- Input is untrusted.

Fields (origin ``webserver``): the members as they are, and ``cs-method``, ``cs-version``, ``cs-uri``,
``cs-uri-stem`` and ``cs-uri-query`` as of :mod:`haidang.events.readers.web_access`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.events.model import DocumentBatch, EventBatch, Origin
from haidang.events.readers import ndjson
from haidang.events.readers._lines import apart
from haidang.events.readers._web import add_request, add_target
from haidang.events.readers.web_access import ORIGIN
from haidang.events.shapes import decoded_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Batch, Fields, FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "WebJsonReader"]

_HEAD_LINES = 100
_ANSWERED = ("status", "DownstreamStatus")
_CLIENTS = (
    "remote_addr",
    "client_ip",
    "remoteIP",
    "ClientHost",
    "http_user_agent",
    "user_agent",
    "userAgent",
)
_MARKS = (b'"request"', b'"request_uri"', b'"uri"', b'"RequestPath"')


class WebJsonReader:
    """Reads access logs in JSON lines."""

    name = "web-json"
    title = "Web server access log in JSON (nginx, Caddy, Traefik)"
    origins: tuple[Origin, ...] = (ORIGIN, *ndjson.READER.origins)
    splittable = True
    """Whether any part of a file can be read without what comes before it."""

    def recognises(self, head: Head) -> int:
        """Return 84 where at least half of the first lines are such records."""
        if not any(mark in head.data for mark in _MARKS) or not ndjson.READER.recognises(head):
            return 0
        lines = [line.strip("\x00 \t\r\ufeff") for line in head.lines[:_HEAD_LINES]]
        own = sum(_record(line) is not None for line in lines)
        return 84 if own and own * 2 >= len(lines) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[Batch]:
        """Yield, of each batch of lines, those that are no such records, and then those that are."""
        for batch in ndjson.READER.read(stream, report, limits):
            left: list[tuple[int, bytes]] = []
            events: list[Fields] = []
            records: list[int] = []
            for line, number in zip(batch.documents, batch.records, strict=True):
                record = _record(line.decode("utf-8", "replace"))
                if record is None:
                    left.append((number, line))
                else:
                    events.append(record)
                    records.append(number)
            if any(not line.isspace() for _, line in left):
                yield DocumentBatch(report, *apart(left))
            if events:
                yield EventBatch(report, ORIGIN.name, events, records)


def _record(line: str) -> Fields | None:
    """Return the fields of a record; None for any other line."""
    event = decoded_object(line) if line.lstrip().startswith("{") else None
    if event is None or not any(name in event for name in _ANSWERED):
        return None
    request = event.get("request")
    if isinstance(request, dict):
        # Caddy's.
        return _with_target(event, request.get("uri")) if "method" in request else None
    if not any(name in event for name in _CLIENTS):
        return None
    if isinstance(request, str) and " " in request:
        fields: Fields = {}
        add_request(fields, request)
        return {**fields, **event} if "cs-uri" in fields else None
    for name in ("RequestPath", "request_uri", "uri", "request"):
        target = event.get(name)
        if isinstance(target, str) and target:
            return _with_target(event, _with_query(target, event))
    return None


def _with_query(target: str, event: Fields) -> str:
    """Return a path with the query that an event keeps apart."""
    query: Any = next((event[name] for name in ("args", "query", "query_string") if event.get(name)), "")
    if not isinstance(query, str) or not query or query == "-" or "?" in target:
        return target
    return f"{target}?{query.removeprefix('?')}"


def _with_target(event: Fields, target: Any) -> Fields | None:
    if not isinstance(target, str):
        return None
    fields: Fields = {}
    add_target(fields, target)
    return {**fields, **event}


READER = WebJsonReader()
