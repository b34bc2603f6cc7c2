"""One application for one port: the receivers over HTTP take what is theirs, the console answers the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from haidang.ingest.http.app import IngestApp
    from haidang.ingest.http.exchange import Receive, Scope, Send

__all__ = ["Application", "Web"]


Application: TypeAlias = "Callable[[Any, Any, Any], Awaitable[None]]"
"""An ASGI application."""


class Web:
    """Hands each request to whom it is for."""

    def __init__(self, receivers: IngestApp | None, console: Application | None) -> None:
        """Serve both, or one of them alone."""
        self._receivers = receivers
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; start and end are none of its business."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] != "http":
            return
        elif self._receivers is not None and (self._console is None or self._receivers.handles(scope)):
            await self._receivers(scope, receive, send)
        elif self._console is not None:
            await self._console(scope, receive, send)
