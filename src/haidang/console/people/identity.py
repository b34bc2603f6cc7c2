"""Sign-in at an identity provider (OpenID Connect): what allauth does, and every check that the standard asks for.

- The provider is who the settings name: what it publishes of itself says the same address.
- The request carries PKCE and a nonce, and both come back: nobody slips in the answer to another request.
- The ID token is signed by the provider's key, for this service, and holds now. allauth trusts the connection
  that it came over instead.
- What the provider tells besides (userinfo) is about the same person.

The provider's answers are not trusted until they are checked; whatever is wrong with them is one page that says
so, and a line in the service's log that says what.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import jwt
import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView, OAuth2View
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import Http404
from django.urls import reverse

from haidang.console.people.access import ANYONE, allowed

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

__all__ = ["IdentityAdapter", "IdentityProvider", "sign_in", "signed_in"]

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that the provider alone has."""
_LEEWAY = 60
"""Seconds by which two clocks may differ."""
_WELL_KNOWN = "/.well-known/"
_MISSHAPEN = (AttributeError, LookupError, TypeError, ValueError)
"""What taking an answer apart fails with that is not of the shape that it should be."""


class IdentityAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Asks the provider."""

    _nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider publishes of itself.

        Raises:
            OAuth2Error: It says that it is somebody else.
        """
        found: dict[str, Any] = super().openid_config
        meant = str(self.get_provider().app.settings["server_url"]).partition(_WELL_KNOWN)[0]
        if str(found["issuer"]).rstrip("/") != meant.rstrip("/"):
            raise OAuth2Error(f"the provider says that it is {found['issuer']!r}")
        return found

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Return where the provider sends people back to: what the settings say, where they say it."""
        if settings.PUBLIC_URL:
            return f"{settings.PUBLIC_URL}{reverse('openid_connect_callback', args=[self.provider_id])}"
        return str(super().get_callback_url(request, app))

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """Exchange the code for tokens."""
        self._nonce = _nonce_of(pkce_code_verifier or "")
        found: dict[str, Any] = super().get_access_token_data(request, app, client, pkce_code_verifier)
        return found

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Return who has signed in.

        Raises:
            OAuth2Error: What the provider answered does not hold.
        """
        claims = self._checked(app, kwargs["response"].get("id_token"))
        data = {"id_token": claims}
        if address := self.openid_config.get("userinfo_endpoint"):
            told = self._ask(address, headers={"Authorization": f"Bearer {token.token}"})
            if told.get("sub") != claims["sub"]:
                raise OAuth2Error("the provider tells of another person")
            data["userinfo"] = told
        return self.get_provider().sociallogin_from_response(request, data)

    def _checked(self, app: Any, token: str | None) -> dict[str, Any]:
        if not token:
            raise OAuth2Error("the provider gave no ID token")
        config = self.openid_config
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(config["jwks_uri"], jwt.get_unverified_header(token).get("kid")),
                algorithms=_ALGORITHMS,
                audience=app.client_id,
                issuer=config["issuer"],
                leeway=_LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error(f"the ID token does not hold: {error}") from error
        if claims.get("nonce") != self._nonce:
            raise OAuth2Error("the ID token answers another request")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("the ID token is for another service")
        return claims

    def _key(self, address: str, name: str | None) -> jwt.PyJWK:
        keys = [one for one in jwt.PyJWKSet.from_dict(self._ask(address)).keys if one.public_key_use != "enc"]
        found = [one for one in keys if one.key_id == name] if name else keys
        if len(found) != 1:
            raise OAuth2Error(f"the provider has {len(found)} keys of the name {name!r}")
        return found[0]

    def _ask(self, address: str, **options: Any) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(address, **options)
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
            return told


class IdentityProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The provider that the settings name."""

    package = "allauth.socialaccount.providers.openid_connect"
    pkce_enabled_default = True
    oauth2_adapter_class = IdentityAdapter

    def get_pkce_params(self) -> dict[str, str]:
        """Return what the request carries; the nonce is known again by the verifier, which the session keeps."""
        params: dict[str, str] = super().get_pkce_params()
        return {**params, "nonce": _nonce_of(params["code_verifier"])}

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Return who it is: a subject is one person's at its provider alone."""
        claims = data["id_token"]
        return hashlib.sha256(f"{claims['iss']}\0{claims['sub']}".encode()).hexdigest()


@allowed(ANYONE)
def sign_in(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to the provider."""
    return _asked(OAuth2LoginView, request, provider_id)


@allowed(ANYONE)
def signed_in(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take somebody back from the provider."""
    return _asked(OAuth2CallbackView, request, provider_id)


def _asked(view: type[OAuth2View], request: HttpRequest, provider_id: str) -> HttpResponse:
    adapter = IdentityAdapter(request, provider_id)
    try:
        answer: HttpResponse = view.adapter_view(adapter)(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (requests.RequestException, OAuth2Error, *_MISSHAPEN) as error:
        answer = render_authentication_error(request, adapter.get_provider(), exception=error)
    return answer


def _nonce_of(verifier: str) -> str:
    return hashlib.sha256(f"nonce {verifier}".encode()).hexdigest()
