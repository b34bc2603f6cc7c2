"""OCSP over HTTP (RFC 6960, appendix A): GET and POST on one address, with bounded requests.

Made for a loopback address behind whatever faces the network. A peer that is slow or sends too much is cut
off. Nothing is logged.
"""

from __future__ import annotations

import base64
import binascii
import http.server
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from haidang.crypto.pki.responder import LARGEST_REQUEST
from haidang.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OcspServer"]

_TYPE = "application/ocsp-response"
_SLOWEST = 10.0  # seconds that one request may take
_MOST_AT_ONCE = 64


class OcspServer(http.server.ThreadingHTTPServer):
    """Answers until it is shut down."""

    daemon_threads = True
    request_queue_size = _MOST_AT_ONCE

    def __init__(self, host: str, port: int, respond: Callable[[bytes], bytes]) -> None:
        """Listen on ``host`` and ``port`` (0: any); ``respond`` turns a request into a response, both DER.

        Raises:
            OutputError: The address cannot be used.
        """
        self.respond = respond
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise OutputError(
                f"{host}:{port} cannot be listened on: {error.strerror or error}", hint="Choose another port."
            ) from error

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a peer that goes away is no event."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: OcspServer
    timeout = _SLOWEST
    protocol_version = "HTTP/1.1"
    server_version = "haidang"
    sys_version = ""

    def do_GET(self) -> None:
        # The base64 of a request may itself hold slashes: all of the path is the request.
        text = self.path.removeprefix("/") if len(self.path) <= 2 * LARGEST_REQUEST else ""
        try:
            request = base64.b64decode(unquote_to_bytes(text), validate=True)
        except (binascii.Error, ValueError):
            self._refuse(400)
            return
        self._answer(request)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or self.headers.get("Transfer-Encoding"):
            self._refuse(411)
        elif len(length) > 7 or int(length) > LARGEST_REQUEST:
            self._refuse(413)
        elif self.headers.get_content_type() != "application/ocsp-request":
            self._refuse(415)
        else:
            self._answer(self.rfile.read(int(length)))

    def _answer(self, request: bytes) -> None:
        if not request:
            self._refuse(400)
            return
        response = self.server.respond(request)
        self.send_response(200)
        self.send_header("Content-Type", _TYPE)
        self.send_header("Content-Length", str(len(response)))
        self.send_header("Cache-Control", "max-age=60, public, no-transform")
        self.end_headers()
        self.wfile.write(response)

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Write nothing to standard error for each request."""
