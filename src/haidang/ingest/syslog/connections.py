"""Syslog over TCP and TLS.

Rules of this module:

- What was read from a connection is on disk before more is read from it: reading rests, and TCP holds the
  sender back. No more than one read of each connection is in memory.
- Connections past the limits, in all and of one host, are closed before a byte is read. So is one whose TLS
  handshake fails or lasts too long, or whose sender has no source.
- A message that was begun must be completed in ``limits.syslog_partial_seconds``; else what there is of it is
  passed on, and the connection closed. One on which nothing is under way may be silent for
  ``limits.syslog_idle_seconds``; the system asks meanwhile whether the other end is still there.
- On ``close`` no more connections are let in, and what has already arrived is still read.

Plain syslog has no acknowledgements: what a sender wrote and this machine had not read when it broke down is
lost, and neither end knows.

All input is untrusted.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from typing import TYPE_CHECKING, cast

from haidang.ingest.delivering import deliver
from haidang.ingest.ending import let_end
from haidang.ingest.syslog.counts import SyslogCounts
from haidang.ingest.syslog.framing import Framer, records
from haidang.ingest.syslog.listener import Senders
from haidang.ingest.syslog.sockets import keep_alive, listening
from haidang.ingest.syslog.tls import Certificates
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    import socket
    import ssl

    from haidang.ingest.delivering import Taking
    from haidang.ingest.model import SourceBook
    from haidang.ingest.syslog.listener import SyslogListener

__all__ = ["ConnectionReceiver"]

_LOG = logging.getLogger(__name__)
_DRAINING = 0.2
"""Seconds of silence after which a connection that is being closed has nothing more to say."""


class ConnectionReceiver:
    """Receives at one TCP port."""

    def __init__(
        self, listener: SyslogListener, intake: Taking, book: SourceBook, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        """Hand what comes to ``intake``."""
        self.listener = listener
        self.port = listener.port
        """The port, once it is open."""
        self._counts = SyslogCounts()
        self._intake = intake
        self._senders = Senders(listener, book)
        self._limits = limits
        self._socket: socket.socket | None = None
        self._certificates: Certificates | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: dict[asyncio.Task[None], str] = {}
        self._of_host: Counter[str] = Counter()
        self._closing = asyncio.Event()

    def counts(self) -> SyslogCounts:
        """Return what was counted so far."""
        self._counts.open = len(self._connections)
        return self._counts

    async def start(self) -> None:
        """Open the port.

        Raises:
            ConfigurationError: It cannot be opened, or the certificates cannot be used.
        """
        if self.listener.kind == "tls":
            self._certificates = Certificates(self.listener)
        self._socket = listening(self.listener)
        self.port = self._socket.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept(self._socket))

    async def close(self) -> None:
        """Let nobody in any more, take what has arrived, close."""
        if self._accepting is None or self._socket is None:
            return
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)
        self._socket.close()
        self._closing.set()
        await let_end(self._connections, self._limits.syslog_close_seconds)

    async def _accept(self, listening_socket: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening_socket)
            except OSError as error:
                # Mostly too many open files: some will be closed.
                _LOG.warning("connection not accepted", extra={"reason": str(error)})
                await asyncio.sleep(0.2)
                continue
            host = address[0]
            if not self._has_room(host):
                self._counts.refused += 1
                connection.close()
                continue
            self._of_host[host] += 1
            task = asyncio.create_task(self._serve(connection, host))
            self._connections[task] = host
            task.add_done_callback(self._forget)

    def _has_room(self, host: str) -> bool:
        return (
            len(self._connections) < self._limits.syslog_connections
            and self._of_host[host] < self._limits.syslog_host_connections
        )

    def _forget(self, task: asyncio.Task[None]) -> None:
        host = self._connections.pop(task)
        self._of_host[host] -= 1
        if not self._of_host[host]:
            del self._of_host[host]
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("connection broken off", exc_info=error, extra={"host": host})

    async def _serve(self, connection: socket.socket, host: str) -> None:
        keep_alive(connection)
        try:
            inbox = await self._open(connection)
        except (OSError, TimeoutError) as error:
            self._counts.handshakes += 1
            _LOG.info("handshake failed", extra={"host": host, "reason": str(error)})
            connection.close()
            return
        self._counts.accepted += 1
        framer = Framer(self._limits.syslog_message_bytes)
        try:
            await self._read(inbox, framer, host)
        finally:
            self._counts.cut += framer.cut
            self._counts.incomplete += framer.incomplete
            inbox.close()

    async def _open(self, connection: socket.socket) -> _Inbox:
        loop = asyncio.get_running_loop()
        # What the loop returns as the protocol is, with TLS, one of its own (uvloop).
        inbox = _Inbox()
        if self._certificates is None:
            await loop.connect_accepted_socket(lambda: inbox, connection)
            return inbox
        seconds = self._limits.syslog_handshake_seconds
        context: ssl.SSLContext = self._certificates.context()
        await loop.connect_accepted_socket(
            lambda: inbox, connection, ssl=context, ssl_handshake_timeout=seconds
        )
        return inbox

    async def _read(self, inbox: _Inbox, framer: Framer, host: str) -> None:
        """Take what comes until the end."""
        fingerprint = inbox.fingerprint()
        while True:
            data = await self._next(inbox, waiting=framer.waiting)
            source = self._senders.source_of(host, fingerprint)
            if source is None:
                self._counts.unknown += 1
                return
            self._counts.bytes += len(data)
            batch, count = records(framer.feed(data) if data else framer.finish())
            if count:
                await deliver(self._intake, source, batch, format=source.format or "syslog", count=count)
                self._counts.messages += count
            if not data:
                return

    async def _next(self, inbox: _Inbox, *, waiting: bool) -> bytes:
        """Return what comes next; nothing at the end, or where it does not come in time."""
        reading = asyncio.ensure_future(inbox.read())
        closing = asyncio.ensure_future(self._closing.wait())
        seconds = self._limits.syslog_partial_seconds if waiting else self._limits.syslog_idle_seconds
        try:
            await asyncio.wait({reading, closing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if closing.done() and not reading.done():
                await asyncio.wait({reading}, timeout=_DRAINING)
            if reading.done():
                return reading.result()
            self._counts.idle += not closing.done()
            return b""
        finally:
            reading.cancel()
            closing.cancel()


class _Inbox(asyncio.Protocol):
    """What a connection has sent and nobody has taken; while there is any, reading rests."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._ended = False
        self._changed = asyncio.Event()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self._transport.pause_reading()
        self._parts.append(data)
        self._changed.set()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end()

    async def read(self) -> bytes:
        """Return what has come, after waiting for it; nothing at the end."""
        if not self._parts and not self._ended:
            self._changed.clear()
            self._transport.resume_reading()
            await self._changed.wait()
        data = b"".join(self._parts)
        self._parts.clear()
        return data

    def fingerprint(self) -> str:
        """Return the SHA-256 of the client certificate, empty where there is none."""
        tls = self._transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls else None
        return hashlib.sha256(certificate).hexdigest() if certificate else ""

    def close(self) -> None:
        """Break the connection off: there is nothing to say to a sender of syslog."""
        self._transport.abort()

    def _end(self) -> None:
        self._ended = True
        self._changed.set()
