"""Keys in a token: SoftHSM2, the code that a real one gets too."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from haidang.crypto.certificates import write_certificates
from haidang.crypto.home import Home
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.pki.issuing import Issuer, Wanted, build_crl, issue_certificate, subject_name
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.signers import load_signatory
from haidang.errors import KeyAccessError
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.crypto.keys import Algorithm

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = Passphrase(b"83467291")


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Label of a token that is made for this run; the library reads where it is once a process."""
    if not MODULE.exists() or not shutil.which("softhsm2-util"):
        pytest.skip("no SoftHSM2 on this machine")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        command = ["softhsm2-util", "--init-token", "--free", "--label", "thử nghiệm"]
        subprocess.run([*command, "--pin", "83467291", "--so-pin", "12345678"], check=True, stdout=-3)
        yield "thử nghiệm"


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-3072"])
def test_an_authority_in_a_token_signs_what_openssl_accepts(
    algorithm: Algorithm, token: str, tmp_path: Path
) -> None:
    from haidang.crypto.tokens import make_token_key, open_token_key, save_place

    _, place = make_token_key(MODULE, token, PIN, label="root", algorithm=algorithm)
    save_place(place, tmp_path / "token.json")
    key = open_token_key(tmp_path / "token.json", PIN)
    wanted = Wanted(subject_name({"O": "T", "CN": "Gốc"}), key.public_key(), load_profiles()["root"])
    root = issue_certificate(None, wanted, now=MOMENT, own_key=key)
    write_certificates([root], tmp_path / "root.pem")
    crl = build_crl(Issuer(root, key), (), number=1, now=MOMENT)
    (tmp_path / "root.crl").write_bytes(crl.public_bytes(Encoding.PEM))
    checks = (
        ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", "root.pem", "root.pem"],
        ["crl", "-in", "root.crl", "-CAfile", "root.pem", "-noout"],
    )
    for check in checks:
        run = subprocess.run(["openssl", *check], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert "OK" in run.stdout + run.stderr


def test_a_request_and_pss_and_prehashed_data_are_signed(token: str) -> None:
    from haidang.crypto.tokens import make_token_key

    key, _ = make_token_key(MODULE, token, PIN, label="rsa", algorithm="rsa-3072")
    name = subject_name({"CN": "máy chủ"})
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())  # type: ignore[arg-type]
    assert request.is_signature_valid
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    signature = key.sign(b"data", pss, hashes.SHA256())  # type: ignore[attr-defined]
    key.public_key().verify(signature, b"data", pss, hashes.SHA256())
    way = Prehashed(hashes.SHA384())
    signature = key.sign(b"d" * 48, padding.PKCS1v15(), way)  # type: ignore[attr-defined]
    key.public_key().verify(signature, b"d" * 48, padding.PKCS1v15(), way)


def test_the_key_stays_in_the_token(token: str) -> None:
    from haidang.crypto.tokens import make_token_key

    key, place = make_token_key(MODULE, token, PIN, label="stays")
    with pytest.raises(KeyAccessError, match="does not leave"):
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyAccessError):
        key.private_numbers()
    assert "83467291" not in repr(key) + repr(place)


def test_an_identity_in_a_token_signs_like_another(token: str, tmp_path: Path) -> None:
    from haidang.crypto.tokens import make_token_key, save_place

    pki = small_pki()
    key, place = make_token_key(MODULE, token, PIN, label="Ánh")
    wanted = Wanted(subject_name({"CN": "Ánh"}), key.public_key(), load_profiles()["person"])
    identity = Home(tmp_path).new_identity("anh")
    save_place(place, identity.token)
    write_certificates([issue_certificate(pki.issuing, wanted, now=MOMENT)], identity.certificate)
    assert load_signatory(identity, PIN).key.public_key() == key.public_key()


def test_a_token_json_of_another_key_is_refused(token: str, tmp_path: Path) -> None:
    import msgspec

    from haidang.crypto.tokens import make_token_key, open_token_key, save_place

    _, first = make_token_key(MODULE, token, PIN, label="one")
    _, second = make_token_key(MODULE, token, PIN, label="two")
    save_place(msgspec.structs.replace(first, public_key=second.public_key), tmp_path / "token.json")
    with pytest.raises(KeyAccessError, match="not the one"):
        open_token_key(tmp_path / "token.json", PIN)
    gone = msgspec.structs.replace(first, id="00" * 16)
    save_place(gone, tmp_path / "token.json", replace=True)
    with pytest.raises(KeyAccessError, match="does not hold"):
        open_token_key(tmp_path / "token.json", PIN)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"module": "/nowhere/lib.so"}, "cannot be read"),
        ({"module": "lib.so"}, "cannot be read"),
        ({"module": "/etc/passwd"}, "did not do"),
        ({"token": "another"}, "There is no token"),
        ({"serial": "123"}, "There is no token"),
        ({"public_key": "AAAA"}, "not a key file"),
        ({"version": 2}, "not a key file"),
    ],
)
def test_a_token_json_that_is_wrong_is_said(
    change: dict[str, object], text: str, token: str, tmp_path: Path
) -> None:
    import msgspec

    from haidang.crypto.tokens import make_token_key, open_token_key, save_place

    _, place = make_token_key(MODULE, token, PIN, label="x")
    save_place(msgspec.structs.replace(place, **change), tmp_path / "token.json")
    with pytest.raises(KeyAccessError, match=text):
        open_token_key(tmp_path / "token.json", PIN)


def test_what_others_may_write_loads_no_library(token: str, tmp_path: Path) -> None:
    from haidang.crypto.tokens import make_token_key, open_token_key, save_place

    _, place = make_token_key(MODULE, token, PIN, label="x")
    save_place(place, tmp_path / "token.json")
    (tmp_path / "token.json").chmod(0o666)
    with pytest.raises(KeyAccessError, match="Others may change"):
        open_token_key(tmp_path / "token.json", PIN)


def test_a_wrong_pin_is_said_and_not_shown(token: str, tmp_path: Path) -> None:
    from haidang.crypto.tokens import make_token_key, save_place

    _, place = make_token_key(MODULE, token, PIN, label="x")
    save_place(place, tmp_path / "token.json")
    # A process that has logged in stays so: the wrong PIN is tried in another one.
    program = f"""
from pathlib import Path
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.tokens import open_token_key
from haidang.errors import KeyAccessError
try:
    open_token_key(Path({str(tmp_path / "token.json")!r}), Passphrase(b"99998888"))
except KeyAccessError as error:
    print(error.diagnostics())
"""
    import sys

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "PIN of the token" in run.stdout
    assert "99998888" not in run.stdout + run.stderr
