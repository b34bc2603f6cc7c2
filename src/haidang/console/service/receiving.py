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
    from haidang.ingest.syslog import SyslogReceiver

__all__ = ["receive"]

_GRACE = 10
"""Seconds that open requests have to end."""


def receive(
    listening: socket.socket,
    configuration: Configuration,
    *,
    console: bool = True,
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until told to stop.

    Args:
        listening: The open socket of the HTTP port.
        configuration: What is listened for beside it.
        console: Whether the console's pages are served as well.
        on_started: Called once everything is open.

    Raises:
        ConfigurationError: A port cannot be opened, or a certificate cannot be used.
    """
    asyncio.run(_serve(listening, configuration, console=console, on_started=on_started))


async def _serve(
    listening: socket.socket,
    configuration: Configuration,
    *,
    console: bool,
    on_started: Callable[[], None],
) -> None:
    with contextlib.ExitStack() as stack:
        catalogue.use(configuration)
        book = SourcesBook()
        await asyncio.to_thread(book.refresh)
        stack.enter_context(book)
        spool = Spool(places.spool())
        intake = Intake(spool, Quarantine(places.quarantine()), Counters(places.counters()), book)
        stack.enter_context(intake)
        receivers: list[SyslogReceiver | TailReceiver] = [
            receiver_for(one, intake, book) for one in configuration.syslog
        ]
        if configuration.tail:
            receivers.append(TailReceiver(configuration.tail, intake, spool, book))
        server = uvicorn.Server(
            uvicorn.Config(
                Web(IngestApp(intake), get_asgi_application() if console else None),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
                h11_max_incomplete_event_size=64 << 10,
            )
        )
        try:
            for receiver in receivers:
                await receiver.start()
            on_started()
            await server.serve(sockets=[listening])
        finally:
            for receiver in receivers:
                await receiver.close()
