"""News for pages that are open, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from django.http import StreamingHttpResponse

from haidang.console.alerts.live import HUB
from haidang.console.people.access import Request, allowed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["events"]

_ALIVE = 15.0
"""Seconds of silence after which a comment says that the line is open."""
_LONGEST = 600.0
"""Seconds after which the page asks anew, so that who has signed out hears nothing more."""


@allowed("alerts.see")
async def events(request: Request) -> StreamingHttpResponse:
    """Tell of new alerts and of those that somebody worked on."""
    response = StreamingHttpResponse(_stream(request), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def _stream(request: Request) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    end = loop.time() + _LONGEST
    async with HUB.listening(request.user) as queue:
        yield "retry: 3000\n\n"
        while (left := end - loop.time()) > 0:
            try:
                news = await asyncio.wait_for(queue.get(), min(_ALIVE, left))
            except TimeoutError:
                yield ": still here\n\n"
                continue
            yield f"event: news\ndata: {json.dumps(news._asdict())}\n\n"
