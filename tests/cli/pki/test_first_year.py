"""A unit's first year on the shell: from the root to the address book, in both languages."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from haidang.cli import pki
from haidang.cli._command import grouped_commands
from haidang.cli.main import main
from haidang.crypto import envelopes
from haidang.crypto.home import Home
from tests.cli.serving import secret_file, serving_authority
from tests.crypto.softhsm import MODULE, softhsm_token

NAMES = ["--name", "Nguyễn Thị Ánh", "--organisation", "Sở Y tế", "--unit", "Phòng Văn thư"]
FINGERPRINT = re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}")


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Shell:
    """A folder in which commands run."""

    def __init__(self, capfd: pytest.CaptureFixture[str], lang: str) -> None:
        self.capfd = capfd
        self.lang = lang

    def __call__(self, *arguments: str, code: int = 0) -> Said:
        self.capfd.readouterr()
        found = main(["--lang", self.lang, *arguments])
        said = Said(found, *self.capfd.readouterr())
        assert found == code, said
        for secret in ("mot hai ba bon", "nam sau bay tam", "chin muoi"):
            assert secret not in said.out + said.err
        return said


@pytest.fixture(params=["vi", "en"])
def shell(
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HAIDANG_HOME", str(tmp_path / "home"))
    # Stretching is measured elsewhere.
    cheap = functools.partial(envelopes.lock, memory_kib=64, passes=1)
    monkeypatch.setattr(envelopes, "lock", cheap)
    for name, secret in (("root.pw", "mot hai ba bon"), ("ca.pw", "nam sau bay tam"), ("me.pw", "chin muoi")):
        Path(name).write_text(f"{secret}\n", encoding="utf-8")
        Path(name).chmod(0o600)
    return Shell(capfd, request.param)


def found_authorities(shell: Shell) -> str:
    """Make a root and an issuing authority; return the root's fingerprint."""
    body = ["--organisation", "Tỉnh Mẫu"]
    said = shell("pki", "create-root", "goc", "--name", "Gốc", *body, "--passphrase-file", "root.pw")
    (fingerprint,) = FINGERPRINT.findall(said.err)
    shell("pki", "create-issuing", "ca", "--name", "Cấp phát", *body, "--passphrase-file", "ca.pw")
    shell("pki", "sign", "goc", "ca.csr", "--passphrase-file", "root.pw")
    accept = ["pki", "accept", "ca.pem", "--authority", "ca", "--passphrase-file", "ca.pw"]
    shell(*accept, "--root", "AB:" * 31 + "AB", code=2)
    shell(*accept, "--root", fingerprint)
    return str(fingerprint)


def test_the_first_year(shell: Shell) -> None:
    root = found_authorities(shell)
    shell("pki", "request", "--as", "anh", *NAMES, "--mail", "anh@so.vn", "--passphrase-file", "me.pw")
    assert "Nguyễn Thị Ánh" in shell("pki", "sign", "ca", "anh.csr", "--passphrase-file", "ca.pw").err
    assert root in shell("pki", "accept", "anh.pem").err
    shell("pki", "accept", "anh.pem", "--root", root)
    direct = ["--passphrase-file", "ca.pw", "--new-passphrase-file", "me.pw"]
    unit = ["--profile", "unit", "--name", "Sở Y tế", "--organisation", "Tỉnh Mẫu", *direct]
    shell("pki", "issue", "ca", *unit)
    server = ["--profile", "server", "--name", "so.vn", "--host", "so.vn", *direct]
    shell("pki", "issue", "ca", *server)
    shell("pki", "renew", "ca", "Nguyễn Thị Ánh", "--output", "anh2.pem", "--passphrase-file", "ca.pw")
    shell("pki", "accept", "anh2.pem", "--as", "anh")
    shell("pki", "log", "checkpoint", "ca", "--output", "kept")
    shell("pki", "revoke", "ca", "so.vn", "--reason", "keyCompromise", "--passphrase-file", "ca.pw")
    shell("pki", "revoke", "ca", "so.vn", "--passphrase-file", "ca.pw", code=2)
    shell("pki", "accept", "ca.crl")
    run = subprocess.run(
        ["openssl", "crl", "-inform", "DER", "-in", "ca.crl", "-noout", "-text"],
        capture_output=True,
        check=True,
    )
    assert b"Key Compromise" in run.stdout
    listed = json.loads(shell("pki", "list", "ca", "--json").out)
    assert [row["state"] for row in listed] == ["renewed", "valid", "revoked", "valid"]
    assert shell("pki", "list", "ca").out.count("\n") == 5
    assert "so.vn" in shell("pki", "show", "ca", "so.vn").err
    shell("pki", "show", "ca")
    shell("pki", "show", "anh.pem")
    shell("pki", "log", "verify", "ca", "--checkpoint", "kept")
    assert json.loads(shell("pki", "log", "verify", "ca", "--json").out)["holds"] is True
    assert len(shell("pki", "log", "show", "ca").out.splitlines()) == 10
    shell("pki", "export", "ca", "--output", "trust.pem")
    run = subprocess.run(
        ["openssl", "verify", "-CAfile", "trust.pem", "trust.pem"], capture_output=True, check=True
    )
    assert b"OK" in run.stdout
    shell("addressbook", "publish", "ca", "--passphrase-file", "ca.pw")
    shell("addressbook", "import", "ca-addressbook.asice", "--home", "elsewhere", code=3)
    shell("addressbook", "import", "ca-addressbook.asice", "--home", "elsewhere", "--root", root)
    found = json.loads(shell("addressbook", "search", "van", "thu", "--json", "--home", "elsewhere").out)
    assert [entry["name"] for entry in found["entries"]] == ["Nguyễn Thị Ánh"]
    assert found["age_days"] == 0
    shell("addressbook", "search", "nobody", "--home", "elsewhere", code=1)
    shell("addressbook", "export", "copy.asice", "--home", "elsewhere")
    assert Path("copy.asice").read_bytes() == Path("ca-addressbook.asice").read_bytes()
    shell("addressbook", "show", "--home", "nowhere", code=2)


def test_an_address_book_with_a_timestamp_says_when_it_was_signed(shell: Shell, tmp_path: Path) -> None:
    root = found_authorities(shell)
    known = Home(tmp_path / "known")
    publish = ["addressbook", "publish", "ca", "--passphrase-file", "ca.pw", "--home", "known"]
    with serving_authority(known, secret_file(tmp_path)) as url:
        shell(*publish, "--tsa", url)
    shell(*publish, "--tsa", url, "--output", "none.asice", code=2)
    assert not Path("none.asice").exists()
    taken = shell("addressbook", "import", "ca-addressbook.asice", "--home", "known", "--root", root)
    assert "Dấu thời gian" in taken.err
    assert "Dấu thời gian" in shell("addressbook", "show", "--home", "known", code=1).err
    found = json.loads(shell("addressbook", "show", "--json", "--home", "known", code=1).out)
    assert found["proven"] >= found["issued"]
    assert found["time_authority"]["name"] == "Dấu thời gian"


def test_a_passphrase_is_changed_and_the_old_one_opens_nothing(shell: Shell) -> None:
    found_authorities(shell)
    shell("pki", "passphrase", "ca", "--passphrase-file", "me.pw", "--new-passphrase-file", "root.pw", code=2)
    shell("pki", "passphrase", "ca", "--passphrase-file", "ca.pw", "--new-passphrase-file", "me.pw")
    shell("pki", "crl", "ca", "--passphrase-file", "ca.pw", code=2)
    shell("pki", "crl", "ca", "--passphrase-file", "me.pw")
    shell("pki", "log", "verify", "ca")


def test_an_issuing_authority_is_renewed_and_gets_the_roots_newer_list(shell: Shell) -> None:
    root = found_authorities(shell)
    before = Path("goc.crl")
    shell("pki", "crl", "goc", "--passphrase-file", "root.pw", "--output", "old.crl")
    shell("pki", "renew", "goc", "Cấp phát", "--output", "new.pem", "--passphrase-file", "root.pw")
    shell("pki", "crl", "goc", "--passphrase-file", "root.pw")
    accept = ["--authority", "ca", "--passphrase-file", "ca.pw"]
    shell("pki", "accept", "new.pem", *accept, "--root", root)
    for name in ("goc.crl", "old.crl"):
        shell("pki", "accept", name, *accept)
    shell("pki", "log", "verify", "ca")
    from haidang.crypto.pki.authority import open_authority

    with open_authority(Path("ca")) as authority:
        assert before.read_bytes() in authority.crls().values()
        assert len(authority.records.parent_crls()) == 1


def test_the_ceremony(shell: Shell) -> None:
    found_authorities(shell)
    split = ["pki", "ceremony", "split", "goc", "--passphrase-file", "root.pw", "--holder", "Trần Văn Bình"]
    shell(*split)
    sheets = sorted(Path("goc-shares").iterdir())
    assert {sheet.stat().st_mode & 0o777 for sheet in sheets} == {0o600}
    files: list[str] = []
    for sheet in sheets[1:4]:
        text = subprocess.run(
            ["pdftotext", "-layout", sheet, "-"], capture_output=True, text=True, check=True
        )
        words = dict(re.findall(r"(\d+)\. +([a-z]{4,})", text.stdout))
        share = sheet.with_suffix(".txt")
        share.write_text(" ".join(words[str(i)] for i in range(1, 34)), encoding="utf-8")
        share.chmod(0o600)
        files += ["--share-file", str(share)]
    shell("pki", "ceremony", "check", "goc", *files[:4], code=2)
    shell("pki", "ceremony", "check", "goc", *files, "--forget")
    shell("pki", "crl", "goc", "--passphrase-file", "root.pw", code=2)
    shell("pki", "ceremony", "restore", "goc", *files, "--passphrase-file", "ca.pw")
    shell("pki", "crl", "goc", "--passphrase-file", "ca.pw")
    Path(files[1]).chmod(0o644)
    shell("pki", "ceremony", "check", "goc", *files, code=2)
    shell(*split[:4], "--passphrase-file", "ca.pw", "--holder", "x", code=2)


def test_shares_are_typed_column_by_column(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.pki.ceremony import split

    found_authorities(shell)
    shares = split(Path("goc"), Passphrase(b"mot hai ba bon"))[:3]
    typed = [" ".join(w[:4] for w in share.words[i : i + 11]) for share in shares for i in (0, 11, 22)]
    # A wrong column is asked for again.
    typed.insert(1, "wrong words")
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return typed.pop(0)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", answer)
    shell("pki", "ceremony", "check", "goc")
    assert typed == []
    assert len(asked) == 10


def test_without_a_terminal_no_passphrase_is_waited_for(shell: Shell) -> None:
    found_authorities(shell)
    assert "--passphrase-file" in shell("pki", "crl", "goc", code=2).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["crl", "nowhere"],
        ["sign", "goc", "nowhere.csr"],
        ["create-root", "goc", "--name", "x", "--organisation", "y", "--passphrase-file", "root.pw"],
        ["create-root", "neu", "--name", "x", "--passphrase-file", "root.pw"],
        ["create-root", "neu", "--name", "x", "--organisation", "y", "--crl-url", "nonsense"],
        ["create-root", "neu", "--name", "x", "--organisation", "y", "--token", "t"],
        ["create-root", "neu", "--name", "x", "--organisation", "y", "--algorithm", "rsa-512"],
        ["revoke", "ca", "x", "--reason", "boredom", "--passphrase-file", "ca.pw"],
        ["create-root", "neu", "--name=x", "--organisation=y", "--days=-5", "--passphrase-file", "me.pw"],
        ["crl", "ca", "--days", "0", "--passphrase-file", "ca.pw"],
        ["crl", "ca", "--passphrase-file", "root.pw"],
        ["accept", "ca.pw"],
        ["log", "erase", "ca"],
        ["ceremony", "split", "ca", "--threshold", "9", "--passphrase-file", "ca.pw"],
        ["show", "ca", "nobody"],
        ["frobnicate"],
        [],
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_said_with_what_to_do(arguments: list[str], shell: Shell) -> None:
    found_authorities(shell)
    said = shell("pki", *arguments, code=2)
    assert said.out == ""
    assert len(said.err.splitlines()) >= 2
    assert "Traceback" not in said.err


def test_an_authority_in_a_token(shell: Shell) -> None:
    token = softhsm_token()
    Path("pin").write_text("83467291", encoding="utf-8")
    Path("pin").chmod(0o600)
    chosen = ["--token", token, "--token-library", str(MODULE), "--passphrase-file", "pin"]
    root = shell("pki", "create-root", "goc", "--name", "Gốc", "--organisation", "Tỉnh Mẫu", *chosen)
    assert "83467291" not in root.out + root.err
    assert {path.name for path in Path("goc").iterdir()} == {"authority.db", "token.json"}
    shell("pki", "crl", "goc", "--passphrase-file", "pin")
    shell("pki", "ceremony", "split", "goc", "--passphrase-file", "pin", code=2)
    shell("pki", "request", *NAMES, *chosen, "--as", "anh")
    from haidang.crypto.pki.requests import read_requests

    assert len(read_requests(Path("anh.csr").read_bytes(), "anh.csr")) == 1
    shell("pki", "request", *NAMES, *chosen, "--as", "binh", "--second", code=2)
    shell("pki", "log", "verify", "goc")


def test_an_altered_log_ends_with_one(shell: Shell) -> None:
    import sqlite3

    found_authorities(shell)
    shell("pki", "log", "checkpoint", "ca", "--output", "kept")
    with sqlite3.connect("ca/authority.db") as connection:
        connection.execute("DELETE FROM log WHERE number = (SELECT max(number) FROM log)")
    connection.close()
    shell("pki", "log", "verify", "ca", "--checkpoint", "kept", code=1)
    assert json.loads(shell("pki", "log", "verify", "ca", "--json", code=1).out)["holds"] is False
    shell("pki", "crl", "ca", "--passphrase-file", "ca.pw", code=2)


@pytest.mark.parametrize("name", sorted(grouped_commands(pki.__name__, pki.__path__)))
def test_every_command_explains_itself(name: str, shell: Shell) -> None:
    assert len(shell("pki", name, "--help").out.splitlines()) > 5


@pytest.mark.parametrize("second", [False, True])
def test_the_server_answers_openssl_and_says_for_which_chain_it_cannot(
    *, second: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.crypto.pki.authorities import authorities, order
    from tests.crypto.small_pki import MOMENT, PASSPHRASE

    monkeypatch.chdir(tmp_path)
    import urllib.request

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    from haidang.crypto.certificates import write_certificates
    from haidang.crypto.keys import make_key
    from haidang.crypto.pki.identities import NewIdentity, issue_identity
    from haidang.crypto.pki.issuing import subject_name

    both = authorities(tmp_path, second=True)
    (leaf,) = both.issuing.issue(order(), now=MOMENT)
    (other,) = both.issuing.issue(order(public_key=make_key("ml-dsa-65").public_key()), now=MOMENT)
    asked = ocsp.OCSPRequestBuilder().add_certificate(
        other, both.issuing.issuer("second").certificate, hashes.SHA256()
    )
    wanted = NewIdentity("ocsp", subject_name({"CN": "OCSP"}), second=second)
    issue_identity(
        both.issuing, Home(tmp_path / "home"), wanted, PASSPHRASE, profile="ocsp", days=None, now=MOMENT
    )
    write_certificates([leaf], Path("leaf.pem"))
    write_certificates([both.issuing.authority.chain()[0]], Path("issuer.pem"))
    write_certificates([both.issuing.authority.chain()[1]], Path("root.pem"))
    Path("pw").write_bytes(PASSPHRASE.reveal())
    Path("pw").chmod(0o600)
    program = "import sys; from haidang.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "--lang=en", "pki", "ocsp", "capphat", "--home", "home"]
    command += ["--passphrase-file", "pw", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as server:
        assert server.stderr is not None
        if not second:
            assert "ML-DSA" in server.stderr.readline()
        url = re.search(r"http://\S+", server.stderr.readline())
        assert url
        question = asked.build().public_bytes(Encoding.DER)
        request = urllib.request.Request(
            url[0], question, {"Content-Type": "application/ocsp-request"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            found = ocsp.load_der_ocsp_response(response.read())
        expected = ocsp.OCSPResponseStatus.SUCCESSFUL if second else ocsp.OCSPResponseStatus.UNAUTHORIZED
        assert found.response_status is expected
        ask = ["openssl", "ocsp", "-issuer", "issuer.pem", "-cert", "leaf.pem", "-url", url[0]]
        run = subprocess.run([*ask, "-CAfile", "root.pem"], capture_output=True, text=True, check=False)
        server.terminate()
    assert "leaf.pem: good" in run.stdout, run.stderr
    assert "Response verify OK" in run.stderr
