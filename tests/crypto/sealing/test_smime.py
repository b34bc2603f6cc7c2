from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from haidang.crypto.certificates import write_certificates
from haidang.crypto.sealing import NotForYouError
from haidang.crypto.sealing.mime import attachment_in, enveloped_in, signed_in
from haidang.crypto.sealing.smime import (
    LARGEST_MAIL,
    RefusedMailError,
    _safe,
    is_mail,
    open_mail,
)
from haidang.errors import InputError, SealError
from tests.crypto.sealing.mails import CONTENT, EC, RSA, mailed
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from haidang.crypto.signers import Signatory


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "báo cáo.txt"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("authenticated", [True, False])
def test_a_sealed_mail_opens_for_each_receiver(report: Path, tmp_path: Path, authenticated: bool) -> None:  # noqa: FBT001
    mail = mailed(report, RSA, EC, authenticated=authenticated)
    assert is_mail(mail.read_bytes()[:2048], mail)
    inbox = tmp_path / "in"
    inbox.mkdir()
    for one in (RSA, EC):
        opened = open_mail(mail, one, small_pki().trust(), folder=inbox, now=MOMENT)
        assert (opened.verdict.holds, opened.authenticated) == (True, authenticated)
        (only,) = inbox.iterdir()
        assert (only.name, only.read_bytes(), only.stat().st_mode & 0o777) == (report.name, CONTENT, 0o600)
        only.unlink()


@pytest.mark.parametrize("who", [RSA, EC], ids=["rsa", "ec"])
@pytest.mark.parametrize("program", ["cms", "cms-cbc", "smime"])
def test_openssl_opens_and_verifies_it(report: Path, tmp_path: Path, who: Signatory, program: str) -> None:
    if program == "smime" and who is EC:
        pytest.skip("openssl smime has no key agreement; openssl cms has")
    mailed(report, who, authenticated=program == "cms")
    write_certificates([who.certificate], tmp_path / "who.pem")
    write_certificates([small_pki().root.certificate], tmp_path / "root.pem")
    (tmp_path / "who.key").write_bytes(
        who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    name = program.partition("-")[0]
    run(tmp_path, f"openssl {name} -decrypt -in mail.eml -recip who.pem -inkey who.key -out inside.eml")
    when = int(MOMENT.timestamp())
    run(
        tmp_path,
        f"openssl {name} -verify -in inside.eml -CAfile root.pem -purpose any -attime {when} -out file.eml",
    )
    import email

    assert email.message_from_bytes((tmp_path / "file.eml").read_bytes()).get_payload(decode=True) == CONTENT


@pytest.mark.parametrize("cipher", ["-aes-256-gcm", "-aes-256-cbc"])
@pytest.mark.parametrize("who", [RSA, EC], ids=["rsa", "ec"])
def test_what_openssl_signed_and_sealed_opens(tmp_path: Path, who: Signatory, cipher: str) -> None:
    signer = small_pki().signatory()
    write_certificates([who.certificate], tmp_path / "who.pem")
    write_certificates([signer.certificate], tmp_path / "signer.pem")
    write_certificates(signer.authorities, tmp_path / "chain.pem")
    plain = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "signer.key").write_bytes(plain)
    (tmp_path / "t.txt").write_bytes(b"Content-Type: text/plain\r\n\r\nhello\r\n")
    run(
        tmp_path,
        "openssl cms -sign -cades -in t.txt -signer signer.pem -inkey signer.key -certfile chain.pem"
        " -out s.eml",
    )
    derivation = "-keyopt ecdh_kdf_md:sha256" if who is EC else ""
    run(tmp_path, f"openssl cms -encrypt {cipher} -in s.eml -out mail.eml -recip who.pem {derivation}")
    # openssl takes the signing time from the clock of the machine; the moment of judging must be after it.
    import datetime as dt

    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    opened = open_mail(tmp_path / "mail.eml", who, small_pki().trust(), folder=None, now=later)
    assert opened.verdict.holds, opened.verdict.to_json()


def test_key_derivation_with_sha1_is_refused_and_named(tmp_path: Path) -> None:
    write_certificates([EC.certificate], tmp_path / "who.pem")
    (tmp_path / "t.txt").write_bytes(b"hello")
    run(tmp_path, "openssl cms -encrypt -aes-256-cbc -in t.txt -out mail.eml who.pem")
    with pytest.raises(SealError, match="not accepted"):
        open_mail(tmp_path / "mail.eml", EC, small_pki().trust(), folder=None, now=MOMENT)


def test_a_stranger_cannot_open_it(report: Path) -> None:
    with pytest.raises(NotForYouError):
        open_mail(mailed(report, EC), RSA, small_pki().trust(), folder=None, now=MOMENT)


def test_a_mail_that_is_not_signed_is_refused(tmp_path: Path) -> None:
    write_certificates([RSA.certificate], tmp_path / "who.pem")
    (tmp_path / "t.txt").write_bytes(b"Content-Type: text/plain\r\n\r\nhello\r\n")
    run(tmp_path, "openssl cms -encrypt -aes-256-gcm -in t.txt -out mail.eml who.pem")
    with pytest.raises(SealError, match="not signed"):
        open_mail(tmp_path / "mail.eml", RSA, small_pki().trust(), folder=None, now=MOMENT)


def test_a_signer_nobody_vouches_for_is_refused_and_nothing_appears(report: Path, tmp_path: Path) -> None:
    mail = mailed(report, EC)
    inbox = tmp_path / "in"
    inbox.mkdir()
    trust = small_pki().trust()._replace(anchors=())
    with pytest.raises(RefusedMailError) as caught:
        open_mail(mail, EC, trust, folder=inbox, now=MOMENT)
    assert caught.value.indeterminate
    assert not list(inbox.iterdir())


def test_a_certificate_that_is_not_for_encryption_is_refused(report: Path) -> None:
    with pytest.raises(SealError, match="not for encryption"):
        mailed(report, small_pki().signatory())
    assert not report.with_name("mail.eml").exists()


@pytest.mark.parametrize(
    ("written", "taken"),
    [("../../etc/passwd", "passwd"), ("C:\\\\x\\\\r.txt", "r.txt"), (".bashrc", "bashrc"), ("..", "message")],
)
def test_a_name_in_a_mail_leads_nowhere_else(written: str, taken: str) -> None:
    assert _safe(written) == taken


@pytest.mark.parametrize("read", [enveloped_in, signed_in, attachment_in])
@pytest.mark.parametrize(
    "line", [b"Content-Type: multipart/signed; boundary*", b"Content-Disposition: a; b*"]
)
def test_a_header_that_the_parser_fails_on_is_refused(read: Callable[[bytes], object], line: bytes) -> None:
    """AES-CBC decrypts what was altered to something like it."""
    with pytest.raises(SealError):
        read(line + b"\r\n\r\nx")


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(LARGEST_MAIL + 1)
    with pytest.raises(InputError, match="larger"):
        mailed(large, EC)


def run(folder: Path, command: str) -> None:
    done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
