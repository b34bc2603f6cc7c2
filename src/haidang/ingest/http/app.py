"""Events over HTTP: one ASGI application for every protocol that shippers speak.

Rules of this module:

- An answer of 2xx means that the events are on disk.
- 401 for an unknown token, 413 past the largest body, 429 with ``Retry-After`` for too much, 503 with
  ``Retry-After`` where events cannot be kept; each in the form of the protocol that was spoken.
- It takes what ``handles`` says, so that another application can answer the rest on the same port.

Example::

    uvicorn.run(IngestApp(intake), port=8220)

All input is untrusted.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from haidang.errors import HaidangError
from haidang.ingest.http.elastic import Elastic
from haidang.ingest.http.exchange import ClientGoneError, Failure, Request, RequestError, Response
from haidang.ingest.http.hec import Hec
from haidang.ingest.http.otlp import Otlp
from haidang.ingest.http.plain import Plain

if TYPE_CHECKING:
    from haidang.ingest.http.exchange import Receive, Scope, Send
    from haidang.ingest.intake import Intake

__all__ = ["IngestApp"]

_LOG = logging.getLogger(__name__)


class _Protocol(Protocol):
    """What a module of this package offers."""

    def claims(self, method: str, path: str, headers: dict[str, str]) -> bool: ...
    async def answer(self, request: Request) -> Response: ...
    def failure(self, failure: Failure, request: Request) -> Response: ...


class IngestApp:
    """The application; where it has a port for itself, it starts and ends the intake as well."""

    def __init__(self, intake: Intake) -> None:
        """Hand to ``intake`` what comes."""
        self._intake = intake
        self._protocols: tuple[_Protocol, ...] = (Plain(), Elastic(), Hec(), Otlp())

    def handles(self, scope: Scope) -> bool:
        """Return whether a request is one of these protocols'."""
        return scope["type"] == "http" and self._protocol(scope) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        protocol = self._protocol(scope) if scope["type"] == "http" else None
        if protocol is None:
            await _send(Response(404, b'{"error":"nothing is here"}'), send)
            return
        request = Request.of(scope, receive, self._intake)
        try:
            response = await protocol.answer(request)
        except ClientGoneError:
            return
        except HaidangError as error:
            response = self._refused(request, protocol, error)
        except Exception:  # noqa: BLE001 - see the comment
            # Whatever it is, the sender must not take its events for kept.
            _LOG.exception("a request could not be answered")
            response = protocol.failure(Failure(500, "internal error"), request)
        finally:
            request.finish()
        if not request.complete:
            await request.drain()
        await _send(response, send, close=not request.complete, head=request.method == "HEAD")

    def _protocol(self, scope: Scope) -> _Protocol | None:
        method, path = scope["method"], scope["path"]
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        return next((one for one in self._protocols if one.claims(method, path, headers)), None)

    def _refused(self, request: Request, protocol: _Protocol, error: HaidangError) -> Response:
        failure = Failure.of(error)
        if isinstance(error, RequestError) and request.source is not None:
            self._intake.refuse(request.source)
        response = protocol.failure(failure, request)
        if not failure.retry_after:
            return response
        headers = (*response.headers, ("retry-after", str(failure.retry_after)))
        return Response(response.status, response.body, response.content_type, headers)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._intake.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._intake.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _send(response: Response, send: Send, *, close: bool = False, head: bool = False) -> None:
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        *((name.encode(), value.encode()) for name, value in response.headers),
    ]
    if response.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
