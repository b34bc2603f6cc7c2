"""A real OpenID Connect provider (oidc-provider-mock, on Authlib) on this machine, for sign-in through it.

It asks for no password: whoever is named in its form is signed in. Around it, and for every test:

- PKCE is demanded as RFC 7636 has it, which the provider itself passes over.
- ``spoil`` may change an answer on its way out, as a wrong or hostile provider would.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import threading
import warnings
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Provider", "running_provider"]


class Provider:
    """The provider, and what to change about it."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._challenges: dict[str, str] = {}
        self.address = ""
        self.asked: list[dict[str, str]] = []
        """Parameters of the requests for authorisation."""
        self.spoil: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        """Path to what is made of its JSON."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path == "/oauth2/authorize":
            return self._authorize(environ, start_response)
        if path == "/oauth2/token" and not self._proven(environ):
            start_response("400 Bad Request", [("Content-Type", "application/json")])
            return [b'{"error": "invalid_grant"}']
        if path not in self.spoil:
            return self._application(environ, start_response)
        said: list[Any] = []
        body = b"".join(self._application(environ, lambda *head: said.append(head)))
        spoiled = json.dumps(self.spoil[path](json.loads(body))).encode()
        headers = [(name, value) for name, value in said[0][1] if name.lower() != "content-length"]
        start_response(said[0][0], headers)
        return [spoiled]

    def _authorize(self, environ: dict[str, Any], start_response: Any) -> Any:
        asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        self.asked.append(asked)

        def remember(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            where = dict(headers).get("Location", "")
            for code in parse_qs(where.partition("?")[2]).get("code", []):
                self._challenges[code] = asked.get("code_challenge", "")
            return start_response(status, headers, *more)

        return self._application(environ, remember)

    def _proven(self, environ: dict[str, Any]) -> bool:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = parse_qs(body.decode())
        verifier, code = form.get("code_verifier", [""])[0], form.get("code", [""])[0]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return digest == self._challenges.get(code)

    def knows(self, subject: str, **claims: object) -> None:
        """Let it know somebody."""
        body = json.dumps(claims).encode()
        request = Request(f"{self.address}/users/{quote(subject)}", body, method="PUT")
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=10) as answer:
            assert answer.status == 204

    def confirm(self, address: str, subject: str, **form: str) -> str:
        """Sign somebody in at the form that ``address`` leads to; return where it sends them."""
        where = urlsplit(address)
        connection = HTTPConnection(where.netloc, timeout=10)
        with contextlib.closing(connection):
            body = urlencode({"sub": subject, **form})
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", f"{where.path}?{where.query}", body, headers)
            return str(connection.getresponse().headers["Location"])

    def forge(self, **claims: object) -> None:
        """Sign the ID token anew, with other claims (None: without it), by a key that it publishes."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": "forged", "use": "sig"}

        def signed(answer: dict[str, Any]) -> dict[str, Any]:
            told = jwt.decode(answer["id_token"], options={"verify_signature": False})
            kept = {name: value for name, value in {**told, **claims}.items() if value is not None}
            return {**answer, "id_token": jwt.encode(kept, key, "RS256", {"kid": "forged"})}

        self.spoil["/jwks"] = lambda _: {"keys": [public]}
        self.spoil["/oauth2/token"] = signed


@contextlib.contextmanager
def running_provider() -> Iterator[Provider]:
    """Run one for a while."""
    with warnings.catch_warnings():
        # Authlib says at each start that its tokens move to another package; importing it turns that on again.
        import authlib.deprecate

        assert authlib.deprecate
        warnings.simplefilter("ignore")
        import oidc_provider_mock
        from werkzeug.serving import make_server

        provider = Provider(oidc_provider_mock.app(require_nonce=True))
        # Authlib answers without TLS to this name alone.
        server = make_server("localhost", 0, provider, threaded=True)
    provider.address = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
