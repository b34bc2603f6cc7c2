from __future__ import annotations

import datetime as dt
import json
import subprocess
from typing import TYPE_CHECKING

import pyrage
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from haidang.cli.main import main
from haidang.crypto.home import Home
from haidang.crypto.inventory.algorithms import algorithm_facts
from haidang.crypto.inventory.cbom import to_cbom
from haidang.crypto.inventory.judging import judge
from haidang.crypto.inventory.looking import find_assets
from haidang.crypto.inventory.page import to_page
from haidang.crypto.settings import Horizons
from haidang.i18n import translator
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.inventory.model import Inventory


def _shell(command: str, folder: Path) -> None:
    subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a careless administrator left, beside a home as it should be."""
    tmp_path = tmp_path_factory.mktemp("inventory")
    pki = small_pki()
    pki.into(Home(tmp_path / "home"), pki.signatory())
    web = tmp_path / "web"
    web.mkdir()
    _shell(
        "openssl req -x509 -newkey rsa:1024 -nodes -keyout old.key -out old.pem -days 10 -sha1"
        " -subj '/CN=old.example.vn'",
        web,
    )
    _shell(
        "openssl req -new -newkey rsa:2048 -passout pass:x -keyout web.key -out web.csr"
        " -subj '/CN=<script>alert(1)'",
        web,
    )
    _shell(
        "echo hello > f; openssl cms -sign -in f -signer old.pem -inkey old.key -outform DER -out f.p7s", web
    )
    identity = pyrage.x25519.Identity.generate()
    # As age-keygen writes it.
    (web / "age.txt").write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    (web / "age.txt").chmod(0o644)
    (web / "f.age").write_bytes(pyrage.encrypt(b"hello\n", [identity.to_public()]))
    (web / "broken.der").write_bytes(b"\x30\x82\x00\x50" + bytes(100))
    (web / "readme.txt").write_text("nothing of the kind")
    return tmp_path


def _judged(folder: Path, now: dt.datetime = MOMENT) -> Inventory:
    return judge(find_assets([folder]), Horizons(), now=now)


def _said(inventory: Inventory, file: str) -> set[str]:
    return {one.code for one in inventory.concerns if one.asset.where.endswith(file)}


def test_what_is_in_a_folder_is_found_by_its_content(folder: Path) -> None:
    found = find_assets([folder])
    by_file = {one.where.rpartition("/")[2]: one for one in found.assets}
    assert (by_file["old.pem"].kind, by_file["old.pem"].algorithm) == ("certificate", "rsa-1024")
    assert (by_file["old.key"].kind, by_file["old.key"].protection) == ("private-key", "none")
    assert by_file["web.key"].protection == "pbkdf2-2048"
    assert (by_file["web.csr"].kind, by_file["web.csr"].algorithm) == ("request", "rsa-2048")
    assert (by_file["f.p7s"].kind, by_file["f.p7s"].algorithm) == ("signature", "rsa-1024")
    assert (by_file["f.age"].kind, by_file["f.age"].algorithm) == ("sealed-file", "x25519")
    assert by_file["root.crl"].kind == "crl"
    assert by_file["signing.key"].algorithm == "ecdsa-p256", "a locked key is known by its certificate"
    assert "readme.txt" not in by_file
    assert [(path.rpartition("/")[2], why) for path, why in found.unread] == [
        ("broken.der", "nothing in it can be read")
    ]


def test_each_concern_is_said_where_it_is_due(folder: Path) -> None:
    found = _judged(folder)
    assert {"weak-algorithm"} <= _said(found, "old.pem")
    assert _said(found, "old.key") == {"weak-algorithm", "unprotected-key"}
    assert _said(found, "web.key") == {"weak-lock"}
    assert _said(found, "web.csr") == {"ends-112", "quantum"}
    assert _said(found, "age.txt") == {"unprotected-key", "open-to-others", "quantum"}
    assert _said(found, "f.age") == {"quantum"}
    assert _said(found, "signing.key") == {"quantum"}
    assert found.concerns[0].severity == "error"


def test_time_passes(folder: Path) -> None:
    leaf = small_pki().signatory().certificate
    shortly_before = leaf.not_valid_after_utc - dt.timedelta(days=30)
    assert "lapses-soon" in _said(_judged(folder, shortly_before), "anh/certificate.pem")
    after = leaf.not_valid_after_utc + dt.timedelta(days=1)
    assert "expired" in _said(_judged(folder, after), "anh/certificate.pem")
    after_horizon = dt.datetime(2035, 6, 1, tzinfo=dt.UTC)
    found = _judged(folder, after_horizon)
    assert {one.severity for one in found.concerns if one.code == "quantum"} == {"error"}
    assert {one.severity for one in found.concerns if one.code == "ends-112"} == {"error"}


def test_a_certificate_that_outlives_the_horizon_must_have_a_successor(tmp_path: Path) -> None:
    (tmp_path / "root.der").write_bytes(small_pki().root.certificate.public_bytes(Encoding.DER))
    assert "quantum-beyond" in _said(_judged(tmp_path), "root.der")


def test_the_cbom_is_valid_and_the_same_for_the_same_content(folder: Path) -> None:
    found = _judged(folder)
    text = to_cbom(found, now=MOMENT, version="1")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert to_cbom(found, now=MOMENT, version="1") == text
    bom = json.loads(text)
    names = {one["name"]: one for one in bom["components"]}
    assert names["rsa-1024"]["cryptoProperties"]["algorithmProperties"]["classicalSecurityLevel"] == 80
    assert "old.example.vn" in names


def test_the_page_escapes_what_others_wrote(folder: Path) -> None:
    page = to_page(_judged(folder), Horizons(), translator("vi"), now=MOMENT)
    assert "<script" not in page
    assert "&lt;script" in page


def test_a_rsa_key_has_the_strength_of_its_size() -> None:
    assert [algorithm_facts(f"rsa-{size}").bits for size in (512, 1024, 2047, 2048, 3072, 4096)] == [
        0,
        80,
        80,
        112,
        128,
        128,
    ]
    assert algorithm_facts("rot13").bits == -1


@pytest.mark.parametrize(("name", "code"), [("web", 1), ("home", 0)])
def test_the_exit_code_says_whether_to_act(
    folder: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inventory", str(folder / name)]) == code
    assert "ecdsa-p256" in capsys.readouterr().out or name == "web"
