from __future__ import annotations

import datetime as dt
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from haidang.crypto.certificates import write_certificates
from haidang.crypto.verifying import verify
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

NOW = MOMENT + dt.timedelta(hours=1)


def mail(tmp_path: Path, *options: str) -> Path:
    """Return a mail that openssl signed."""
    person = small_pki().signatory()
    key = person.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(key)
    write_certificates([person.certificate], tmp_path / "person.pem")
    (tmp_path / "text").write_text("Content-Type: text/plain\n\nKính gửi Sở Y tế,\n")
    command = ["openssl", "cms", "-sign", "-in", "text", "-signer", "person.pem", "-inkey", "key.pem"]
    command += ["-out", "mail.eml", "-subject", "Báo cáo", *options]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "mail.eml"


@pytest.mark.parametrize("options", [[], ["-nodetach"]], ids=["beside", "around"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_mail_that_openssl_signed_is_accepted_and_a_change_is_found(
    tmp_path: Path, options: list[str], line_end: bytes
) -> None:
    path = mail(tmp_path, *options)
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", line_end))
    found = verify(path, small_pki().trust(), now=NOW)
    assert (found.kind, found.holds) == ("mail", True), found.to_json()
    if not options:
        path.write_bytes(path.read_bytes().replace("Sở".encode(), "SỞ".encode()))
        changed = verify(path, small_pki().trust(), now=NOW)
        assert changed.signatures[0].subindication == "HASH_FAILURE"


def test_a_third_part_that_nobody_signed_is_not_accepted(tmp_path: Path) -> None:
    path = mail(tmp_path)
    content = path.read_bytes()
    boundary = content.split(b'boundary="')[1].split(b'"')[0]
    end = b"--" + boundary + b"--"
    more = b"--" + boundary + b"\nContent-Type: text/plain\n\nPay at once.\n"
    path.write_bytes(content.replace(end, more + end))
    assert not verify(path, small_pki().trust(), now=NOW).holds
