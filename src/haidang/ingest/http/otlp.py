"""OTLP/HTTP: log records of OpenTelemetry, as protobuf or JSON, by ``POST /v1/logs``.

Rules of this module:

- A record becomes an object: the attributes of its resource, its own attributes, the fields of its body,
  the later over the earlier. A body that is a text stands in ``message``; one that holds a JSON object is
  that object.
- From a source whose format is that of a text (``syslog``, ``auditd`` …), a body that is a text is the
  record.
- A record that is nested too deeply is counted as rejected in the answer, and is in the quarantine.

All input is untrusted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from haidang.ingest.http._otlp_json import read_json
from haidang.ingest.http._otlp_protobuf import read_protobuf
from haidang.ingest.http.exchange import THREAD_BYTES, RequestError, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.ingest.http.exchange import Failure, Request

__all__ = ["Otlp"]

_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"
_CODES = {400: 3, 401: 16, 408: 4, 413: 3, 429: 8, 503: 14}
"""HTTP status to the code of gRPC that stands for it."""
_INTERNAL = 13


class Otlp:
    """The protocol."""

    def claims(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Return whether a request is for this protocol."""
        del method, headers
        return path in {"/v1/logs", "/v1/logs/"}

    async def answer(self, request: Request) -> Response:
        """Take log records."""
        if request.method != "POST":
            raise RequestError(405, "send log records with POST")
        if request.media_type not in {_PROTOBUF, _JSON}:
            raise RequestError(415, f"send {_PROTOBUF} or {_JSON}")
        source = request.authenticate()
        read = read_json if request.media_type == _JSON else read_protobuf
        body = await request.body(request.intake.limits.ingest_otlp_bytes)
        arguments = (body, source.format, request.intake.limits)
        if len(body) > THREAD_BYTES:
            portions, broken = await asyncio.to_thread(read, *arguments)
        else:
            portions, broken = read(*arguments)
        await request.keep(portions, broken)
        return _answer(request, broken.count)

    def failure(self, failure: Failure, request: Request) -> Response:
        """Say what went wrong, as a ``google.rpc.Status``."""
        code = _CODES.get(failure.status, _INTERNAL)
        if request.media_type == _JSON:
            status = {"code": code, "message": failure.message}
            return Response(failure.status, msgspec.json.encode(status))
        message = failure.message.encode()
        body = b"\x08" + _varint(code) + b"\x12" + _varint(len(message)) + message
        return Response(failure.status, body, _PROTOBUF)


def _answer(request: Request, rejected: int) -> Response:
    if request.media_type != _JSON:
        # An empty message; what is too deep protobuf refuses as a whole.
        return Response(200, b"", _PROTOBUF)
    said = "what could not be read is in the quarantine"
    partial = {"partialSuccess": {"rejectedLogRecords": str(rejected), "errorMessage": said}}
    return Response(200, msgspec.json.encode(partial if rejected else {}))


def _varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
