from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from haidang.crypto.certificates import certificate_facts, write_certificates
from haidang.crypto.home import Home
from haidang.crypto.keys import ALGORITHMS, algorithm_of, load_key, make_key, save_key
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.signers import load_signatory
from haidang.crypto.trust import load_trust
from haidang.errors import KeyAccessError
from tests.crypto.small_pki import PASSPHRASE, small_pki

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.keys import Algorithm


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_the_same_after_it_was_kept(algorithm: Algorithm, tmp_path: Path) -> None:
    key = make_key(algorithm)
    save_key(key, tmp_path / "k", PASSPHRASE)
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert algorithm_of(load_key(tmp_path / "k", PASSPHRASE)) == algorithm


def test_a_wrong_passphrase_is_said_and_not_shown(tmp_path: Path) -> None:
    save_key(make_key(), tmp_path / "k", PASSPHRASE)
    with pytest.raises(KeyAccessError) as caught:
        load_key(tmp_path / "k", Passphrase(b"hunter2hunter2"))
    assert "wrong" in str(caught.value)
    assert "hunter2" not in caught.value.diagnostics()


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "rsa-3072"])
def test_openssl_accepts_the_chain_and_the_crls(algorithm: Algorithm, tmp_path: Path) -> None:
    pki = small_pki(algorithm)
    person = pki.signatory()
    write_certificates([pki.root.certificate], tmp_path / "root.pem")
    write_certificates([pki.issuing.certificate], tmp_path / "issuing.pem")
    write_certificates([person.certificate], tmp_path / "person.pem")
    for name, crl in zip(("a", "b"), pki.crls(), strict=True):
        subprocess.run(["openssl", "crl", "-inform", "DER", "-out", tmp_path / name], input=crl, check=True)
    crls = (tmp_path / "a").read_bytes() + (tmp_path / "b").read_bytes()
    (tmp_path / "crls.pem").write_bytes(crls)
    command = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile", "root.pem"]
    command += ["-untrusted", "issuing.pem", "-CRLfile", "crls.pem", "-purpose", "smimesign", "person.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "person.pem: OK\n", done.stderr


def test_a_home_gives_back_who_was_put_into_it(tmp_path: Path) -> None:
    pki = small_pki()
    home = Home(tmp_path)
    pki.into(home, pki.signatory())
    signatory = load_signatory(home.identity(), PASSPHRASE)
    assert certificate_facts(signatory.certificate).name == "Nguyễn Thị Ánh"
    trust = load_trust(home.trust)
    assert [len(part) for part in trust] == [1, 1, 2, 0]
    assert trust.anchors[0].public_bytes(Encoding.DER) == pki.root.certificate.public_bytes(Encoding.DER)
