"""OpenSSL accepts what we sign; we accept what OpenSSL signs."""

from __future__ import annotations

import datetime as dt
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from haidang.crypto.certificates import write_certificates
from haidang.crypto.marking.labels import Label
from haidang.crypto.signing.cades import digest_of_file, sign_file
from haidang.crypto.verifying import Options, verify
from haidang.errors import InputError, OutputError
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.keys import Algorithm
    from haidang.crypto.verdicts import DocumentVerdict

NOW = MOMENT + dt.timedelta(hours=1)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "báo cáo.csv"
    path.write_bytes(b"a,b\r\n1,2\r\n")
    return path


def verified(path: Path, algorithm: Algorithm = "ecdsa-p256", **options: object) -> DocumentVerdict:
    return verify(path, small_pki(algorithm).trust(), now=NOW, options=Options(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("stamped", [False, True], ids=["B-B", "B-T"])
@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-3072"])
def test_openssl_accepts_our_cades(document: Path, algorithm: Algorithm, *, stamped: bool) -> None:
    pki = small_pki(algorithm)
    stamper = small_tsa(pki=pki).stamper if stamped else None
    signature = document.with_name(document.name + ".p7s")
    sign_file(document, signature, pki.signatory(), now=NOW, timestamper=stamper)
    write_certificates([pki.root.certificate], document.with_name("root.pem"))
    command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", str(signature)]
    command += ["-content", str(document), "-CAfile", str(document.with_name("root.pem"))]
    command += ["-attime", str(int(NOW.timestamp())), "-out", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = verified(document, algorithm).signatures
    assert (found.indication, found.level) == ("TOTAL-PASSED", "CAdES-B-T" if stamped else "CAdES-B-B")


@pytest.mark.parametrize("options", [[], ["-cades"], ["-nodetach"], ["-keyopt", "rsa_padding_mode:pss"]])
@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_what_openssl_signs_is_accepted(document: Path, form: str, options: list[str]) -> None:
    algorithm: Algorithm = "rsa-3072"
    person = small_pki(algorithm).signatory()
    key = person.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    document.with_name("key.pem").write_bytes(key)
    write_certificates([person.certificate], document.with_name("person.pem"))
    signature = document.with_name("signature.p7s")
    command = ["openssl", "cms", "-sign", "-binary", "-in", str(document), "-outform", form, "-md", "sha256"]
    command += ["-signer", "person.pem", "-inkey", "key.pem", "-out", str(signature), *options]
    subprocess.run(command, cwd=document.parent, check=True, capture_output=True)
    content = None if "-nodetach" in options else document
    found = verify(signature, small_pki(algorithm).trust(), now=NOW, options=Options(content=content))
    assert found.holds, [str(reason.message) for one in found.signatures for reason in one.reasons]
    if content:
        document.write_bytes(b"changed")
        again = verify(signature, small_pki(algorithm).trust(), now=NOW, options=Options(content=content))
        assert again.signatures[0].subindication == "HASH_FAILURE"


def test_the_label_is_signed_and_read(document: Path) -> None:
    target = document.with_name(document.name + ".p7s")
    sign_file(document, target, small_pki().signatory(), now=NOW, labels=[Label("tlp", "GREEN")])
    assert verified(document).marking == {"labels": "TLP:GREEN"}


def test_a_signature_without_timestamp_is_not_enough_where_one_is_needed(document: Path) -> None:
    sign_file(document, document.with_name(document.name + ".p7s"), small_pki().signatory(), now=NOW)
    assert verified(document).holds
    (found,) = verified(document, need_timestamp=True).signatures
    assert (found.indication, found.reasons[-1].code) == ("INDETERMINATE", "timestamp-missing")


def test_a_second_signature_is_verified_beside_the_first_and_openssl_reads_the_first(document: Path) -> None:
    first, second = (document.with_name(document.name + end) for end in (".p7s", ".pq.p7s"))
    sign_file(document, first, small_pki().signatory(), now=NOW)
    sign_file(document, second, small_pki().signatory("Khoá thứ hai", algorithm="ml-dsa-65"), now=NOW)
    found = verified(document)
    assert [one.signer.algorithm for one in found.signatures if one.signer] == ["ecdsa-p256", "ml-dsa-65"]
    assert found.holds
    document.write_bytes(b"changed")
    assert [one.subindication for one in verified(document).signatures] == ["HASH_FAILURE", "HASH_FAILURE"]


def test_nothing_is_overwritten(document: Path) -> None:
    target = document.with_name("there")
    target.write_bytes(b"precious")
    with pytest.raises(OutputError):
        sign_file(document, target, small_pki().signatory(), now=NOW)
    assert target.read_bytes() == b"precious"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        digest_of_file(tmp_path / "none", "sha256")
