"""Webhooks, signed as Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com).

The headers are ``webhook-id``, ``webhook-timestamp`` (seconds since 1970) and ``webhook-signature``: ``v1,``
and the Base64 of HMAC-SHA256, by the secret's bytes, over ``ID.TIMESTAMP.BODY``. A receiver refuses a
timestamp far from its own clock, and an id that it has seen.

The receiver is not trusted: its answer is not read beyond its status, redirects are not followed, and it has
ten seconds.
"""

from __future__ import annotations

import hmac
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from haidang._version import __version__

__all__ = ["DeliveryError", "post", "signature"]

_SECONDS = 10.0
_PREFIX = "whsec_"


class DeliveryError(Exception):
    """It was not taken; the text says why, and holds no secret."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def signature(secret: str, delivery: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    key = b64decode(secret.removeprefix(_PREFIX))
    signed = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()


def post(url: str, secret: str, delivery: str, timestamp: int, body: bytes) -> None:
    """Send a message.

    Raises:
        DeliveryError: It was not taken with a status of 200 to 299.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise DeliveryError("The address is no http or https URL.")
    try:
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
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=_SECONDS):
            pass  # Any status that is no error of HTTP is from 200 to 299 here.
    except urllib.error.HTTPError as error:
        error.close()
        raise DeliveryError(f"The receiver answered {error.code}.") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DeliveryError(f"{type(error).__name__}: {reason}") from None
