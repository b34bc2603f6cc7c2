"""Serves a time stamping authority over HTTP (RFC 3161, section 3.4), for machines of one's own network.

Rules:

- A request is one POST of at most :data:`~haidang.crypto.timestamps.authority.LARGEST_REQUEST` bytes, and
  gets one answer; then the connection ends. It has :data:`LONGEST` seconds as a whole.
- At most :data:`MOST_AT_ONCE` are served at once; whoever comes then is told to come again (503).
- One key signs, one request at a time: a token of PKCS #11 need not know of threads.
- :meth:`TimestampServer.stop` lets those that are being answered end.

TLS, where it is wanted, is for a reverse proxy in front of it.
"""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any, ClassVar

from haidang.crypto.timestamps.authority import LARGEST_REQUEST
from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.crypto.timestamps.authority import TimestampAuthority

__all__ = ["LONGEST", "MOST_AT_ONCE", "TimestampServer"]

LONGEST = 10.0
"""Seconds that a connection may take."""
MOST_AT_ONCE = 32
"""Connections that are served at once."""

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


class TimestampServer(ThreadingMixIn, TCPServer):
    """An HTTP server in front of an authority."""

    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def __init__(
        self,
        authority: TimestampAuthority,
        address: tuple[str, int],
        *,
        log: Callable[[str], None] = lambda _: None,
        longest: float = LONGEST,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        """Listen on ``address``; port 0 takes a free one (``server_address`` says which).

        Raises:
            ConfigurationError: The address is not one of this machine, or is in use.
        """
        self.authority = authority
        self.signing = threading.Lock()
        self.log = log
        self.longest = longest
        self._places = threading.BoundedSemaphore(most_at_once)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, _Handler)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"cannot listen on {address[0]}:{address[1]}: {reason or error}",
                hint="Name another address with --listen.",
            ) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless too many are at work."""
        if not self._places.acquire(blocking=False):
            self._turn_away(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, for no longer than is allowed."""
        watch = threading.Timer(self.longest, _cut, [request])
        watch.daemon = True
        watch.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            watch.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a connection broke; others go on."""
        del request
        self.log(f"connection from {client_address[0]} broke")

    def stop(self) -> None:
        """End after what is being answered; for another thread than the serving one."""
        self.shutdown()

    def _turn_away(self, request: Any) -> None:
        try:
            request.settimeout(1)
            request.sendall(
                b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
            )
        except OSError:
            self.log("a connection broke while too many were served")
        self.shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: TimestampServer
    server_version = "haidang-tsa"
    sys_version = ""
    protocol_version = "HTTP/1.0"
    timeout: ClassVar[float] = LONGEST

    def do_POST(self) -> None:
        """Answer a query."""
        if self.headers.get_content_type() != _QUERY:
            self._plain(415, f"send {_QUERY}")
            return
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            self._plain(411, "send Content-Length")
            return
        if not 0 < length <= LARGEST_REQUEST:
            self._plain(413, f"send at most {LARGEST_REQUEST} bytes")
            return
        request = self.rfile.read(length)
        if len(request) < length:
            return
        with self.server.signing:
            answer = self.server.authority.answer(request)
        self.send_response(200)
        self.send_header("Content-Type", _REPLY)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        """Say what this is."""
        self._plain(405, "a time stamping authority (RFC 3161): POST a query")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name in the base class
        """Log one line; what the client sent is made printable."""
        line = (format % args).encode("ascii", "backslashreplace").decode()
        self.server.log(f"{self.client_address[0]} {line.encode('unicode_escape').decode()}")

    def _plain(self, status: int, text: str) -> None:
        body = text.encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if status == 405:
            self.send_header("Allow", "POST")
        self.end_headers()
        self.wfile.write(body)


def _cut(request: Any) -> None:
    """Have whoever waits for this connection find its end."""
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
