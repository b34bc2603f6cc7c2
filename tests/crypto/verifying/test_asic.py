from __future__ import annotations

import io
import subprocess
import zipfile
from typing import TYPE_CHECKING

from haidang.crypto.signing.asic import MANIFEST, SIGNATURE, Item, write_container
from haidang.crypto.verifying.asic import recognises, verified_contents, verify_file
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path


def container(path: Path, **files: bytes) -> Path:
    """Write a container signed by the test authority's person."""
    pki = small_pki()
    items = [Item(name.replace("_", "."), content, MOMENT) for name, content in files.items()]
    with path.open("wb") as stream:
        write_container(stream, items, pki.signatory(), now=MOMENT)
    return path


def test_a_signed_container_holds_and_names_what_is_covered(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", report_txt=b"hello", table_csv=b"a,b\n")
    assert recognises(path.read_bytes()[:100])
    verdict, kept = verified_contents(path, small_pki().trust(), now=MOMENT, wanted={"report.txt"})
    assert verdict.holds, verdict.to_json()
    assert verdict.signatures[0].covers == ("report.txt", "table.csv")
    assert kept == {"report.txt": b"hello"}


def test_openssl_verifies_the_signature_over_the_manifest(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", report_txt=b"hello")
    with zipfile.ZipFile(path) as file:
        (tmp_path / "manifest").write_bytes(file.read(MANIFEST))
        (tmp_path / "signature").write_bytes(file.read(SIGNATURE))
    from haidang.crypto.certificates import write_certificates

    write_certificates([small_pki().root.certificate], tmp_path / "root.pem")
    command = (
        "openssl cms -verify -cades -binary -inform DER -in signature -content manifest -CAfile root.pem"
    )
    done = subprocess.run(
        [*command.split(), "-attime", str(int(MOMENT.timestamp())), "-purpose", "any", "-out", "/dev/null"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_added_is_named_as_not_covered(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", report_txt=b"hello")
    content = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(content, "a") as file:
        file.writestr("extra.txt", "smuggled")
    path.write_bytes(content.getvalue())
    verdict = verify_file(path, small_pki().trust(), now=MOMENT)
    assert verdict.indication == "TOTAL-FAILED"
    assert [reason.code for reason in verdict.reasons] == ["file-not-covered"]
    assert "extra.txt" in str(verdict.reasons[0].message)
