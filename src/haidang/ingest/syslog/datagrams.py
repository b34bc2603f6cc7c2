"""Syslog over UDP.

Rules of this module:

- A datagram is a message (RFC 5426). They are read as fast as they come, whatever the intake does: what waits
  for it waits in memory, for each source up to ``limits.syslog_pending_bytes``.
- What finds no room there is dropped and counted (``dropped``); what the kernel dropped before it could be
  read is asked of the kernel (``lost``). UDP itself loses datagrams on their way, of which nobody here knows.

All input is untrusted, the sender's address too.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from haidang.ingest.delivering import deliver
from haidang.ingest.ending import let_end
from haidang.ingest.syslog.counts import SyslogCounts
from haidang.ingest.syslog.framing import records
from haidang.ingest.syslog.listener import Senders
from haidang.ingest.syslog.sockets import listening, lost_datagrams
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    import socket

    from haidang.ingest.delivering import Taking
    from haidang.ingest.model import Source, SourceBook
    from haidang.ingest.syslog.listener import SyslogListener

__all__ = ["DatagramReceiver"]

_LOG = logging.getLogger(__name__)
_LARGEST = 65_536
_AT_ONCE = 1_000
"""Datagrams that are read before others get their turn."""


class DatagramReceiver:
    """Receives at one UDP port."""

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
        self._pending: dict[str, _Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def counts(self) -> SyslogCounts:
        """Return what was counted so far."""
        if self._socket is not None:
            lost = lost_datagrams(self._socket)
            if lost is not None and lost > (self._counts.lost or 0):
                _LOG.warning("datagrams lost", extra={"listener": str(self.listener), "lost": lost})
            self._counts.lost = lost
        return self._counts

    async def start(self) -> None:
        """Open the port.

        Raises:
            ConfigurationError: It cannot be opened.
        """
        self._socket = listening(self.listener)
        self.port = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read, self._socket)

    async def close(self) -> None:
        """Read what has arrived, hand it over, close."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        while self._read(self._socket):
            pass
        self.counts()
        self._socket.close()
        self._socket = None
        if self._tasks:
            await let_end(self._tasks, self._limits.syslog_close_seconds)
            self._counts.dropped += sum(len(pending.messages) for pending in self._pending.values())

    def _read(self, opened: socket.socket) -> bool:
        """Read what is there, up to a bound; return whether there may be more."""
        received: dict[str, list[bytes]] = {}
        more = False
        try:
            for _ in range(_AT_ONCE):
                data, address = opened.recvfrom(_LARGEST)
                received.setdefault(address[0], []).append(data)
            more = True
        except BlockingIOError:
            pass
        except OSError as error:
            _LOG.warning("datagram not read", extra={"listener": str(self.listener), "reason": str(error)})
        for host, messages in received.items():
            source = self._senders.source_of(host)
            if source is None:
                self._counts.unknown += len(messages)
            else:
                self._keep(source, messages)
        return more

    def _keep(self, source: Source, messages: list[bytes]) -> None:
        """Let messages wait for the intake."""
        pending = self._pending.get(source.name)
        if pending is None:
            pending = self._pending[source.name] = _Pending()
            task = asyncio.get_running_loop().create_task(self._hand_over(source, pending))
            self._tasks.add(task)
            task.add_done_callback(self._finished)
        for message in messages:
            self._counts.bytes += len(message)
            if pending.size + len(message) > self._limits.syslog_pending_bytes:
                self._counts.dropped += 1
            else:
                pending.messages.append(message)
                pending.size += len(message)

    async def _hand_over(self, source: Source, pending: _Pending) -> None:
        """Hand over what waits of one source until nothing does."""
        while pending.messages:
            messages = pending.first(self._limits.batch_bytes)
            batch, count = records(self._bounded(messages))
            if count:
                await deliver(self._intake, source, batch, format=source.format or "syslog", count=count)
                self._counts.messages += count
            pending.forget(len(messages))
        del self._pending[source.name]

    def _bounded(self, messages: list[bytes]) -> list[bytes]:
        most = self._limits.syslog_message_bytes
        self._counts.cut += sum(len(message) > most for message in messages)
        return [message[:most] for message in messages]

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("datagrams not taken", exc_info=error, extra={"listener": str(self.listener)})


class _Pending:
    """The datagrams of one source that the intake has not taken; those under way are among them."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.size = 0

    def first(self, most: int) -> list[bytes]:
        """Return the first messages, of about ``most`` bytes."""
        size = 0
        for count, message in enumerate(self.messages, 1):
            size += len(message)
            if size >= most:
                return self.messages[:count]
        return self.messages[:]

    def forget(self, count: int) -> None:
        """Forget the first messages: they are on disk."""
        self.size -= sum(map(len, self.messages[:count]))
        del self.messages[:count]
