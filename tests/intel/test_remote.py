"""Fetching from a real server: bounds, credentials, redirects, retries."""

from __future__ import annotations

import base64
import gzip
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from haidang.errors import ConfigurationError, InputError
from haidang.intel.remote import Fetcher, fetcher_for
from haidang.intel.store import Source
from haidang.limits import DEFAULT_LIMITS
from tests.intel.serving import Asked, Reply, serving

if TYPE_CHECKING:
    from pathlib import Path


def test_gets_what_is_there_and_says_who_asks() -> None:
    with serving(lambda _: Reply(b"hello", headers=(("X-One", "1"),))) as (url, asked):
        answer = Fetcher(DEFAULT_LIMITS).get(url + "/x", "text/plain")
    assert answer.data == b"hello"
    assert answer.headers["x-one"] == "1"
    assert asked[0].headers["accept"] == "text/plain"
    assert asked[0].headers["user-agent"].startswith("haidang/")
    assert "authorization" not in asked[0].headers


def test_credentials_are_basic_or_a_token_read_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word\n")
    basic = Source("s", "", "", user="me", password_file=str(secret))
    token = Source("s", "", "", token_file=str(secret))
    with serving(lambda _: Reply()) as (url, asked):
        fetcher_for(basic, DEFAULT_LIMITS).get(url)
        fetcher_for(token, DEFAULT_LIMITS).get(url)
        Fetcher(DEFAULT_LIMITS, token="Token abc").get(url)
    expected = ["Basic " + base64.b64encode(b"me:word").decode(), "Bearer word", "Token abc"]
    assert [one.headers["authorization"] for one in asked] == expected
    with pytest.raises(ConfigurationError):
        fetcher_for(Source("s", "", "", token_file=str(tmp_path / "none")), DEFAULT_LIMITS)


def test_credentials_do_not_leave_without_tls() -> None:
    with pytest.raises(ConfigurationError, match="without TLS"):
        Fetcher(DEFAULT_LIMITS, token="t").get("http://feeds.example/x")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x.example/", "http://", "https://me:word@x.example/"]
)
def test_other_addresses_are_refused_and_no_secret_is_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Fetcher(DEFAULT_LIMITS).get(url)
    assert "word" not in caught.value.diagnostics()


def test_a_redirect_to_another_host_does_not_carry_credentials() -> None:
    with serving(lambda _: Reply(b"there")) as (other, there):

        def answer(_: Asked) -> Reply:
            return Reply(status=302, headers=(("Location", other + "/y"),))

        with serving(answer) as (url, here):
            assert Fetcher(DEFAULT_LIMITS, token="t").get(url).data == b"there"
    assert "authorization" in here[0].headers
    assert "authorization" not in there[0].headers


def test_a_redirect_to_a_file_is_not_followed() -> None:
    away = Reply(status=302, headers=(("Location", "file:///etc/passwd"),))
    with serving(lambda _: away) as (url, _), pytest.raises(InputError):
        Fetcher(DEFAULT_LIMITS).get(url)


def test_intel_file_bytes_bounds_an_answer() -> None:
    with serving(lambda _: Reply(b"x" * 100)) as (url, _):
        with pytest.raises(InputError, match="larger than 99"):
            Fetcher(replace(DEFAULT_LIMITS, intel_file_bytes=99)).get(url)
        assert len(Fetcher(replace(DEFAULT_LIMITS, intel_file_bytes=100)).get(url).data) == 100


def test_intel_seconds_bounds_a_silent_server() -> None:
    over = threading.Event()

    def answer(_: Asked) -> Reply:
        # Longer than any machine needs to notice that the time is up.
        over.wait(60)
        return Reply()

    with serving(answer) as (url, _):
        begin = time.monotonic()
        try:
            with pytest.raises(InputError, match="timed out"):
                Fetcher(replace(DEFAULT_LIMITS, intel_seconds=0.1)).get(url)
            assert time.monotonic() - begin < 30
        finally:
            over.set()


def test_an_answer_that_ends_early_is_an_error() -> None:
    with serving(lambda _: Reply(b"half", length=100)) as (url, _), pytest.raises(InputError):
        Fetcher(DEFAULT_LIMITS).get(url)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_refusal_says_its_number(status: int) -> None:
    with (
        serving(lambda _: Reply(status=status)) as (url, asked),
        pytest.raises(InputError, match=str(status)),
    ):
        Fetcher(DEFAULT_LIMITS).get(url)
    assert len(asked) == 1


def test_a_busy_server_is_asked_again_after_the_time_it_says() -> None:
    replies = [Reply(status=429, headers=(("Retry-After", "3"),)), Reply(status=503), Reply(b"ok")]
    slept: list[float] = []
    with serving(lambda _: replies.pop(0)) as (url, _):
        assert Fetcher(DEFAULT_LIMITS, sleep=slept.append).get(url).data == b"ok"
    assert slept == [3, 1]


def test_what_goes_wrong_is_said_in_one_line() -> None:
    circle = Reply(status=302, headers=(("Location", "/"),))
    with serving(lambda _: circle) as (url, _), pytest.raises(InputError) as caught:
        Fetcher(DEFAULT_LIMITS).get(url + "/")
    assert "infinite loop" in caught.value.message
    assert "\n" not in caught.value.message
    busy = Reply(status=429, headers=(("Retry-After", "3600"),))
    with serving(lambda _: busy) as (url, _), pytest.raises(InputError) as caught:
        Fetcher(DEFAULT_LIMITS).get(url)
    assert "3600" in caught.value.hint


def test_a_server_that_is_busy_for_long_is_left_alone() -> None:
    busy = Reply(status=429, headers=(("Retry-After", "3600"),))
    with serving(lambda _: busy) as (url, asked), pytest.raises(InputError, match="429"):
        Fetcher(DEFAULT_LIMITS).get(url)
    assert len(asked) == 1


def test_a_server_that_is_not_there_is_an_error() -> None:
    with serving(lambda _: Reply()) as (url, _):
        pass
    with pytest.raises(InputError):
        Fetcher(DEFAULT_LIMITS).get(url)


def test_a_token_goes_as_it_is_into_a_header_that_is_named_and_not_to_another_host(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    source = Source("x", "", "", token_file=str(tmp_path / "key"), token_header="X-OTX-API-KEY")
    with serving(lambda _: Reply(b"there")) as (there, elsewhere):
        to = there.replace("127.0.0.1", "localhost")
        with serving(lambda _: Reply(status=302, headers=(("Location", to),))) as (url, asked):
            fetcher_for(source, DEFAULT_LIMITS).get(url)
    assert asked[0].headers["x-otx-api-key"] == "secret"
    assert "authorization" not in asked[0].headers
    assert "x-otx-api-key" not in elsewhere[0].headers
    with pytest.raises(ConfigurationError, match="header"):
        fetcher_for(msgspec.structs.replace(source, token_header="A: b\r\nC"), DEFAULT_LIMITS)


def test_an_answer_in_gzip_is_unpacked_within_bounds() -> None:
    packed = Reply(gzip.compress(b"x" * 5000), headers=(("Content-Encoding", "gzip"),))
    with serving(lambda _: packed) as (url, asked):
        assert Fetcher(DEFAULT_LIMITS).get(url).data == b"x" * 5000
        with pytest.raises(InputError, match="larger"):
            Fetcher(replace(DEFAULT_LIMITS, intel_file_bytes=4000)).get(url)
    assert asked[0].headers["accept-encoding"] == "gzip"
