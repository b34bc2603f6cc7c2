"""The process that listens: receivers over HTTP and syslog, followed files, and the console's pages.

It ends on SIGTERM or SIGINT when what it acknowledged is on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import uvicorn
from django.core.asgi import get_asgi_application

from haidang.console.rules import catalogue
from haidang.console.service import places
from haidang.console.service.book import SourcesBook
from haidang.console.service.starting import settle
from haidang.console.service.web import Web
from haidang.ingest.counting import Counters
from haidang.ingest.http.app import IngestApp
from haidang.ingest.intake import Intake
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool
from haidang.ingest.syslog import receiver_for
from haidang.ingest.tailing import TailReceiver

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from haidang.console.service.configuration import Configuration
    from haidang.console.service.web import Application
    from haidang.ingest.syslog import SyslogReceiver

__all__ = ["receive"]

_GRACE = 10
"""Seconds that open requests have to end."""


def receive(
    listening: socket.socket,
    configuration: Configuration,
    *,
    console: bool = True,
    receivers: bool = True,
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until told to stop.

    Args:
        listening: The open socket of the HTTP port.
        configuration: What is listened for beside it.
        console: Whether the console's pages are served.
        receivers: Whether logs are received; the console alone needs no spool.
        on_started: Called once everything is open.

    Raises:
        ConfigurationError: A port cannot be opened, or a certificate cannot be used.
    """
    catalogue.use(configuration)
    pages = get_asgi_application() if console else None
    if receivers:
        asyncio.run(_receive(listening, configuration, pages, on_started))
    else:
        asyncio.run(_serve(listening, Web(None, pages), on_started))


async def _receive(
    listening: socket.socket,
    configuration: Configuration,
    pages: Application | None,
    on_started: Callable[[], None],
) -> None:
    with contextlib.ExitStack() as stack:
        book = SourcesBook()
        await asyncio.to_thread(book.refresh)
        stack.enter_context(book)
        spool = Spool(places.spool())
        intake = Intake(spool, Quarantine(places.quarantine()), Counters(places.counters()), book)
        stack.enter_context(intake)
        beside: list[SyslogReceiver | TailReceiver] = [
            receiver_for(one, intake, book) for one in configuration.syslog
        ]
        if configuration.tail:
            beside.append(TailReceiver(configuration.tail, intake, spool, book))
        try:
            for receiver in beside:
                await receiver.start()
            await _serve(listening, Web(IngestApp(intake), pages), on_started)
        finally:
            for receiver in beside:
                await receiver.close()


async def _serve(listening: socket.socket, web: Web, on_started: Callable[[], None]) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            web,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
            h11_max_incomplete_event_size=64 << 10,
        )
    )
    on_started()
    settle()
    await server.serve(sockets=[listening])
