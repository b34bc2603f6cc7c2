"""Asks time stamping authorities for timestamps over HTTP or HTTPS, in order; believes no answer unchecked.

Rules:

- An authority that cannot be reached, takes too long, refuses, or whose answer is not one to what was asked
  (nonce, digest, signature, time) is passed over for the next. When all fail, the error says why each did.
- Its time may differ from this machine's by a bound that the settings name. Where trust is handed in, its
  certificate must be believed, too: a timestamp that nobody can verify is worth nothing.
- Answers are not trusted: they are bounded in size, and in the time that they take as a whole. Redirections
  are not followed. A proxy is used where the environment names one, as every program does.
- One that failed is asked last from then on, so that many files do not wait for it again and again.

Example::

    stamper = timestamper_for(settings.authorities, settings, clock=lambda: dt.datetime.now(dt.UTC))
    sign_file(source, target, signatory, now=now, timestamper=stamper)
"""

from __future__ import annotations

import hmac
import secrets
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra
from haidang.crypto.lean import lean_pyhanko
from haidang.crypto.verifying.chains import chains_for
from haidang.crypto.verifying.signer_infos import PARSER_ERRORS
from haidang.crypto.verifying.timestamps import verify_token
from haidang.errors import ConfigurationError, SigningError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from haidang.crypto.settings import Timestamps
    from haidang.crypto.trust import Trust

__all__ = ["LARGEST_ANSWER", "TimestampClient", "timestamper_for"]

LARGEST_ANSWER = 256 << 10
"""Bytes; an answer has a token with its certificates."""

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_GRANTED = {"granted", "granted_with_mods"}
# What says that the authority is not known here, not that its token is wrong.
_UNKNOWN = {"issuer-unknown", "certificate-self-signed", "revocation-unknown", "chain-broken"}


class _FailureError(Exception):
    """Why one authority gave no timestamp."""

    def __init__(self, template: str, **values: object) -> None:
        self.said = Message(template, **values)
        super().__init__(str(self.said))


class TimestampClient:
    """Asks authorities one after the other."""

    def __init__(
        self,
        urls: Sequence[str],
        settings: Timestamps,
        *,
        clock: Callable[[], dt.datetime],
        trust: Trust | None = None,
        fetch: Callable[[str, bytes, float], bytes] | None = None,
    ) -> None:
        """Ask ``urls``, in this order.

        Args:
            urls: HTTP or HTTPS.
            settings: how long each may take, and how much clocks may differ.
            clock: tells this machine's time, aware, UTC.
            trust: what the authorities' certificates are judged by; None judges none.
            fetch: sends a request (URL, body, seconds) and returns the answer's body; HTTP without it.

        Raises:
            ConfigurationError: There is no URL, or one is not HTTP or HTTPS.
        """
        for url in urls:
            if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
                raise ConfigurationError(
                    f"{url} is not the address of a time stamping authority",
                    hint="Name an address that begins with http:// or https://.",
                )
        if not urls:
            raise ConfigurationError(
                "no time stamping authority is named",
                hint="Use --tsa URL, or [timestamps] authorities in settings.toml.",
            )
        self._urls = list(urls)
        self._settings = settings
        self._clock = clock
        self._trust = trust
        self._fetch = fetch or _fetch

    def timestamp(self, digest: bytes, algorithm: str) -> bytes:
        """Return a token (DER ContentInfo) over what has ``digest``.

        Raises:
            SigningError: No authority gave one; the error says why each did not.
        """
        return self._first(digest, algorithm)[0]

    def response(self, digest: bytes, algorithm: str) -> bytes:
        """Return the whole answer (DER TimeStampResp) with the token; see :meth:`timestamp`.

        Raises:
            SigningError: No authority gave one.
        """
        return self._first(digest, algorithm)[1]

    def _first(self, digest: bytes, algorithm: str) -> tuple[bytes, bytes]:
        failures: list[Message] = []
        for url in list(self._urls):
            try:
                return self._ask(url, digest, algorithm)
            except _FailureError as failure:
                failures.append(Message("{url}: {reason}", url=url, reason=failure.said))
                self._urls.remove(url)
                self._urls.append(url)
        joined = failures[0]
        for one in failures[1:]:
            joined = Message("{first}; {second}", first=joined, second=one)
        raise SigningError(
            N_("No time stamping authority gave a timestamp: {failures}"),
            hint=N_("Check the network and [timestamps] in the settings, or sign without a timestamp."),
            failures=joined,
        )

    def _ask(self, url: str, digest: bytes, algorithm: str) -> tuple[bytes, bytes]:
        with needs_extra():
            from asn1crypto import tsp
        # As many octets always, and never negative.
        nonce = 1 << 63 | secrets.randbits(63)
        request = tsp.TimeStampReq(
            {
                "version": 1,
                "message_imprint": {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": digest},
                "nonce": nonce,
                "cert_req": True,
            }
        ).dump()
        answer = self._fetch(url, request, self._settings.timeout)
        return self._checked(answer, digest, algorithm, nonce), answer

    def _checked(self, answer: bytes, digest: bytes, algorithm: str, nonce: int) -> bytes:
        """Return the token of an answer, which is one to what was asked."""
        from asn1crypto import cms, core, tsp

        try:
            parts = core.SequenceOf.load(answer, strict=True, spec=core.Any)
            status = tsp.PKIStatusInfo.load(parts[0].dump())
            if status["status"].native not in _GRANTED:
                raise _refused(status)
            token: bytes = parts[1].dump()
            content = cms.ContentInfo.load(token, strict=True)["content"]["encap_content_info"]["content"]
            info = tsp.TSTInfo.load(bytes(content), strict=True)
            returned, at = info["nonce"].native, info["gen_time"].native
        except PARSER_ERRORS as error:
            raise _FailureError(N_("its answer is no timestamp")) from error
        if returned != nonce:
            raise _FailureError(N_("its answer is to another request (the nonce differs)"))
        self._check_time(at)
        self._check_token(token, digest, algorithm, at)
        return token

    def _check_time(self, at: dt.datetime) -> None:
        away = abs((at - self._clock()).total_seconds())
        if away > self._settings.clock_skew:
            raise _FailureError(
                N_("its clock and the clock of this machine are {seconds} seconds apart"), seconds=round(away)
            )

    def _check_token(self, token: bytes, digest: bytes, algorithm: str, at: dt.datetime) -> None:
        from haidang.crypto.trust import Trust

        def imprint(name: str) -> bytes:
            return digest if hmac.compare_digest(name, algorithm) else b""

        now = max(self._clock(), at)
        verdict = verify_token(token, imprint, chains_for(self._trust or Trust()), now=now)
        codes = {reason.code for reason in verdict.reasons}
        if not verdict.holds and not (self._trust is None and codes <= _UNKNOWN):
            raise _FailureError(N_("its timestamp is not believed: {why}"), why=verdict.reasons[0].message)


def timestamper_for(
    urls: Sequence[str],
    settings: Timestamps,
    *,
    clock: Callable[[], dt.datetime],
    trust: Trust | None = None,
    fetch: Callable[[str, bytes, float], bytes] | None = None,
) -> Any:
    """Return a pyHanko ``TimeStamper`` that asks ``urls``; see :class:`TimestampClient`.

    It raises our own ``SigningError``, which passes through pyHanko.

    Raises:
        ConfigurationError: There is no URL, or one is not HTTP or HTTPS.
    """
    client = TimestampClient(urls, settings, clock=clock, trust=trust, fetch=fetch)
    lean_pyhanko()
    from asn1crypto import cms
    from pyhanko.sign.timestamps.api import TimeStamper

    class HttpTimeStamper(TimeStamper):
        async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
            return cms.ContentInfo.load(client.timestamp(message_digest, md_algorithm))

    return HttpTimeStamper()  # type: ignore[no-untyped-call]


def _refused(status: Any) -> _FailureError:
    said = "; ".join(status["status_string"].native or ())
    why = ", ".join(sorted(status["fail_info"].native or ()))
    return _FailureError(N_("it refused: {reason}"), reason=said or why or status["status"].native)


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **options: Any) -> None:
        """Follow none: an authority is where the settings say."""


def _fetch(url: str, body: bytes, seconds: float) -> bytes:
    """Return the body of the answer to a POST, in ``seconds`` as a whole."""
    found: list[bytes | _FailureError] = []
    asking = threading.Thread(target=lambda: found.append(_post(url, body, seconds)), daemon=True)
    asking.start()
    asking.join(seconds)
    if not found:
        raise _FailureError(N_("it did not answer within {seconds} seconds"), seconds=f"{seconds:g}")
    if isinstance(found[0], _FailureError):
        raise found[0]
    return found[0]


def _post(url: str, body: bytes, seconds: float) -> bytes | _FailureError:
    import http.client

    request = urllib.request.Request(url, body, {"Content-Type": _QUERY, "Accept": _REPLY}, method="POST")  # noqa: S310 -- HTTP or HTTPS, as was checked
    opener = urllib.request.build_opener(_NoRedirection)
    try:
        with opener.open(request, timeout=seconds) as answer:
            content: bytes = answer.read(LARGEST_ANSWER + 1)
    except urllib.error.HTTPError as error:
        error.close()
        return _FailureError(N_("it answered with the HTTP status {status}"), status=error.code)
    except TimeoutError:
        return _FailureError(N_("it did not answer within {seconds} seconds"), seconds=f"{seconds:g}")
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            return _FailureError(N_("it did not answer within {seconds} seconds"), seconds=f"{seconds:g}")
        return _FailureError(N_("it cannot be reached ({reason})"), reason=error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _FailureError(N_("it cannot be reached ({reason})"), reason=error)
    if len(content) > LARGEST_ANSWER:
        return _FailureError(N_("its answer is larger than {n} bytes"), n=LARGEST_ANSWER)
    return content
