"""A mail server and a web server that keep what they get, on this machine, for as long as a test."""

from __future__ import annotations

import socketserver
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.ingest.syslog.small_ca import Pair

__all__ = ["Mails", "Posts", "mail_server", "slow_server", "web_server"]


class Mails:
    """What a mail server got."""

    def __init__(self) -> None:
        self.port = 0
        self.texts: list[bytes] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.refusing = False
        self.unknown: set[str] = set()


class Post(NamedTuple):
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Posts:
    """What a web server got, and what it answers."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[Post] = []
        self.status = 200
        self.location = ""


@contextmanager
def mail_server() -> Iterator[Mails]:
    """Give a server that speaks as much of RFC 5321 as a sender needs."""
    mails = Mails()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            mails.connections += 1
            self.say("220 here")
            while line := self.rfile.readline():
                verb = line[:4].upper().strip()
                if verb == b"RCPT":
                    address = line.decode().split("<")[1].split(">")[0]
                    if address in mails.unknown:
                        self.say("550 no such user")
                        continue
                    mails.recipients.append(address)
                if verb == b"DATA" and not mails.refusing:
                    self.say("354 go on")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    mails.texts.append(text.replace(b"\r\n", b"\n"))
                if verb == b"QUIT":
                    self.say("221 bye")
                    return
                self.say("451 not now" if verb == b"DATA" and mails.refusing else "250 well")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        mails.port = port
        yield mails


@contextmanager
def web_server(pair: Pair | None = None) -> Iterator[Posts]:
    """Give a server that takes any POST, over TLS where it has a certificate."""
    posts = Posts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.got.append(
                Post(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            self.send_response(posts.status)
            if posts.location:
                self.send_header("Location", posts.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # Clients that do not trust the certificate go away.

    server = Server(("127.0.0.1", 0), Handler)
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server) as port:
        posts.url = f"{'http' if pair is None else 'https'}://127.0.0.1:{port}/hook"
        yield posts


@contextmanager
def slow_server(*, busy: bool) -> Iterator[str]:
    """Give a server that never answers to the end: silent, or ``busy`` with one header after the other."""
    ending = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                self.request.sendall(b"HTTP/1.1 200 OK\r\n" if busy else b"")
                while not ending.wait(0.05):
                    self.request.sendall(b"a: b\r\n" if busy else b"")
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler)) as port:
        try:
            yield f"http://127.0.0.1:{port}/hook"
        finally:
            ending.set()


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
