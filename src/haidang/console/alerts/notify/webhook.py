"""Webhooks, signed as Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com).

The headers are ``webhook-id``, ``webhook-timestamp`` (seconds since 1970) and ``webhook-signature``: ``v1,``
and the Base64 of HMAC-SHA256, by the secret's bytes, over ``ID.TIMESTAMP.BODY``. A receiver refuses a
timestamp far from its own clock, and an id that it has seen.

The receiver is not trusted: its answer is not read beyond its status, redirects are not followed, and it has
ten seconds for all of it, be it ever so busy sending something.
"""

from __future__ import annotations

import hmac
import ssl
import threading
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection, InvalidURL
from socket import SHUT_RDWR, gaierror
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from haidang._version import __version__
from haidang.console.alerts.notify.problems import DeliveryError

if TYPE_CHECKING:
    from http.client import HTTPResponse

__all__ = ["SECONDS", "post", "signature"]

SECONDS = 10.0
"""Time that a receiver has to connect, and again to take the message and answer."""
_PREFIX = "whsec_"


def signature(secret: str, delivery: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    key = b64decode(secret.removeprefix(_PREFIX))
    signed = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()


def post(
    url: str, secret: str, delivery: str, timestamp: int, body: bytes, *, seconds: float = SECONDS
) -> None:
    """Send a message.

    Raises:
        DeliveryError: It was not taken with a status of 200 to 299.
    """
    clock = _Clock(seconds)
    try:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise DeliveryError("address")
        request = urllib.request.Request(  # noqa: S310 -- the scheme is one of two
            url,
            data=body,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "User-Agent": f"haidang/{__version__}",
                "webhook-id": delivery,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(secret, delivery, timestamp, body),
            },
        )
        opener = urllib.request.build_opener(_NoRedirects, _Plain(clock), _Secure(clock))
        with opener.open(request, timeout=seconds):
            # Any status that is no error of HTTP is from 200 to 299 here; but one that was cut off is none.
            if clock.late:
                raise DeliveryError("slow", f"{seconds:g}")
    except urllib.error.HTTPError as error:
        error.close()
        raise DeliveryError("redirected" if 300 <= error.code < 400 else "answered", error.code) from None
    except InvalidURL:
        # What is wrong with the address would repeat it, and it may hold a secret.
        raise DeliveryError("address") from None
    except (OSError, HTTPException) as error:
        raise _told(error, late=clock.late, seconds=seconds) from None
    except ValueError:
        raise DeliveryError("address") from None
    finally:
        clock.stop()


def _told(error: Exception, *, late: bool, seconds: float) -> DeliveryError:
    reason = getattr(error, "reason", error)
    if late or isinstance(reason, TimeoutError):
        return DeliveryError("slow", f"{seconds:g}")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return DeliveryError("certificate", reason.verify_message)
    if isinstance(reason, ConnectionRefusedError):
        return DeliveryError("refused")
    if isinstance(reason, gaierror):
        return DeliveryError("unknown")
    if isinstance(reason, OSError):
        return DeliveryError("unreachable", reason.strerror or type(reason).__name__)
    if isinstance(error, OSError):
        return DeliveryError("unreachable", reason)
    return DeliveryError("unreachable", type(error).__name__)


class _Clock:
    """Cuts a connection off when its time is over, whatever is being sent or read then."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self.late = False

    def watch(self, connection: HTTPConnection) -> None:
        # A second handle: what becomes of the first when TLS takes it over is nothing to the clock.
        handle = connection.sock.dup()

        def cut() -> None:
            self.late = True
            with suppress(OSError), handle:
                handle.shutdown(SHUT_RDWR)

        self.stop()
        self._timer = threading.Timer(self._seconds, cut)
        self._timer.daemon = True
        self._handle = handle
        self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._handle.close()


class _Watched(HTTPConnection):
    clock: _Clock

    def connect(self) -> None:
        super().connect()
        self.clock.watch(self)


class _WatchedTls(HTTPSConnection, _Watched):
    """Over TLS: the clock runs from before the handshake, since HTTPSConnection connects by ``super()``."""


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connection, request)

    def _connection(self, host: str, /, **values: Any) -> HTTPConnection:
        made = _Watched(host, **values)
        made.clock = self._clock
        return made


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock
        self._trust = ssl.create_default_context()

    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connection, request)

    def _connection(self, host: str, /, **values: Any) -> HTTPConnection:
        made = _WatchedTls(host, context=self._trust, **values)
        made.clock = self._clock
        return made


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None
