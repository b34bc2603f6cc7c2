"""``haidang sign`` and ``haidang verify`` as a clerk uses them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haidang.cli.main import main
from haidang.crypto.home import Home
from tests.crypto.forging.pdf_documents import encrypted_document
from tests.crypto.small_pdf import classic_pdf
from tests.crypto.small_pki import PASSPHRASE, small_pki

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "reference" / "verdict.schema.json"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    pki = small_pki()
    folder = tmp_path / "home"
    pki.into(Home(folder), pki.signatory())
    secret = folder / "passphrase"
    secret.write_bytes(PASSPHRASE.reveal() + b"\n")
    secret.chmod(0o600)
    return folder


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(command: str, *arguments: object, lang: str = "en") -> tuple[int, str, str]:
        capfd.readouterr()
        options = ["--home", str(home), "--lang", lang]
        if command == "sign":
            options += ["--passphrase-file", str(home / "passphrase")]
        code = main([command, *options, *map(str, arguments)])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def files(tmp_path: Path) -> tuple[Path, Path]:
    text, pdf = tmp_path / "báo cáo.csv", tmp_path / "quyết định.pdf"
    text.write_bytes(b"1,2\n")
    pdf.write_bytes(classic_pdf())
    return text, pdf


def test_many_files_are_signed_with_one_passphrase_and_one_that_fails_stops_no_other(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    text, pdf = files(tmp_path)
    code, out, err = run("sign", text, tmp_path / "missing", pdf)
    assert code == 1
    assert "báo cáo.csv.p7s" in out
    assert "quyết định.signed.pdf" in out
    assert "missing" in err
    assert "3 files: 2 signed, 1 not" in err
    code, out, _ = run("verify", text, tmp_path / "quyết định.signed.pdf")
    assert code == 0, out
    assert out.count("Nguyễn Thị Ánh — Phòng Văn thư, Sở Y tế tỉnh Mẫu") == 2


def test_nothing_is_overwritten_unless_it_is_asked_for(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    text, _ = files(tmp_path)
    assert run("sign", text)[0] == 0
    before = (tmp_path / "báo cáo.csv.p7s").read_bytes()
    assert run("sign", text)[0] == 1
    assert (tmp_path / "báo cáo.csv.p7s").read_bytes() == before
    assert run("sign", text, "--force")[0] == 0


def test_the_exit_code_tells_what_holds_from_what_does_not(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    text, pdf = files(tmp_path)
    run("sign", text)
    assert run("verify", text)[0] == 0
    assert run("verify", text, "--need-timestamp")[0] == 3
    assert run("verify", text, "--at", "2040-01-01")[0] == 3
    code, out, _ = run("verify", pdf)
    assert (code, "not signed" in out) == (1, True)
    text.write_bytes(b"1,3\n")
    code, out, _ = run("verify", text)
    assert code == 1
    assert "NOT VALID" in out
    assert "CHANGED since it was signed" in out
    assert run("verify", tmp_path / "nowhere")[0] == 2


def test_the_evidence_is_json_of_a_published_form(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    text, pdf = files(tmp_path)
    run("sign", text)
    code, out, _ = run("verify", text, pdf, "--json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert code == 1
    assert [one["holds"] for one in document["files"]] == [True, False]


def test_a_container_holds_several_files(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    text, pdf = files(tmp_path)
    assert run("sign", text, pdf, "--container", tmp_path / "all.asice")[0] == 0
    code, out, _ = run("verify", tmp_path / "all.asice")
    assert code == 0
    assert "quyết định.pdf" in out


def secret(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def test_an_encrypted_pdf_is_signed_and_verified_with_its_password_of_a_file(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    pdf, signed = tmp_path / "kín.pdf", tmp_path / "kín.signed.pdf"
    pdf.write_bytes(encrypted_document("mật khẩu riêng".encode()))
    text, _ = files(tmp_path)
    code, _, err = run("sign", pdf)
    assert (code, "--pdf-password-file" in err, signed.exists()) == (1, True, False)
    password = ("--pdf-password-file", secret(tmp_path / "pw", "mật khẩu riêng\n".encode()))
    assert run("sign", pdf, text, *password)[0] == 0
    code, out, _ = run("verify", signed)
    assert (code, "--ask-pdf-password" in out) == (3, True), "it cannot be told"
    assert run("verify", signed, text, *password)[0] == 0
    wrong = ("--pdf-password-file", secret(tmp_path / "wrong", b"wrong"))
    code, out, _ = run("verify", signed, *wrong)
    assert (code, "another one" in out) == (3, True)
    assert run("verify", signed, *password, "--ask-pdf-password")[0] == 2


def test_the_password_of_a_pdf_is_typed_and_shown_nowhere(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = tmp_path / "kín.pdf"
    pdf.write_bytes(encrypted_document(b"very private"))
    asked: list[str] = []
    code, _, err = run("sign", pdf, "--ask-pdf-password")
    assert (code, "Use --pdf-password-file FILE." in err) == (2, True), "there is no terminal"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)

    def type_it(question: str) -> str:
        asked.append(question)
        return "very private"

    monkeypatch.setattr("getpass.getpass", type_it)
    for command, path in (("sign", pdf), ("verify", tmp_path / "kín.signed.pdf")):
        code, out, err = run(command, path, "--ask-pdf-password")
        assert code == 0, (out, err)
        assert "very private" not in out + err
    assert asked == ["Password of the PDF files: "] * 2


def test_a_password_that_others_can_read_is_refused(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    _, pdf = files(tmp_path)
    (tmp_path / "open").write_bytes(b"x")
    (tmp_path / "open").chmod(0o644)
    assert run("verify", pdf, "--pdf-password-file", tmp_path / "open")[0] == 2


def test_wrong_usage_is_two(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    text, pdf = files(tmp_path)
    assert run("sign", text, pdf, "--output", "x")[0] == 2
    assert run("sign", text, "--level", "B-X")[0] == 2
    assert run("sign", text, "--level", "B-T")[0] == 2, "there is no authority for timestamps"
    assert run("sign", text, "--label", "TLP:BLUE")[0] == 2
    assert run("sign", text, "--label", "TLP:RED")[0] == 2, "it may leave only sealed"
    assert run("verify", text, pdf, "--signature", "x")[0] == 2


def test_verification_of_a_file_imports_neither_pyhanko_nor_a_client_for_http(
    tmp_path: Path, home: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    text, _ = files(tmp_path)
    run("sign", text)
    program = (
        "import sys; from haidang.cli.main import main\n"
        f"code = main(['verify', '--home', {str(home)!r}, {str(text)!r}])\n"
        "print(sorted({'pyhanko', 'aiohttp', 'requests', 'c2pa', 'pyrage', 'rich'} & set(sys.modules)), code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"
