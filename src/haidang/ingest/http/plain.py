"""``POST /ingest``: JSON lines, JSON arrays, or lines of a log as they are.

- A source whose format is "" or one of JSON sends JSON: lines that are no object go to the quarantine.
- A source of another format, and ``Content-Type: text/plain``, send lines that are taken as they are; what
  its reader cannot read goes to the quarantine when detection comes to it.
- The answer says how many records were taken and how many lines are in quarantine; where there is nothing
  to take, it is 400.

All input is untrusted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from haidang.ingest.http._records import JSON_FORMATS, any_json, json_lines
from haidang.ingest.http.exchange import THREAD_BYTES, RequestError, Response
from haidang.ingest.model import BrokenLines, Portion

if TYPE_CHECKING:
    from haidang.ingest.http.exchange import Failure, Request
    from haidang.ingest.model import Source
    from haidang.limits import Limits

__all__ = ["Plain"]


class Plain:
    """The protocol."""

    def claims(self, method: str, path: str, headers: dict[str, str]) -> bool:
        """Return whether a request is for this protocol."""
        del method, headers
        return path in {"/ingest", "/ingest/"}

    async def answer(self, request: Request) -> Response:
        """Take the records."""
        if request.method != "POST":
            raise RequestError(405, "send events with POST")
        source = request.authenticate()
        body = await request.body()
        arguments = (body, request.media_type, source, request.intake.limits)
        if len(body) > THREAD_BYTES:
            portion, broken = await asyncio.to_thread(_read, *arguments)
        else:
            portion, broken = _read(*arguments)
        if not portion.count and not broken.count:
            raise RequestError(400, "the body holds no event")
        await request.keep([portion], broken)
        answer = {"taken": portion.count, "quarantined": broken.count}
        return Response(200 if portion.count else 400, msgspec.json.encode(answer))

    def failure(self, failure: Failure, request: Request) -> Response:
        """Say what went wrong."""
        del request
        return Response(failure.status, msgspec.json.encode({"error": failure.message}))


def _read(body: bytes, media_type: str, source: Source, limits: Limits) -> tuple[Portion, BrokenLines]:
    if source.format not in JSON_FORMATS or media_type == "text/plain":
        data = body.strip(b"\r\n")
        return Portion(source.format, data, data.count(b"\n") + 1 if data else 0), BrokenLines(limits)
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n\x00")
    if start.startswith(b"["):
        return any_json(body, limits)
    portion, broken = json_lines(body, limits)
    if broken.count and media_type == "application/json":
        # Perhaps one object over several lines.
        whole = any_json(body, limits)
        if not whole[1].count:
            return whole
    return portion, broken
