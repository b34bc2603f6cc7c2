"""Requests come from anybody: openssl's are read, and what is weak, forged or hostile is refused."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.keys import make_key
from haidang.crypto.pki.issuing import subject_name
from haidang.crypto.pki.requests import LARGEST, MOST, alternative_names, make_request, read_requests
from haidang.errors import AuthorityError, HaidangError, InputError, PolicyError

if TYPE_CHECKING:
    from pathlib import Path

SUBJECT = subject_name({"C": "VN", "O": "Sở Y tế", "OU": "Phòng Văn thư", "CN": "Nguyễn Thị Ánh"})
RECIPIENT = "age1" + "q" * 58


def openssl(*arguments: str, cwd: Path) -> bytes:
    run = subprocess.run(["openssl", *arguments], cwd=cwd, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_openssl_reads_and_verifies_our_requests(tmp_path: Path) -> None:
    names = alternative_names(["so.example.vn"], ["anh@so.example.vn"])
    (tmp_path / "r.csr").write_bytes(make_request(make_key(), SUBJECT, names=names, recipient=RECIPIENT))
    said = openssl(
        "req", "-in", "r.csr", "-noout", "-verify", "-text", "-nameopt", "utf8", cwd=tmp_path
    ).decode()
    assert RECIPIENT in said
    assert "DNS:so.example.vn" in said
    assert "Nguyễn Thị Ánh" in said


@pytest.mark.parametrize("kind", ["ec -pkeyopt ec_paramgen_curve:P-256", "rsa -pkeyopt rsa_keygen_bits:3072"])
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_we_read_openssls_requests(kind: str, form: str, tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", *kind.split(), "-out", "k.pem", cwd=tmp_path)
    command = ["req", "-new", "-key", "k.pem", "-utf8", "-subj", "/C=VN/O=Sở Y tế/CN=so.example.vn"]
    command += [
        "-addext",
        "subjectAltName=DNS:so.example.vn,IP:192.0.2.7,email:a@example.vn",
        "-outform",
        form,
    ]
    (request,) = read_requests(openssl(*command, cwd=tmp_path), "r.csr")
    public = load_pem_public_key(openssl("pkey", "-in", "k.pem", "-pubout", cwd=tmp_path))
    assert request.public_key == public
    assert [type(name).__name__ for name in request.alternative_names] == [
        "DNSName",
        "IPAddress",
        "RFC822Name",
    ]
    assert request.recipient == ""


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("rsa -pkeyopt rsa_keygen_bits:1024", "sha256"),
        ("rsa -pkeyopt rsa_keygen_bits:2048", "sha256"),
        ("rsa -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_keygen_pubexp:3", "sha256"),
        ("rsa -pkeyopt rsa_keygen_bits:3072", "sha1"),
        ("ec -pkeyopt ec_paramgen_curve:P-192", "sha256"),
        ("ec -pkeyopt ec_paramgen_curve:secp256k1", "sha256"),
        ("ec -pkeyopt ec_paramgen_curve:P-256", "sha1"),
        ("ed25519", "sha256"),
    ],
)
def test_weak_requests_are_refused(kind: str, digest: str, tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", *kind.split(), "-out", "k.pem", cwd=tmp_path)
    (tmp_path / "o.cnf").write_text("[req]\ndistinguished_name = d\n[d]\n")
    command = ["req", "-new", "-key", "k.pem", "-subj", "/CN=x", f"-{digest}", "-config", "o.cnf"]
    with pytest.raises((PolicyError, InputError)) as caught:
        read_requests(openssl(*command, cwd=tmp_path), "r.csr")
    assert caught.value.hint


def test_whoever_does_not_hold_the_key_gets_nothing() -> None:
    der = x509.load_pem_x509_csr(make_request(make_key(), SUBJECT)).public_bytes(Encoding.DER)
    other = x509.load_pem_x509_csr(make_request(make_key(), SUBJECT)).public_bytes(Encoding.DER)
    # The signature of one request under the body of another: same lengths, another key.
    forged = other[:-70] + der[-70:]
    with pytest.raises((AuthorityError, InputError)):
        read_requests(forged, "r.csr")


def test_only_a_recipient_of_age_is_taken_for_one() -> None:
    for text in ("age1short", "AGE1" + "Q" * 58, "age1" + "q" * 59, "nobody"):
        (request,) = read_requests(make_request(make_key(), SUBJECT, recipient=text), "r")
        assert request.recipient == ""
    (request,) = read_requests(make_request(make_key(), SUBJECT, recipient=RECIPIENT), "r")
    assert request.recipient == RECIPIENT


@pytest.mark.parametrize("name", ["Ánh\u202e", "A\u200bnh", "A\x1b[2Jnh"])
def test_names_with_invisible_characters_are_refused(name: str) -> None:
    with pytest.raises(AuthorityError, match="invisible"):
        read_requests(make_request(make_key(), subject_name({"CN": name})), "r")


@pytest.mark.parametrize(
    "host", ["-a.vn", "a..vn", "a b.vn", "http://a.vn", "*.*.vn", "a.vn/x", "x" * 254, ""]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(AuthorityError):
        alternative_names([host])


@pytest.mark.parametrize("mail", ["a", "@a.vn", "a@", "a b@c.vn", "a@b@c.vn", "ánh@c.vn", "<a@b.vn>"])
def test_what_is_no_mail_address_is_refused(mail: str) -> None:
    with pytest.raises(AuthorityError):
        alternative_names([], [mail])


def test_too_many_names_are_refused() -> None:
    with pytest.raises(AuthorityError, match="at most"):
        alternative_names([f"h{i}.vn" for i in range(101)])


def test_a_huge_request_and_a_crowd_of_them_are_refused() -> None:
    pem = make_request(make_key(), SUBJECT)
    with pytest.raises(InputError, match="larger than"):
        read_requests(pem + b"\n" * LARGEST, "r")
    with pytest.raises(InputError, match="more than"):
        read_requests(pem * (MOST + 1), "r")


NEST = b"\x30\x80" * 20_000
HOSTILE = [
    b"",
    b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    b"-----BEGIN CERTIFICATE REQUEST-----",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x80" + b"\x00" * 60_000,
    NEST,
    b"\x30\x03\x02\x01\x00",
    b"<html>404</html>",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bytes_are_refused_in_plain_words(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_requests(content, "r.csr")
    assert caught.value.hint


DER = x509.load_pem_x509_csr(
    make_request(make_key(), SUBJECT, names=alternative_names(["a.vn"], ["a@b.vn"]), recipient=RECIPIENT)
).public_bytes(Encoding.DER)


@settings(max_examples=300)
@given(st.integers(0, len(DER) * 8 - 1))
def test_no_flipped_bit_is_accepted(bit: int) -> None:
    altered = bytearray(DER)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(HaidangError):
        read_requests(bytes(altered), "r.csr")


@settings(max_examples=200)
@given(st.binary(max_size=400), st.integers(0, len(DER)), st.integers(0, 20))
def test_no_spliced_request_crashes(junk: bytes, at: int, cut: int) -> None:
    spliced = DER[:at] + junk + DER[at + cut :]
    if spliced != DER:
        with pytest.raises(HaidangError):
            read_requests(spliced, "r.csr")
