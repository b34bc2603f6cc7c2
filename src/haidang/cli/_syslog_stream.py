"""A syslog collector as something to write to: each ``write`` is one message.

    syslog://HOST[:PORT]       UDP, one datagram a message (RFC 5426)
    syslog+udp://HOST[:PORT]   the same
    syslog+tcp://HOST[:PORT]   TCP, each message after its count of octets (RFC 6587, section 3.4.1)

The port is 514 where none is named. A message that is longer than a datagram can be is cut at a character.
What the user wrote is trusted; what a message holds is not, but the framing does not depend on it.
"""

from __future__ import annotations

import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from haidang.errors import ConfigurationError

__all__ = ["Address", "SyslogStream", "is_syslog", "parse_address"]

_KINDS = {"syslog": socket.SOCK_DGRAM, "syslog+udp": socket.SOCK_DGRAM, "syslog+tcp": socket.SOCK_STREAM}
_DEFAULT_PORT = 514
_LONGEST_DATAGRAM = 65_507 - 40
"""Bytes of a UDP datagram over IPv4, less what IPv6 needs more."""
_TIMEOUT = 10.0
"""Seconds to connect, and to hand over one message."""


class Address(NamedTuple):
    """Where a collector listens."""

    kind: socket.SocketKind
    host: str
    port: int


class SyslogStream:
    """Sends messages to a collector."""

    def __init__(self, address: Address) -> None:
        """Connect.

        Raises:
            OSError: There is no such host, or nobody listens there (TCP).
        """
        self._counted = address.kind == socket.SOCK_STREAM
        family, kind, protocol, _, place = socket.getaddrinfo(address.host, address.port, type=address.kind)[
            0
        ]
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.settimeout(_TIMEOUT)
            self._socket.connect(place)
        except OSError:
            self._socket.close()
            raise

    def write(self, message: bytes) -> int:
        """Send one message; a line end after it is not part of it."""
        body = message.rstrip(b"\n")
        if self._counted:
            self._socket.sendall(b"%d %b" % (len(body), body))
        else:
            self._socket.send(_cut(body))
        return len(message)

    def flush(self) -> None:
        """Do nothing: a message is sent when it is written."""

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def is_syslog(path: str) -> bool:
    """Return whether ``path`` names a collector and not a file."""
    return path.partition("://")[0].lower() in _KINDS and "://" in path


def parse_address(path: str) -> Address:
    """Return where ``path`` points to.

    Raises:
        ConfigurationError: It names no host, or a port that is none.
    """
    parts = urlsplit(path)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path.strip("/") or parts.query or parts.username is not None:
        raise ConfigurationError(
            f"--output {path} names no syslog collector",
            hint="Write syslog://HOST:PORT or syslog+tcp://HOST:PORT.",
        )
    return Address(_KINDS[parts.scheme.lower()], host, _DEFAULT_PORT if port is None else port)


def _cut(body: bytes) -> bytes:
    if len(body) <= _LONGEST_DATAGRAM:
        return body
    return body[:_LONGEST_DATAGRAM].decode("utf-8", "ignore").encode()
