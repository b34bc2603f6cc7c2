"""``haidang archive`` on the shell, and ``seal`` with a timestamp, against an authority that is served."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from haidang.cli.main import main
from haidang.crypto.home import Home
from tests.cli.serving import secret_file, serving_authority
from tests.crypto.forging.pdf_documents import encrypted_document
from tests.crypto.small_pdf import classic_pdf
from tests.crypto.small_pki import small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Answer = tuple[int, str, str]


class Desk:
    """A person's folder, an authority's address, and what the shell answers."""

    def __init__(self, folder: Path, url: str, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.url = url
        self._capfd = capfd

    def __call__(self, *words: object) -> Answer:
        """Run a command of haidang."""
        self._capfd.readouterr()
        command, *rest = map(str, words)
        options = ["--home", str(self.folder / "home"), "--lang", "en"]
        if command in {"sign", "seal"}:
            options += ["--passphrase-file", str(secret_file(self.folder)), "--tsa", self.url]
        if command == "archive":
            options += ["--tsa", self.url]
        code = main([command, *options, *rest])
        said = self._capfd.readouterr()
        return code, said.out, said.err


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    pki = small_pki()
    pki.into(Home(tmp_path / "home"), pki.signatory())
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "minutes.txt").write_text("what was said\n")
    (documents / "decision.pdf").write_bytes(classic_pdf())
    with serving_authority(Home(tmp_path / "authority"), secret_file(tmp_path)) as url:
        yield Desk(tmp_path, url, capfd)


def _states(desk: Desk, *paths: object) -> dict[str, str]:
    _, out, _ = desk("archive", "status", "--json", *paths)
    found = [json.loads(line) for line in out.splitlines()]
    return {one["path"].rpartition("/")[2]: one["state"] for one in found}


def test_documents_are_kept_looked_at_and_renewed(desk: Desk) -> None:
    documents = desk.folder / "documents"
    assert desk("sign", "--level", "B-T", documents / "minutes.txt")[0] == 0
    pdf = documents / "decision.pdf"
    assert desk("sign", "--level", "B-T", "--force", "--output", pdf, pdf)[0] == 0
    assert _states(desk, documents) == {"minutes.txt.p7s": "not-kept", "decision.pdf": "not-kept"}
    assert desk("archive", "status", documents)[0] == 1
    code, _, err = desk("archive", "keep", documents)
    assert (code, err.count("Archived:")) == (0, 2), err
    package = documents / "minutes.txt.archive.asice"
    assert _states(desk, documents) == {package.name: "kept", "decision.pdf": "kept"}
    assert desk("archive", "status", documents)[0] == 0
    assert "nothing to do" in desk("archive", "renew", documents)[2]
    assert desk("archive", "renew", "--all", documents)[2].count("Renewed:") == 2
    code, out, _ = desk("verify", package, pdf)
    assert code == 0, out
    assert out.count("Nguyễn Thị Ánh") >= 2


def test_an_encrypted_pdf_is_kept_and_renewed_with_its_password(desk: Desk) -> None:
    pdf = desk.folder / "documents" / "decision.pdf"
    pdf.write_bytes(encrypted_document("mật khẩu riêng".encode()))
    secret = desk.folder / "pw"
    secret.touch(mode=0o600)
    secret.write_text("mật khẩu riêng\n")
    password = ("--pdf-password-file", secret)
    assert desk("sign", "--level", "B-T", "--force", "--output", pdf, *password, pdf)[0] == 0
    before = pdf.read_bytes()
    code, _, err = desk("archive", "keep", pdf)
    assert (code, "encrypted with a password" in err, "--pdf-password-file" in err) == (1, True, True), err
    assert pdf.read_bytes() == before
    assert desk("archive", "keep", *password, pdf)[0] == 0
    assert _states(desk, pdf) == {pdf.name: "kept"}
    assert desk("archive", "renew", "--all", *password, pdf)[0] == 0
    assert desk("verify", pdf)[0] == 3, "it cannot be told"
    code, out, _ = desk("verify", *password, pdf)
    assert (code, "PAdES-B-LTA" in out) == (0, True), out


def test_what_does_not_hold_is_not_archived_and_stays_as_it_is(desk: Desk) -> None:
    minutes = desk.folder / "documents" / "minutes.txt"
    desk("sign", "--level", "B-T", minutes)
    minutes.write_text("what was not said\n")
    before = sorted(minutes.parent.iterdir())
    code, _, err = desk("archive", "keep", minutes.parent)
    assert code == 1
    assert "would prove nothing" in err
    assert sorted(minutes.parent.iterdir()) == before


def test_without_an_authority_nothing_is_written(desk: Desk) -> None:
    minutes = desk.folder / "documents" / "minutes.txt"
    desk("sign", "--level", "B-T", minutes)
    before = sorted(minutes.parent.iterdir())
    desk.url = "http://127.0.0.1:9"
    code, _, err = desk("archive", "keep", minutes.parent)
    assert code == 1
    assert "http://127.0.0.1:9" in err
    assert sorted(minutes.parent.iterdir()) == before


def test_a_label_is_signed_into_a_pdf_and_a_container_alike(desk: Desk) -> None:
    documents = desk.folder / "documents"
    container = desk.folder / "both.asice"
    label = ("--label", "tlp: green")
    assert desk("sign", *label, "--container", container, documents / "minutes.txt")[0] == 0
    assert desk("sign", *label, documents / "decision.pdf")[0] == 0
    for path in (container, documents / "decision.signed.pdf"):
        code, out, _ = desk("verify", path)
        assert code == 0, out
        assert "TLP:GREEN" in out


@pytest.mark.skipif(shutil.which("age-keygen") is None, reason="there is no age program")
def test_what_is_sealed_says_when_it_was_signed(desk: Desk) -> None:
    import subprocess

    key = desk.folder / "key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    recipients = desk.folder / "recipients"
    made = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True)
    recipients.write_bytes(made.stdout)
    minutes = desk.folder / "documents" / "minutes.txt"
    assert desk("seal", "--recipients", recipients, minutes)[0] == 0
    container = desk.folder / "inside.asice"
    subprocess.run(["age", "-d", "-i", key, "-o", container, f"{minutes}.age"], check=True)
    code, out, _ = desk("verify", "--need-timestamp", container)
    assert code == 0, out
    assert "as Dấu thời gian proves" in out
