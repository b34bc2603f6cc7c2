"""Splunk's HTTP Event Collector: events in envelopes, raw lines, acknowledgements.

Rules of this module:

- ``/services/collector``, ``…/event`` (and ``/1.0``) take envelopes, ``…/raw`` takes lines as they are.
- Whoever names a channel gets an ``ackId`` with each answer. An id that was given out was on disk before it
  was, so that ``…/ack`` says yes to every id, after a restart too.
- ``…/health`` needs no token, and is 503 while events cannot be kept.
- An unknown token is 401 here, where Splunk answers 403.

All input is untrusted.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from haidang.ingest.http._envelopes import read_envelopes
from haidang.ingest.http.exchange import THREAD_BYTES, RequestError, Response
from haidang.ingest.model import BrokenLines, Portion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.ingest.http.exchange import Failure, Request

__all__ = ["Hec"]

_PATH = re.compile(r"/services/collector(?:/(event|raw|ack|health)(?:/1\.0)?)?/?")


class _Said(NamedTuple):
    """Splunk's words for a status, and their number."""

    text: str
    code: int


_SUCCESS = _Said("Success", 0)
_NO_TOKEN = _Said("Token is required", 2)
_UNKNOWN_TOKEN = _Said("Invalid token", 4)
_NO_DATA = _Said("No data", 5)
_INVALID = _Said("Invalid data format", 6)
_FAILURES = {
    500: _Said("Internal server error", 8),
    429: _Said("Server is busy", 9),
    503: _Said("Server is busy", 9),
}
_HEALTHY = _Said("HEC is healthy", 17)
_UNHEALTHY = _Said("HEC is unhealthy, queues are full", 18)


class _Asked(msgspec.Struct):
    acks: list[int]


class Hec:
    """The protocol."""

    def __init__(self) -> None:
        """Begin to number acknowledgements."""
        self._acks = itertools.count()

    def claims(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Return whether a request is for this protocol."""
        del method, headers
        return path == "/services/collector" or path.startswith("/services/collector/")

    async def answer(self, request: Request) -> Response:
        """Take events, or answer for those that were taken."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise RequestError(404, "events are taken by /services/collector/event and /raw")
        if match[1] == "health":
            return _answer(503, _UNHEALTHY) if request.intake.trouble else _answer(200, _HEALTHY)
        if request.method != "POST":
            raise RequestError(405, "send events with POST")
        request.authenticate()
        if match[1] == "ack":
            return await _acknowledge(request)
        return await self._take(request, raw=match[1] == "raw")

    def failure(self, failure: Failure, request: Request) -> Response:
        """Say what went wrong."""
        del request
        if failure.status == 401:
            return _answer(401, _UNKNOWN_TOKEN if failure.unknown else _NO_TOKEN)
        said = _FAILURES.get(failure.status)
        return _answer(failure.status, said or _Said(failure.message, _INVALID.code))

    async def _take(self, request: Request, *, raw: bool) -> Response:
        body = await request.body()
        format_ = request.authenticate().format
        if raw:
            data = body.strip(b"\r\n")
            portions = [Portion(format_, data, data.count(b"\n") + 1)] if data else []
            broken = BrokenLines(request.intake.limits)
        elif len(body) > THREAD_BYTES:
            portions, broken = await asyncio.to_thread(read_envelopes, body, format_, request.intake.limits)
        else:
            portions, broken = read_envelopes(body, format_, request.intake.limits)
        if not portions and not broken.count:
            return _answer(400, _NO_DATA)
        await request.keep(portions, broken)
        if not portions:
            return _answer(400, _INVALID, invalid_event_number=0)
        channel = request.headers.get("x-splunk-request-channel") or request.query("channel")
        return _answer(200, _SUCCESS, ackId=next(self._acks)) if channel else _answer(200, _SUCCESS)


async def _acknowledge(request: Request) -> Response:
    try:
        asked = msgspec.json.decode(await request.body(), type=_Asked)
    except msgspec.MsgspecError as error:
        raise RequestError(400, 'ask with {"acks": [0, 1]}') from error
    return Response(200, msgspec.json.encode({"acks": {str(one): True for one in asked.acks}}))


def _answer(status: int, said: _Said, **more: int) -> Response:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return Response(status, msgspec.json.encode({"text": said.text, "code": said.code, **named}))
