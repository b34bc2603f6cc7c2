"""The sockets of syslog listeners, and what the kernel knows of them."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from haidang.ingest.syslog.listener import SyslogListener

__all__ = ["keep_alive", "listening", "lost_datagrams"]

_KEEP_ALIVE = {"TCP_KEEPIDLE": 120, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 4}
"""Seconds of silence, seconds between two questions, questions without an answer."""
_RECEIVE_BUFFER = 8 << 20
"""Bytes of datagrams that wait in the kernel: about half a second of 20,000 messages a second. Without
CAP_NET_ADMIN the kernel gives no more than its net.core.rmem_max."""
_SO_RCVBUFFORCE = 33
_TABLES = ("/proc/net/udp", "/proc/net/udp6")
_INODE = 9
_DROPS = 12
"""Columns of these tables."""


def listening(listener: SyslogListener) -> socket.socket:
    """Return the open socket of a listener, of datagrams or of connections; it does not block.

    Raises:
        ConfigurationError: The port cannot be opened.
    """
    kind = socket.SOCK_DGRAM if listener.kind == "udp" else socket.SOCK_STREAM
    try:
        family, address = _address(listener, kind)
        opened = socket.socket(family, kind)
    except OSError as error:
        raise _refusal(listener, error) from error
    try:
        if kind == socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _widen(opened)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if listener.host else 0)
        opened.bind(address)
        if kind == socket.SOCK_STREAM:
            opened.listen(128)
    except OSError as error:
        opened.close()
        raise _refusal(listener, error) from error
    opened.settimeout(0)
    return opened


def keep_alive(connection: socket.socket) -> None:
    """Let the kernel find out when the other end is gone without a word."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE.items():
            if option := getattr(socket, name, None):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)


def lost_datagrams(opened: socket.socket) -> int | None:
    """Return how many datagrams the kernel dropped for want of room; None where it does not tell."""
    try:
        inode = str(os.fstat(opened.fileno()).st_ino)
        for table in _TABLES:
            with contextlib.suppress(FileNotFoundError):
                for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                    columns = line.split()
                    if columns[_INODE] == inode:
                        return int(columns[_DROPS])
    except (OSError, ValueError, IndexError):
        return None
    return None


def _address(listener: SyslogListener, kind: int) -> tuple[int, tuple[str, int] | tuple[str, int, int, int]]:
    if not listener.host:
        return (
            (socket.AF_INET6, ("::", listener.port))
            if socket.has_ipv6
            else (socket.AF_INET, ("", listener.port))
        )
    found = socket.getaddrinfo(listener.host, listener.port, type=kind, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, address  # type: ignore[return-value]


def _widen(opened: socket.socket) -> None:
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, option, _RECEIVE_BUFFER)
            return


def _refusal(listener: SyslogListener, error: OSError) -> ConfigurationError:
    hint = "Choose another port or address, or stop who holds it."
    if isinstance(error, PermissionError):
        hint = "Choose a port from 1024 on, or let the service have CAP_NET_BIND_SERVICE."
    return ConfigurationError(f"{listener}: {error.strerror or error}", hint=hint)
