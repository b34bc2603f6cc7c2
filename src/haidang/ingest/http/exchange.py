"""One request with events and its answer: who sends, the body within bounds, what went wrong.

Rules of this module:

- The token may stand where the protocols have it: ``Bearer``, ``Splunk``, ``ApiKey`` and the password of
  ``Basic``.
- A body is counted while it comes, as sent and as decompressed; past the bound of its source nothing more
  of it is kept.
- What is left of a body that is not wanted is read and thrown away, within the same bound, so that the
  sender gets to read the answer.

All input is untrusted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

from haidang.errors import HaidangError, StorageError
from haidang.events.blocks import DamagedError
from haidang.events.decompression import decompress
from haidang.ingest.model import TooMuchError, UnknownSourceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

    from haidang.ingest.intake import Intake
    from haidang.ingest.model import BrokenLines, Portion, Source

__all__ = ["ClientGoneError", "Failure", "Receive", "Request", "RequestError", "Response", "Scope", "Send"]

Scope: TypeAlias = "Mapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[dict[str, Any]]]"
Send: TypeAlias = "Callable[[dict[str, Any]], Awaitable[None]]"

THREAD_BYTES = 1 << 18
"""A body of more bytes is worked on in a thread, so that others need not wait."""
_FEED = 1 << 16
_ZLIB_CHECK = 31
_STORAGE_SECONDS = 5.0
_PARAMETERS = 100


class RequestError(HaidangError):
    """A request cannot be answered as its sender wants."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the HTTP status and one English sentence."""
        super().__init__(message)
        self.status = status


class ClientGoneError(HaidangError):
    """The sender went away before its request was complete."""


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, for each protocol to say in its own form."""

    status: int
    message: str
    retry_after: int = 0
    """Seconds, 0 where trying again is of no use."""
    unknown: bool = False
    """Whether a token was sent that nobody has."""

    @classmethod
    def of(cls, error: HaidangError) -> Failure:
        """Return how an error is answered."""
        if isinstance(error, RequestError):
            return cls(error.status, error.message)
        if isinstance(error, UnknownSourceError):
            return cls(401, error.message, unknown=True)
        if isinstance(error, TooMuchError):
            return cls(429, error.message, max(1, round(error.retry_after + 0.5)))
        if isinstance(error, StorageError):
            # Paths of this machine are nobody else's business.
            return cls(503, "events cannot be kept just now", round(_STORAGE_SECONDS))
        # Somebody can put it right, and the sender has the events until then.
        return cls(503, error.message, round(_STORAGE_SECONDS))


@dataclass(slots=True)
class Request:
    """A request as it comes in."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in small letters."""
    query_string: str
    intake: Intake
    receive: Receive
    source: Source | None = None
    _complete: bool = False
    _held: int = 0
    _read: int = 0
    _query: dict[str, list[str]] | None = field(default=None)

    @classmethod
    def of(cls, scope: Scope, receive: Receive, intake: Intake) -> Request:
        """Return the request of an ASGI scope."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        query = scope.get("query_string", b"").decode("latin-1")
        return cls(scope["method"], scope["path"], headers, query, intake, receive)

    def query(self, name: str) -> str:
        """Return a parameter of the query, "" where there is none.

        Raises:
            RequestError: The query has more parameters than anybody needs.
        """
        if self._query is None:
            try:
                self._query = parse_qs(self.query_string, keep_blank_values=True, max_num_fields=_PARAMETERS)
            except ValueError as error:
                raise RequestError(400, "the query has too many parameters") from error
        return self._query.get(name, [""])[0]

    @property
    def media_type(self) -> str:
        """The type of the body, small, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def authenticate(self) -> Source:
        """Return who sends.

        Raises:
            RequestError: No token was sent.
            UnknownSourceError: Nobody has it, or its source is switched off.
        """
        if self.source is None:
            tokens = list(_tokens(self.headers.get("authorization", "")))
            if not tokens:
                raise RequestError(401, "a token is required")
            known = [token for token in tokens if self.intake.book.by_token(token) is not None]
            self.source = self.intake.identify((known or tokens)[0])
        return self.source

    async def body(self, most: int | None = None) -> bytes:
        """Return the body, decompressed; it has ``most`` bytes at most, and as many as its source may send.

        Raises:
            RequestError: It is too large, damaged, or compressed in a way that is not known.
            TooMuchError: Its source must wait.
            ClientGoneError: The sender went away.
        """
        source = self.authenticate()
        self.intake.admit(source)
        allowed = source.body_bytes or self.intake.limits.ingest_body_bytes
        most = min(allowed, most or allowed)
        length = self.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(self.intake.limits.ingest_body_seconds):
                raw = b"".join([chunk async for chunk in self._chunks(most)])
        except TimeoutError:
            raise RequestError(408, "the body did not come in time") from None
        encoding = self.headers.get("content-encoding", "").strip().lower()
        if encoding in {"", "identity"}:
            return raw
        if len(raw) > THREAD_BYTES:
            plain = await asyncio.to_thread(self._expanded, encoding, raw, most)
        else:
            plain = self._expanded(encoding, raw, most)
        self._release(len(raw))
        return plain

    async def keep(self, portions: Sequence[Portion], broken: BrokenLines) -> None:
        """Put what the body held on disk.

        Raises:
            TooMuchError: Its source must wait.
            StorageError: It cannot be kept now.
        """
        self.finish()  # From here on the intake counts what is held.
        await asyncio.wrap_future(self.intake.submit(self.authenticate(), portions, broken))

    async def drain(self) -> None:
        """Read what is left of the body, and throw it away."""
        if self.headers.get("expect", "").lower() == "100-continue" and not self._read:
            return  # Nothing is on its way: the sender waits for an answer.
        try:
            async with asyncio.timeout(self.intake.limits.ingest_body_seconds):
                while not self._complete and self._read <= self.intake.limits.ingest_body_bytes:
                    await self._next()
        except (TimeoutError, ClientGoneError):
            return

    def finish(self) -> None:
        """Give back the memory that the body was counted for."""
        self._release(self._held)

    @property
    def complete(self) -> bool:
        """Whether the whole body was read."""
        return self._complete

    async def _chunks(self, most: int) -> AsyncIterator[bytes]:
        size = 0
        while not self._complete:
            chunk = await self._next()
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            self._hold(len(chunk))
            yield chunk

    async def _next(self) -> bytes:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            self._complete = True
            raise ClientGoneError("the sender went away")
        self._complete = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        self._read += len(chunk)
        return chunk

    def _release(self, size: int) -> None:
        self.intake.release(size)
        self._held -= size

    def _hold(self, size: int) -> None:
        try:
            self.intake.hold(size)
        except TooMuchError:
            self.intake.refuse(self.authenticate())
            raise
        self._held += size

    def _expanded(self, encoding: str, raw: bytes, most: int) -> bytes:
        parts = []
        size = 0
        try:
            for block in _decoded(encoding, raw, self.intake):
                size += len(block)
                if size > most:
                    raise _too_large(most)
                self._hold(len(block))
                parts.append(block)
        except DamagedError as error:
            raise RequestError(400, error.message) from error
        return b"".join(parts)


def _too_large(most: int) -> RequestError:
    return RequestError(413, f"the body is larger than {most} bytes")


def _decoded(encoding: str, raw: bytes, intake: Intake) -> Iterator[bytes]:
    pieces = (raw[start : start + _FEED] for start in range(0, len(raw), _FEED))
    if encoding in {"gzip", "x-gzip"}:
        return decompress("gzip", pieces, intake.limits)
    if encoding == "zstd":
        return decompress("zstd", pieces, intake.limits)
    if encoding == "deflate":
        # By the standard it is zlib's form; some send the bare stream.
        if len(raw) > 1 and raw[0] & 0x0F == zlib.DEFLATED and int.from_bytes(raw[:2]) % _ZLIB_CHECK == 0:
            return decompress("zlib", pieces, intake.limits)
        return decompress("deflate", pieces, intake.limits)
    raise RequestError(
        415, f"the content encoding {encoding[:40]!r} is not known; send gzip, zstd or deflate"
    )


def _tokens(header: str) -> Iterator[str]:
    """Yield what may be the token in an Authorization header, the likeliest first."""
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if not value:
        return
    kind = scheme.lower()
    if kind in {"basic", "apikey"}:
        try:
            plain = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            plain = ""
        if ":" in plain:
            yield plain.partition(":")[2]
    if kind in {"bearer", "splunk", "apikey"}:
        yield value
