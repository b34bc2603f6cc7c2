"""OCSP: openssl asks over HTTP and believes the answers; what is malformed is refused in its terms."""

from __future__ import annotations

import base64
import http.client
import subprocess
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.certificates import write_certificates
from haidang.crypto.keys import make_key
from haidang.crypto.pki.ocsp_server import OcspServer
from haidang.crypto.pki.responder import LARGEST_REQUEST, Responder, answer, internal_error, make_responder
from haidang.errors import AuthorityError
from tests.crypto.pki.authorities import Authorities, authorities, order
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from haidang.crypto.keys import SigningKey


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    """Authorities that issued to Ánh, Bình (revoked) and a responder."""
    made = authorities(tmp_path_factory.mktemp("ocsp"))
    made.issuing.issue(order("Ánh"), now=MOMENT)
    made.issuing.issue(order("Bình"), now=MOMENT)
    made.issuing.revoke("Bình", "keyCompromise", now=MOMENT)
    return made


KEY = make_key()


@pytest.fixture(scope="module")
def responder(both: Authorities) -> Responder:
    (certificate,) = both.issuing.issue(order("OCSP", "ocsp", public_key=KEY.public_key()), now=MOMENT)
    return make_responder(both.issuing.issuer().certificate, certificate, KEY)


@pytest.fixture
def server(both: Authorities, responder: Responder) -> Iterator[OcspServer]:
    def respond(request: bytes) -> bytes:
        return answer(request, [responder], both.issuing.records.status, now=MOMENT)

    with OcspServer("127.0.0.1", 0, respond) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def certificate_of(both: Authorities, name: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(both.issuing.authority.find(name).der)


def request_for(both: Authorities, name: str, nonce: bytes = b"") -> bytes:
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate_of(both, name), both.issuing.issuer().certificate, hashes.SHA256()
    )
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize(("name", "said"), [("Ánh", "good"), ("Bình", "revoked")])
@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_openssl_believes_the_answer(
    name: str, said: str, digest: str, both: Authorities, server: OcspServer, tmp_path: Path
) -> None:
    chain = both.issuing.authority.chain()
    write_certificates([chain[0]], tmp_path / "issuer.pem")
    write_certificates([chain[1]], tmp_path / "root.pem")
    write_certificates([certificate_of(both, name)], tmp_path / "leaf.pem")
    # The answer is of MOMENT, which may be months from the clock of this machine.
    command = ["openssl", "ocsp", "-issuer", "issuer.pem", digest, "-cert", "leaf.pem", "-CAfile", "root.pem"]
    command += ["-verify_other", "issuer.pem", "-url", f"http://127.0.0.1:{server.port}/", "-validity_period"]
    command += ["999999999", "-attime", str(int(MOMENT.timestamp()))]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Response verify OK" in run.stderr, run.stderr
    assert f"leaf.pem: {said}" in run.stdout
    assert ("keyCompromise" in run.stdout) == (said == "revoked")


def test_get_and_post_say_the_same(both: Authorities, server: OcspServer) -> None:
    request = request_for(both, "Bình", b"0123456789abcdef")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/", request, {"Content-Type": "application/ocsp-request"})
    posted = connection.getresponse().read()
    connection.request("GET", "/" + quote(base64.b64encode(request).decode(), safe=""))
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "application/ocsp-response"
    for der in (posted, response.read()):
        found = ocsp.load_der_ocsp_response(der)
        assert found.certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"0123456789abcdef"
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/", None, {}, 400),
        ("GET", "/not base64!".replace(" ", "%20"), None, {}, 400),
        ("GET", "/" + "A" * 40_000, None, {}, 400),
        ("POST", "/", b"", {"Content-Type": "application/ocsp-request"}, 400),
        ("POST", "/", b"x", {"Content-Type": "text/plain"}, 415),
        ("POST", "/", b"x" * (LARGEST_REQUEST + 1), {"Content-Type": "application/ocsp-request"}, 413),
        ("POST", "/", b"x", {"Content-Length": "-1"}, 411),
        ("POST", "/", b"x", {"Content-Length": "9" * 30}, 413),
        ("PUT", "/", b"x", {}, 501),
    ],
)
def test_http_that_is_no_request_is_refused(
    method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, server: OcspServer
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        assert connection.getresponse().status == status
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413, "only a body that is too large is cut off while it comes"
    finally:
        connection.close()


def test_another_authoritys_certificate_is_not_answered_for(both: Authorities, responder: Responder) -> None:
    pki = small_pki()
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate(pki.signatory().certificate, pki.issuing.certificate, hashes.SHA1())
        .build()
        .public_bytes(Encoding.DER)
    )
    found = ocsp.load_der_ocsp_response(answer(request, [responder], both.issuing.records.status, now=MOMENT))
    assert found.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_what_was_never_issued_is_unknown(both: Authorities, responder: Responder) -> None:
    asked = ocsp.load_der_ocsp_request(request_for(both, "Ánh"))
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(asked.issuer_name_hash, asked.issuer_key_hash, 12345, hashes.SHA256())
        .build()
        .public_bytes(Encoding.DER)
    )
    found = ocsp.load_der_ocsp_response(answer(request, [responder], both.issuing.records.status, now=MOMENT))
    assert found.certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def asked_of(
    leaf: x509.Certificate, issuer: x509.Certificate, responders: list[Responder], both: Authorities
) -> ocsp.OCSPResponse:
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA256()).build()
    der = request.public_bytes(Encoding.DER)
    return ocsp.load_der_ocsp_response(answer(der, responders, both.issuing.records.status, now=MOMENT))


def test_a_renewed_authority_answers_about_what_it_issued_before_and_after(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    key = make_key()
    (certificate,) = both.issuing.issue(order("OCSP", "ocsp", public_key=key.public_key()), now=MOMENT)
    before = both.issuing.issuer().certificate
    (old,) = both.issuing.issue(order("Ánh"), now=MOMENT)
    renewed = both.root.renew("Cấp phát", now=MOMENT)
    both.issuing.accept([renewed, *both.root.authority.chain()], {}, now=MOMENT)
    (new,) = both.issuing.issue(order("Bình"), now=MOMENT)
    both.issuing.revoke("Ánh", "keyCompromise", now=MOMENT)
    assert both.issuing.issuer().certificate == renewed
    # A responder of before, and one that is started after; who asks may know either certificate.
    for issuer in (before, renewed):
        responders = [make_responder(issuer, certificate, key)]
        for asked in (before, renewed):
            assert asked_of(old, asked, responders, both).certificate_status is ocsp.OCSPCertStatus.REVOKED
            assert asked_of(new, asked, responders, both).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_each_chain_is_answered_for_by_its_own_responder(tmp_path: Path) -> None:
    both = authorities(tmp_path, second=True)

    def pair(name: str, profile: str) -> tuple[list[SigningKey], list[x509.Certificate]]:
        keys = [make_key(), make_key("ml-dsa-65")]
        orders = [order(name, profile, public_key=key.public_key()) for key in keys]
        return keys, both.issuing.issue(orders[0], extra=orders[1:], now=MOMENT)

    keys, certificates = pair("OCSP", "ocsp")
    issuers = [both.issuing.issuer(chain).certificate for chain in ("first", "second")]
    first = make_responder(issuers[0], certificates[0], keys[0])
    second = make_responder(issuers[1], certificates[1], keys[1], "second")
    _, leaves = pair("Ánh", "person")
    for leaf, issuer, responder in zip(leaves, issuers, (first, second), strict=True):
        found = asked_of(leaf, issuer, [first, second], both)
        assert found.certificate_status is ocsp.OCSPCertStatus.GOOD
        (signer,) = found.certificates
        assert signer == responder.certificate
    assert both.issuing.authority.find(f"{leaves[1].serial_number:x}").chain == "second"
    both.issuing.revoke(f"{leaves[1].serial_number:x}", "keyCompromise", now=MOMENT)
    found = asked_of(leaves[1], issuers[1], [first, second], both)
    assert found.certificate_status is ocsp.OCSPCertStatus.REVOKED
    # A number of the other chain is none of this one, and without its responder nobody answers.
    same = ocsp.OCSPRequestBuilder().add_certificate(leaves[0], issuers[0], hashes.SHA256()).build()
    other = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        same.issuer_name_hash, same.issuer_key_hash, leaves[1].serial_number, hashes.SHA256()
    )
    der = other.build().public_bytes(Encoding.DER)
    found = ocsp.load_der_ocsp_response(answer(der, [first, second], both.issuing.records.status, now=MOMENT))
    assert found.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    found = asked_of(leaves[1], issuers[1], [first], both)
    assert found.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    with pytest.raises(AuthorityError, match="may not answer"):
        make_responder(issuers[1], certificates[0], keys[0], "second")


def test_only_who_may_answers(both: Authorities) -> None:
    issuer = both.issuing.issuer()
    assert make_responder(issuer.certificate, issuer.certificate, issuer.key).key is issuer.key
    key = make_key()
    (person,) = both.issuing.issue(order("Chi", public_key=key.public_key()), now=MOMENT)
    stranger = small_pki().signatory("OCSP", "ocsp")
    for certificate, signer in ((person, key), (stranger.certificate, stranger.key), (person, make_key())):
        with pytest.raises(AuthorityError, match="may not answer"):
            make_responder(issuer.certificate, certificate, signer)


@settings(max_examples=150)
@given(content=st.binary(max_size=200))
def test_any_bytes_get_an_answer(content: bytes, both: Authorities, responder: Responder) -> None:
    response = answer(content, [responder], both.issuing.records.status, now=MOMENT)
    assert ocsp.load_der_ocsp_response(response).response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL


@settings(max_examples=150)
@given(data=st.data())
def test_a_flipped_bit_never_makes_a_revoked_certificate_good(
    data: st.DataObject, both: Authorities, responder: Responder
) -> None:
    request = bytearray(request_for(both, "Bình"))
    request[data.draw(st.integers(0, len(request) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    response = ocsp.load_der_ocsp_response(
        answer(bytes(request), [responder], both.issuing.records.status, now=MOMENT)
    )
    if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
        assert response.certificate_status is not ocsp.OCSPCertStatus.GOOD


def test_a_huge_request_is_malformed(both: Authorities, responder: Responder) -> None:
    response = answer(b"\x30" * (LARGEST_REQUEST + 1), [responder], both.issuing.records.status, now=MOMENT)
    status = ocsp.load_der_ocsp_response(response).response_status
    assert status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_crowd_of_silent_peers_keeps_nobody_out_for_long(
    both: Authorities, server: OcspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    from haidang.crypto.pki import ocsp_server

    monkeypatch.setattr(ocsp_server._Handler, "timeout", 0.5)
    silent = [
        socket.create_connection(("127.0.0.1", server.port)) for _ in range(ocsp_server.MOST_AT_ONCE + 20)
    ]
    # Those beyond the bound are closed at once; the others when their time is over.
    for one in silent:
        one.settimeout(10)
        assert one.recv(1) == b""
        one.close()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/", request_for(both, "Ánh"), {"Content-Type": "application/ocsp-request"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_problem_of_its_own_is_said_in_the_protocol() -> None:
    status = ocsp.load_der_ocsp_response(internal_error()).response_status
    assert status is ocsp.OCSPResponseStatus.INTERNAL_ERROR
