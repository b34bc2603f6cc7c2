"""Fetching over HTTP, for feeds: small, bounded, and careful with secrets.

- Only ``http`` and ``https``; credentials go over TLS, or to this very machine, and nowhere else: a redirect
  to another host does not carry them.
- An answer is bounded in bytes (``intel_file_bytes``) and in time: ``intel_seconds`` for each step of it,
  twenty times that for all.
- Whatever goes wrong is an ``InputError`` that says what and where, and never shows a secret.

The server is not trusted.
"""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from haidang._version import __version__
from haidang.errors import ConfigurationError, InputError
from haidang.intel.unpacking import ungzipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from haidang.intel.store import Source
    from haidang.limits import Limits

__all__ = ["AbsentError", "Answer", "Fetcher", "fetcher_for", "is_url"]

_STEP = 1 << 16
_STEPS_IN_ALL = 20
_TRIES = 3
_LONGEST_WAIT = 10


_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


class AbsentError(InputError):
    """There is nothing at a place: the server, or the disk, is well and says so."""


class Answer(NamedTuple):
    """What a server answered."""

    data: bytes
    headers: Mapping[str, str]
    """By lower-cased name."""


def is_url(location: str) -> bool:
    """Return whether a location is a URL that can be fetched."""
    return location.lower().startswith(("http://", "https://"))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to where the rules allow, leaving credentials behind when the host changes."""

    def __init__(self, header: str) -> None:
        """Keep the name of the header that holds the credentials."""
        self._header = header

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not is_url(newurl) or (req.full_url.startswith("https:") and not newurl.startswith("https:")):
            raise InputError(f"{req.full_url}: redirected to {newurl}, which is not followed")
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            made.headers = {name: value for name, value in made.headers.items() if name != self._header}
            made.unredirected_hdrs = {}
        return made


class Fetcher:
    """Gets what is at URLs, with the credentials of one source."""

    def __init__(
        self,
        limits: Limits,
        *,
        user: str = "",
        password: str = "",
        token: str = "",
        header: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use basic credentials, or a token, or none; a ``header`` that is named holds the token as it is."""
        self._limits = limits
        self._sleep = sleep
        self._header = header.capitalize() or "Authorization"
        self._opener = urllib.request.build_opener(_Redirects(self._header))
        self._credentials = ""
        if token:
            self._credentials = token if " " in token or header else f"Bearer {token}"
        elif user:
            self._credentials = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def get(self, url: str, accept: str = "*/*") -> Answer:
        """Return what a server answers.

        Raises:
            InputError: It cannot be reached, refuses, is too slow, or answers too much.
        """
        self._check(url)
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": f"haidang/{__version__}"}
        if self._credentials:
            headers[self._header] = self._credentials
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - checked above
        for attempt in range(1, _TRIES + 1):
            try:
                with self._opener.open(request, timeout=self._limits.intel_seconds) as response:
                    found = {name.lower(): value for name, value in response.headers.items()}
                    data = self._read(response, url)
                    if found.get("content-encoding", "").strip().lower() in {"gzip", "x-gzip"}:
                        data = ungzipped(data, self._limits, url)
                    return Answer(data, found)
            except urllib.error.HTTPError as error:
                with error:
                    wait = _wait(error)
                    if wait is None or attempt == _TRIES:
                        kind = AbsentError if error.code in {404, 410} else InputError
                        raise kind(
                            f"{url}: the server answers {error.code} {_first_line(error.reason)}",
                            hint=_HINTS.get(error.code, "") or _asked_to_wait(error),
                        ) from None
                self._sleep(wait)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = getattr(error, "reason", None) or error
                # Of "[Errno 111] Connection refused" people need the words.
                said = getattr(reason, "strerror", None) or reason
                if isinstance(error, http.client.IncompleteRead):
                    said = "the answer ended early"
                raise InputError(f"{url}: {said or type(error).__name__}", hint=_hint_for(reason)) from None
        raise InputError(f"{url}: no answer")

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if not is_url(url) or not parts.hostname or parts.username or parts.password:
            # Without the credentials that it may hold.
            bare = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
            raise ConfigurationError(
                f"{bare}: not a URL that can be fetched",
                hint="Use https:// or http://, and give credentials by --user and a file.",
            )
        if self._credentials and parts.scheme.lower() != "https" and not _is_here(parts.hostname):
            raise ConfigurationError(f"{url}: credentials are not sent without TLS", hint="Use https://.")

    def _read(self, response: Any, url: str) -> bytes:
        most = self._limits.intel_file_bytes
        ends = time.monotonic() + _STEPS_IN_ALL * self._limits.intel_seconds
        parts = []
        size = 0
        while part := response.read1(_STEP):
            size += len(part)
            if size > most:
                raise InputError(f"{url}: the answer is larger than {most} bytes")
            if time.monotonic() > ends:
                raise InputError(f"{url}: the answer takes too long")
            parts.append(part)
        if response.length:
            raise InputError(f"{url}: the answer ended {response.length} bytes early")
        return b"".join(parts)


_HINTS = {
    401: "Give the credentials: --user with --password-file, or --token-file.",
    403: "These credentials may not read this.",
    404: "Is the address right? A TAXII collection ends in /collections/ID/.",
}


def _first_line(reason: object) -> str:
    """Return what a server, or the library, says in one line: of a circle of redirects it says three."""
    return str(reason).partition("\n")[0].rstrip(". ")


def _asked_to_wait(error: urllib.error.HTTPError) -> str:
    after = error.headers.get("Retry-After", "") if error.headers else ""
    if error.code not in {429, 503} or not after:
        return ""
    after = after[:40]
    return f"It asks to wait {after} seconds." if after.isdigit() else f"It asks to wait until {after}."


def _hint_for(reason: object) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "If an authority of your own made its certificate: SSL_CERT_FILE=authority.pem haidang intel …"
    return ""


def _wait(error: urllib.error.HTTPError) -> float | None:
    """Return how long to wait before trying again, None for an answer that will not change."""
    if error.code not in {429, 503}:
        return None
    after = error.headers.get("Retry-After", "1") if error.headers else "1"
    wait = int(after) if after.isascii() and after.isdigit() and len(after) < 6 else 1
    return wait if wait <= _LONGEST_WAIT else None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def fetcher_for(source: Source, limits: Limits) -> Fetcher:
    """Return what fetches for a source, its secrets read from the files that it names.

    Raises:
        ConfigurationError: Such a file cannot be read.
    """
    if source.token_header and not _HEADER.fullmatch(source.token_header):
        raise ConfigurationError(f"--token-header: {source.token_header!r} is no name of a header")
    return Fetcher(
        limits,
        user=source.user,
        password=_secret(source.password_file),
        token=_secret(source.token_file),
        header=source.token_header,
    )


def _secret(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
