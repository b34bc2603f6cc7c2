"""Sign-in at a real OpenID Connect provider, and at one that does not keep to the rules."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from haidang.console.audit.models import Entry
from haidang.console.environment import Environment
from haidang.console.people.models import User
from haidang.errors import ConfigurationError
from tests.console.identity import Provider, running_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib")  # The provider's, not ours.

START = "/account/oidc/oidc/login/"
NAMED = {"preferred_username": "an", "email": "an@province.example", "email_verified": True}


@pytest.fixture
def analyst(db: None) -> User:
    """Somebody without a password here."""
    return User.objects.create(username="an", role="analyst")


@pytest.fixture(scope="module")
def started() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(started: Provider, settings: SettingsWrapper) -> Iterator[Provider]:
    use(settings, started)
    started.knows("1001", **NAMED)
    yield started
    started.spoil.clear()


def use(settings: SettingsWrapper, provider: Provider, **more: str) -> None:
    told = {
        "HAIDANG_OIDC_URL": provider.address,
        "HAIDANG_OIDC_CLIENT": "haidang",
        "HAIDANG_OIDC_SECRET": "only we two know",
        "HAIDANG_OIDC_NAME": "Tỉnh",
    }
    described = Environment(told | more).identity_provider()
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {**settings.SOCIALACCOUNT_PROVIDERS["openid_connect"], "APPS": [described]}
    }


def sign_in(client: Client, provider: Provider, subject: str = "1001", start: str = START) -> Any:
    sent = client.get(start)
    assert sent.status_code == 302, sent.content.decode()
    back = urlsplit(provider.confirm(sent.headers["Location"], subject))
    return client.get(f"{back.path}?{back.query}")


def who(client: Client) -> str:
    user = client.get("/account/2fa/").context
    return str(user["user"].username) if user else ""


def said(answer: HttpResponse) -> str:
    return answer.content.decode()


def test_somebody_signs_in_with_pkce_and_nonce_and_lands_where_they_were_going(
    provider: Provider, analyst: User
) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    page = said(client.get("/account/login/?next=/alerts/"))
    assert "Tỉnh" in page
    assert f"{START}?" in page
    assert sign_in(client, provider, start=f"{START}?next=/alerts/").headers["Location"] == "/alerts/"
    assert who(client) == "an"
    asked = provider.asked[-1]
    assert (asked["code_challenge_method"], asked["client_id"]) == ("S256", "haidang")
    assert asked["redirect_uri"] == f"http://testserver{START}callback/"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["nonce"]) == 64
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    entries = Entry.objects.order_by("number").values_list("actor", "address", "action", "object_id")
    assert list(entries) == [
        ("an", "192.0.2.7", "user.identity-add", str(analyst.pk)),
        ("an", "192.0.2.7", "session.start", str(analyst.pk)),
    ]
    client.post("/account/logout/")
    assert client.get("/alerts/").status_code == 302
    # The second time the subject counts, not the name.
    provider.knows("1001", preferred_username="an-moi")
    sign_in(client, provider)
    assert who(client) == "an"
    assert Entry.objects.filter(action="user.identity-add").count() == 1


def test_who_has_no_account_gets_none_and_is_told_so(provider: Provider, analyst: User) -> None:
    provider.knows("1002", preferred_username="la")
    client = Client(headers={"accept-language": "en"})
    answer = sign_in(client, provider, "1002")
    assert answer.status_code == 403
    assert "Tỉnh knows you as la. Nobody of that name has an account here." in said(answer)
    assert client.get("/alerts/").status_code == 302
    assert User.objects.count() == 1
    refused = Entry.objects.get()
    assert (refused.actor, refused.action) == ("anonymous", "session.refused")
    assert refused.after == {"identity": "la", "reason": "unknown"}


def test_a_name_that_the_provider_gives_anew_is_not_the_person_of_before(
    provider: Provider, analyst: User
) -> None:
    sign_in(Client(), provider)
    provider.knows("1003", **NAMED)
    answer = sign_in(Client(headers={"accept-language": "en"}), provider, "1003")
    assert answer.status_code == 403
    assert "already connected with somebody else" in said(answer)
    first = SocialAccount.objects.get()
    # An administrator who knows of the change takes the old connection away.
    administrator = Client()
    administrator.force_login(User.objects.create(username="quan-tri", role="administrator"))
    assert f"/people/{analyst.pk}/disconnect-identity/" in said(administrator.get(f"/people/{analyst.pk}/"))
    assert administrator.post(f"/api/v1/people/{analyst.pk}/disconnect-identity").json() == {"count": 1}
    removed = Entry.objects.get(action="user.identity-remove")
    assert removed.before == {"identities": [first.uid]}
    assert sign_in(Client(), provider, "1003").status_code == 302


@pytest.mark.parametrize("known", [True, False])
def test_an_account_out_of_use_stays_out_of_use(provider: Provider, analyst: User, *, known: bool) -> None:
    if known:
        sign_in(Client(), provider)
    User.objects.update(is_active=False)
    client = Client()
    assert sign_in(client, provider).status_code == 403
    assert client.get("/alerts/").status_code == 302


def test_an_account_is_found_by_a_proven_mail_address_where_the_settings_say_so(
    provider: Provider, settings: SettingsWrapper, analyst: User
) -> None:
    use(settings, provider, HAIDANG_OIDC_CLAIM="email")
    User.objects.filter(pk=analyst.pk).update(email="An@Province.example")
    provider.knows("1001", **{**NAMED, "email_verified": False})
    assert sign_in(Client(), provider).status_code == 403
    provider.knows("1001", **NAMED)
    other = User.objects.create_user("khac", email="an@province.example")
    assert sign_in(Client(), provider).status_code == 403
    other.delete()
    client = Client()
    sign_in(client, provider)
    assert who(client) == "an"


def test_the_second_factor_of_the_account_is_asked_for_all_the_same(
    provider: Provider, analyst: User
) -> None:
    TOTP.activate(analyst, generate_totp_secret())
    code = RecoveryCodes.activate(analyst).get_unused_codes()[0]
    client = Client()
    assert sign_in(client, provider).headers["Location"] == "/account/2fa/authenticate/"
    assert client.get("/alerts/").status_code == 302
    client.post("/account/2fa/authenticate/", {"code": code})
    assert who(client) == "an"


def test_a_password_that_somebody_else_has_seen_stands_in_nobodys_way_who_does_not_use_it(
    provider: Provider, analyst: User
) -> None:
    analyst.set_password("mot mat khau dai")
    analyst.password_given = True
    analyst.save()
    client = Client()
    sign_in(client, provider)
    assert client.get("/alerts/").status_code == 200
    by_password = Client()
    by_password.post("/account/login/", {"login": "an", "password": "mot mat khau dai"})
    assert by_password.get("/alerts/").headers["Location"] == "/account/password/change/"


def test_nobody_s_account_is_connected_from_within(provider: Provider, analyst: User) -> None:
    client = Client()
    client.force_login(analyst)
    provider.knows("1004", preferred_username="ke-xau")
    answer = sign_in(client, provider, "1004", f"{START}?process=connect")
    assert answer.status_code == 403
    assert not SocialAccount.objects.exists()


SPOILT: dict[str, dict[str, object]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "for another service": {"aud": "elsewhere"},
    "handed on by another service": {"azp": "elsewhere"},
    "of another request": {"nonce": "0" * 64},
    "of no request": {"nonce": None},
    "no longer": {"exp": int(time.time()) - 300},
    "not yet": {"iat": int(time.time()) + 3600},
    "without end": {"exp": None},
    "of nobody": {"sub": None},
}


@pytest.mark.parametrize("claims", SPOILT.values(), ids=SPOILT)
def test_an_id_token_that_does_not_hold_signs_nobody_in(
    provider: Provider, analyst: User, claims: dict[str, object]
) -> None:
    provider.forge(**claims)
    refused(provider)


def test_a_token_signed_anew_with_the_same_claims_holds(provider: Provider, analyst: User) -> None:
    provider.forge()
    client = Client()
    sign_in(client, provider)
    assert who(client) == "an"


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def resigned(token: str) -> str:
    head, body, signature = token.split(".")
    return ".".join([head, body, signature[:-20] + signature[-20:].swapcase()])


def by_the_public_key(token: str) -> str:
    import hmac

    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    body = token.split(".")[1]
    digest = hmac.digest(b"public", f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}." + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.mark.parametrize("spoil", [unsigned, resigned, by_the_public_key, lambda _: "", lambda _: "a.b.c"])
def test_a_signature_that_does_not_hold_signs_nobody_in(
    provider: Provider, analyst: User, spoil: Any
) -> None:
    provider.spoil["/oauth2/token"] = lambda told: {**told, "id_token": spoil(told["id_token"])}
    refused(provider)


PAGES: dict[str, tuple[str, Any]] = {
    "no token at all": ("/oauth2/token", lambda told: {}),
    "no object": ("/oauth2/token", lambda told: []),
    "no keys": ("/jwks", lambda told: {}),
    "keys that are none": ("/jwks", lambda told: {"keys": [{"kty": "?"}]}),
    "tells of another person": ("/userinfo", lambda told: {**told, "sub": "1"}),
    "tells of nobody": ("/userinfo", lambda told: []),
}


@pytest.mark.parametrize(("path", "spoil"), PAGES.values(), ids=PAGES)
def test_an_answer_of_the_wrong_shape_signs_nobody_in(
    provider: Provider, analyst: User, path: str, spoil: Any
) -> None:
    provider.spoil[path] = spoil
    refused(provider)


def refused(provider: Provider) -> None:
    client = Client(headers={"accept-language": "en"})
    answer = sign_in(client, provider)
    assert answer.status_code == 401
    assert "The identity provider could not sign you in" in said(answer)
    assert client.get("/alerts/").status_code == 302
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "spoil", [lambda told: {**told, "issuer": "https://elsewhere.example"}, lambda told: {}, lambda told: []]
)
def test_a_provider_that_is_another_or_none_is_not_gone_to(provider: Provider, db: None, spoil: Any) -> None:
    provider.spoil["/.well-known/openid-configuration"] = spoil
    assert Client().get(START).status_code == 401


def test_a_provider_that_is_away_is_said_to_be(
    provider: Provider, settings: SettingsWrapper, db: None
) -> None:
    use(settings, provider, HAIDANG_OIDC_URL="http://127.0.0.1:9")
    assert Client().get(START).status_code == 401


def test_an_answer_counts_in_the_browser_that_asked_and_once(provider: Provider, analyst: User) -> None:
    client = Client()
    back = urlsplit(provider.confirm(client.get(START).headers["Location"], "1001"))
    assert Client().get(f"{back.path}?{back.query}").status_code == 401
    assert client.get(f"{back.path}?{back.query}").status_code == 302
    assert client.get(f"{back.path}?{back.query}").status_code == 401
    # A code of somebody else's request does not go with the verifier of this one.
    one, other = Client(), Client()
    states = [parse_qs(urlsplit(c.get(START).headers["Location"]).query)["state"][0] for c in (one, other)]
    code = parse_qs(urlsplit(provider.confirm(client.get(START).headers["Location"], "1001")).query)["code"][
        0
    ]
    assert one.get(f"{START}callback/?code={code}&state={states[0]}").status_code == 401
    assert not one.get("/account/2fa/").context


def test_who_changes_their_mind_is_back_at_the_sign_in(provider: Provider, analyst: User) -> None:
    client = Client(headers={"accept-language": "en"})
    state = parse_qs(urlsplit(client.get(START).headers["Location"]).query)["state"][0]
    answer = client.get(f"{START}callback/?error=access_denied&state={state}", follow=True)
    assert answer.status_code == 200
    assert "You broke off the sign-in" in said(answer)


def test_without_a_provider_there_is_no_such_page(client: Client, db: None) -> None:
    assert client.get(START).status_code == 404
    assert client.get(f"{START}callback/").status_code == 404
    assert "oidc" not in said(client.get("/account/login/"))


@pytest.mark.parametrize(
    "told",
    [
        {"HAIDANG_OIDC_URL": "http://sso.example", "HAIDANG_OIDC_CLIENT": "haidang"},
        {"HAIDANG_OIDC_URL": "sso.example", "HAIDANG_OIDC_CLIENT": "haidang"},
        {"HAIDANG_OIDC_URL": "https://sso.example"},
    ],
)
def test_a_provider_without_tls_or_client_is_refused_by_name(told: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="HAIDANG_OIDC_"):
        Environment(told).identity_provider()
