"""OpenSSL accepts our timestamps, and refusals say why."""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from asn1crypto import core, tsp
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.certificates import write_certificates
from haidang.crypto.settings import Timestamps
from haidang.crypto.timestamps.authority import LARGEST_REQUEST, TimestampAuthority
from haidang.crypto.timestamps.client import LARGEST_ANSWER, TimestampClient
from haidang.crypto.timestamps.server import TimestampServer
from haidang.errors import ConfigurationError, SigningError
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = MOMENT + dt.timedelta(hours=1)
POLICY = "1.3.6.1.4.1.55555.1"


def authority(
    policy: str = POLICY, clock: dt.datetime = NOW, profile: str = "timestamp"
) -> TimestampAuthority:
    return TimestampAuthority(
        small_pki().signatory("Dấu thời gian", profile, unit=""), clock=lambda: clock, policy=policy
    )


def query(tmp_path: Path, *options: str) -> bytes:
    (tmp_path / "data").write_bytes(b"data")
    command = ["openssl", "ts", "-query", "-data", "data", "-out", "q.tsq", *options]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return (tmp_path / "q.tsq").read_bytes()


@pytest.mark.parametrize("options", [["-sha256"], ["-sha384", "-no_nonce"], ["-sha512", "-tspolicy", POLICY]])
def test_openssl_accepts_a_timestamp(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "r.tsr").write_bytes(authority().answer(query(tmp_path, "-cert", *options)))
    write_certificates([small_pki().root.certificate], tmp_path / "root.pem")
    write_certificates([small_pki().issuing.certificate], tmp_path / "issuing.pem")
    command = ["openssl", "ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "root.pem"]
    command += ["-untrusted", "issuing.pem", "-attime", str(int(NOW.timestamp()))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("options", "failure"),
    [(["-sha1"], "bad_alg"), (["-sha256", "-tspolicy", "1.2.3"], "unaccepted_policy")],
)
def test_a_refusal_says_why(tmp_path: Path, options: list[str], failure: str) -> None:
    assert refusal(authority().answer(query(tmp_path, *options))) == {failure}


@pytest.mark.parametrize("request_", [b"", b"junk", b"\x30\x00", b"\x30" * (LARGEST_REQUEST + 1)])
def test_what_is_no_request_is_refused(request_: bytes) -> None:
    assert refusal(authority().answer(request_)) == {"bad_data_format"}


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_request_makes_it_crash(noise: bytes) -> None:
    assert refusal(AUTHORITY.answer(noise))


AUTHORITY = authority()


def test_no_certificate_comes_unless_it_is_asked_for(tmp_path: Path) -> None:
    with_it = authority().answer(query(tmp_path, "-sha256", "-cert"))
    without = authority().answer(query(tmp_path, "-sha256"))
    assert len(without) < len(with_it) - 500
    assert not tsp.TimeStampResp.load(without)["time_stamp_token"]["content"]["certificates"]


def test_serial_numbers_do_not_repeat_though_the_clock_stands_still(tmp_path: Path) -> None:
    asked = query(tmp_path, "-sha256")
    found = set()
    for _ in range(20):
        token = tsp.TimeStampResp.load(authority().answer(asked))["time_stamp_token"]
        found.add(token["content"]["encap_content_info"]["content"].parsed["serial_number"].native)
    assert len(found) == 20


def test_only_a_certificate_for_timestamps_makes_an_authority() -> None:
    with pytest.raises(SigningError):
        authority(profile="person")


def test_an_authority_whose_certificate_ended_gives_no_time(tmp_path: Path) -> None:
    late = authority(clock=NOW + dt.timedelta(days=5000))
    assert refusal(late.answer(query(tmp_path, "-sha256"))) == {"time_not_available"}


def refusal(answer: bytes) -> set[str]:
    parts = core.SequenceOf.load(answer, strict=True, spec=core.Any)
    assert len(parts) == 1, "a refusal has no token"
    status = tsp.PKIStatusInfo.load(parts[0].dump())
    assert status["status"].native == "rejection"
    failures: set[str] = status["fail_info"].native
    return failures


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = TimestampServer(AUTHORITY, ("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.stop()
    thread.join(10)
    server.server_close()
    assert not thread.is_alive()


def client(*urls: str, clock: dt.datetime = NOW, trusted: bool = True, **options: object) -> TimestampClient:
    trust = small_pki().trust()
    return TimestampClient(
        urls,
        Timestamps(timeout=2),
        clock=lambda: clock,
        trust=trust if trusted else trust._replace(anchors=()),
        **options,  # type: ignore[arg-type]
    )


def test_the_next_authority_is_asked_when_one_cannot_be_reached(url: str) -> None:
    asking = client("http://127.0.0.1:9/", url)
    assert asking.timestamp(bytes(32), "sha256")
    assert asking.timestamp(bytes(32), "sha256")


def test_each_failure_is_named(url: str) -> None:
    with pytest.raises(SigningError) as caught:
        client("http://127.0.0.1:9/", f"{url}", clock=MOMENT - dt.timedelta(days=1)).timestamp(
            bytes(32), "sha256"
        )
    assert "cannot be reached" in str(caught.value)
    assert "seconds apart" in str(caught.value)


def test_a_refusal_is_named(url: str) -> None:
    with pytest.raises(SigningError, match="it refused: the digest algorithm"):
        client(url).timestamp(bytes(20), "sha1")


def test_a_stranger_is_not_believed(url: str) -> None:
    with pytest.raises(SigningError, match="not trust"):
        client(url, trusted=False).timestamp(bytes(32), "sha256")


def test_answers_that_are_none_are_not_believed() -> None:
    asked = tsp.TimeStampReq(
        {
            "version": 1,
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)},
            "cert_req": True,
        }
    ).dump()
    replayed = AUTHORITY.answer(asked)
    for answer, said in ((b"", "no timestamp"), (b"x" * 99, "no timestamp"), (replayed, "nonce differs")):
        with pytest.raises(SigningError, match=said):
            client("http://x/", fetch=lambda *_, a=answer: a).timestamp(bytes(32), "sha256")


def test_a_timestamp_of_something_else_is_not_believed() -> None:
    def other(url: str, body: bytes, seconds: float) -> bytes:
        del url, seconds
        changed = tsp.TimeStampReq.load(body)
        changed["message_imprint"] = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"\1" * 32}
        return AUTHORITY.answer(changed.dump(force=True))

    with pytest.raises(SigningError, match="something else"):
        client("http://x/", fetch=other).timestamp(bytes(32), "sha256")


def test_an_authority_that_keeps_silent_is_given_up() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(SigningError, match="within 2 seconds"):
            client(address).timestamp(bytes(32), "sha256")


def test_only_http_addresses_are_asked() -> None:
    for urls in (["file:///etc/passwd"], ["ftp://x/"], []):
        with pytest.raises(ConfigurationError):
            client(*urls)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["-X", "GET"], "405"),
        (["-H", "Content-Type: text/plain", "-d", "x"], "415"),
        (["-H", "Content-Type: application/timestamp-query", "--data-binary", "x" * 20_000], "413"),
    ],
)
def test_the_server_takes_queries_alone(url: str, options: list[str], status: str) -> None:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *options, url]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == status


def test_a_connection_that_takes_too_long_is_cut() -> None:
    import socket

    server = TimestampServer(AUTHORITY, ("127.0.0.1", 0), longest=0.3, most_at_once=1)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5) as first:
            first.sendall(b"POST / HTTP/1.0\r\n")
            with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5) as second:
                assert second.recv(100).startswith(b"HTTP/1.0 503"), "one more than may be served at once"
            assert first.recv(100) == b"", "it ends, though the client says nothing"
    finally:
        server.stop()
        thread.join(10)
        server.server_close()


def test_a_huge_answer_is_not_read() -> None:
    with pytest.raises(SigningError):
        client("http://x/", fetch=lambda *_: b"\x30" * (LARGEST_ANSWER + 1)).timestamp(bytes(32), "sha256")
