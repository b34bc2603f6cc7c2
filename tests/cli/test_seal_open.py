from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from haidang.cli import open as opening
from haidang.cli import seal as sealing
from haidang.cli._command import Context, parse
from haidang.crypto.home import Home
from haidang.crypto.sealing.keys import make_sealing_key, save_sealing_key
from haidang.i18n import translator
from tests.crypto.small_pki import MOMENT, PASSPHRASE, small_pki

if TYPE_CHECKING:
    from pathlib import Path


class Desk:
    """A clerk's home, a passphrase file and a folder with something to seal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        pki = small_pki()
        self.anh = pki.into(self.home, pki.signatory(), "anh")
        self.key = make_sealing_key()
        save_sealing_key(self.key, self.anh.sealing_key, PASSPHRASE)
        secret = folder / "passphrase"
        secret.touch(mode=0o600)
        secret.write_bytes(PASSPHRASE.reveal())
        self.recipients = folder / "keys.txt"
        self.recipients.write_text(
            f"# Trần Văn Bình | Phòng Tổ chức\n{self.key.recipient}\n", encoding="utf-8"
        )
        self.report = folder / "báo cáo.txt"
        self.report.write_text("bí mật", encoding="utf-8")

    def run(self, command: str, *arguments: object, lang: str = "en") -> tuple[int, str, str]:
        """Run ``haidang seal`` or ``haidang open``; return exit code, standard output and error."""
        out, err = io.BytesIO(), io.StringIO()
        context = Context(translator(lang), {}, out, err, lambda: int(MOMENT.timestamp()) * 10**9)
        chosen = {"seal": sealing.COMMAND, "open": opening.COMMAND}[command]
        own = ["--home", str(self.home.path), "--passphrase-file", str(self.folder / "passphrase")]
        parsed = parse(chosen, [*map(str, arguments), *own], context.translate)
        return chosen.run(parsed, context), out.getvalue().decode(), err.getvalue()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_is_sealed_opens_and_says_from_whom_it_is(desk: Desk) -> None:
    code, out, _ = desk.run(
        "seal", "--recipients", desk.recipients, "--to", "Trần Văn Bình", "--label", "tlp:amber",
        "--expires", "2026-12-31", "--for-your-eyes", "--subject", "Quý III", desk.report,
    )  # fmt: skip
    assert code == 0
    assert "For          Trần Văn Bình (Phòng Tổ chức)" in out
    sealed = desk.folder / "báo cáo.txt.age"
    inbox = desk.folder / "inbox"
    inbox.mkdir()
    code, out, err = desk.run("open", sealed, "--output", inbox)
    assert code == 0, err
    assert (inbox / "báo cáo.txt").read_text(encoding="utf-8") == "bí mật"
    for said in (
        "Sealed by    Nguyễn Thị Ánh — Phòng Văn thư, Sở Y tế tỉnh Mẫu",
        "Subject      Quý III",
        "Marking      TLP:AMBER; for the named recipients' eyes only",
        "Use until    2026-12-31",
        "Signed by    Nguyễn Thị Ánh",
    ):
        assert said in out


def test_json_holds_envelope_and_evidence_and_show_writes_nothing(desk: Desk) -> None:
    desk.run("seal", "--to-self", desk.report)
    before = sorted(path.name for path in desk.folder.iterdir())
    code, out, _ = desk.run(
        "open", "--show", "--json", desk.folder / "báo cáo.txt.age", "--output", desk.folder
    )
    assert code == 0
    (told,) = json.loads(out)["files"]
    assert told["envelope"]["sender"]["name"] == "Nguyễn Thị Ánh"
    assert told["verdict"]["holds"] is True
    assert told["opened"] is None
    assert sorted(path.name for path in desk.folder.iterdir()) == before


def test_a_stranger_s_file_is_a_question_of_keys_and_a_damaged_one_is_not(desk: Desk) -> None:
    desk.recipients.write_text(f"# Ai đó\n{make_sealing_key().recipient}\n", encoding="utf-8")
    desk.run("seal", "--recipients", desk.recipients, desk.report)
    sealed = desk.folder / "báo cáo.txt.age"
    code, _, err = desk.run("open", sealed, "--output", desk.folder)
    assert (code, "not sealed to you" in err) == (2, True)
    sealed.unlink()
    desk.run("seal", "--to-self", desk.report)
    content = bytearray(sealed.read_bytes())
    content[-20] ^= 1
    sealed.write_bytes(content)
    desk.report.unlink()
    code, _, err = desk.run("open", sealed, "--output", desk.folder)
    assert (code, "damaged" in err) == (1, True)
    assert not desk.report.exists()


def test_nothing_is_overwritten(desk: Desk) -> None:
    desk.run("seal", "--to-self", desk.report)
    code, _, err = desk.run("open", desk.folder / "báo cáo.txt.age", "--output", desk.folder)
    assert (code, "is there already" in err) == (2, True)
    assert desk.report.read_text(encoding="utf-8") == "bí mật"


def test_a_signer_whom_nobody_vouches_for_is_not_believed(desk: Desk) -> None:
    desk.run("seal", "--to-self", desk.report)
    desk.report.unlink()
    for path in desk.home.trust.rglob("*.pem"):
        path.unlink()
    sealed = desk.folder / "báo cáo.txt.age"
    code, _, err = desk.run("open", sealed, "--output", desk.folder)
    assert code == 3
    assert "which need not be true" in err
    assert not desk.report.exists()
    code, out, _ = desk.run("open", sealed, "--output", desk.folder, "--accept-indeterminate")
    assert code == 0
    assert "Caution" in out
    assert desk.report.exists()


def with_certificate(desk: Desk) -> Path:
    """Give the desk an identity lan with a certificate for encryption; return the certificate."""
    from haidang.crypto.certificates import write_certificates
    from haidang.crypto.keys import save_key
    from tests.crypto.sealing.mails import RSA

    lan = desk.home.new_identity("lan")
    save_key(RSA.key, lan.signing_key, PASSPHRASE)
    write_certificates([RSA.certificate], lan.certificate)
    return lan.certificate


def test_a_mail_for_who_has_only_a_certificate_is_sealed_and_opened(desk: Desk) -> None:
    code, out, err = desk.run("seal", "--as", "anh", "--to-certificate", with_certificate(desk), desk.report)
    assert (code, "báo cáo.txt.eml" in out) == (0, True), err
    desk.report.unlink()
    mail = desk.folder / "báo cáo.txt.eml"
    code, out, err = desk.run("open", "--as", "lan", mail, "--output", desk.folder)
    assert code == 0, err
    assert "S/MIME" in out
    assert desk.report.read_text(encoding="utf-8") == "bí mật"
    code, _, err = desk.run("open", "--as", "anh", mail, "--output", desk.folder)
    assert (code, "not sealed to you" in err) == (2, True)


def test_an_altered_subject_of_a_mail_is_named_and_can_be_accepted(desk: Desk) -> None:
    to = with_certificate(desk)
    code, _, err = desk.run(
        "seal", "--as", "anh", "--to-certificate", to, "--subject", "Quý III", desk.report
    )
    assert code == 0, err
    mail = desk.folder / "báo cáo.txt.eml"
    mail.write_bytes(mail.read_bytes().replace(b"Subject: ", b"Subject: [EXTERNAL] "))
    desk.report.unlink()
    code, _, err = desk.run("open", "--as", "lan", mail, "--output", desk.folder)
    assert (code, desk.report.exists()) == (3, False)
    assert "Sealed: Quý III. Now: [EXTERNAL] Quý III" in err
    code, out, _ = desk.run("open", "--as", "lan", mail, "--json", "--show")
    (told,) = json.loads(out)["files"]
    assert (code, told["code"], told["verdict"]["indication"]) == (3, "header-altered", "INDETERMINATE")
    code, out, _ = desk.run("open", "--as", "lan", mail, "--output", desk.folder, "--accept-indeterminate")
    assert (code, "[EXTERNAL]" in out, desk.report.exists()) == (0, True, True)
