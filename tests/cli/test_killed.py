"""The commands as processes, killed (SIGKILL) before each of their changes, and at random moments.

The state is the old one or the new one; what a killed run leaves has a name that begins with a dot, and is
closed to others where it holds what they must not see; and the same command goes through afterwards.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from haidang.crypto.files import write_whole
from haidang.crypto.home import Home
from haidang.crypto.pki.authority import OpenAuthority, open_authority
from haidang.crypto.pki.identities import NewIdentity, issue_identity
from haidang.crypto.pki.issuing import subject_name
from haidang.crypto.sealing.keys import make_sealing_key, save_sealing_key
from tests.cli.serving import secret_file
from tests.crypto.pki.authorities import Authorities, authorities
from tests.crypto.pki.test_killed import check
from tests.crypto.small_pki import PASSPHRASE, small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = b"b\xc3\xad m\xe1\xba\xadt: nobody else may read this"
ROUNDS = 4


class Desk:
    """A clerk's home, somebody who works with it, and processes that may be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        pki = small_pki()
        anh = pki.into(self.home, pki.signatory())
        save_sealing_key(make_sealing_key(), anh.sealing_key, PASSPHRASE)
        self.options = ["--home", str(self.home.path), "--lang", "en"]
        self.unlock = ["--passphrase-file", str(secret_file(folder))]
        self.desk = folder / "desk"
        self.desk.mkdir()
        self.report = self.desk / "report.txt"
        write_whole(self.report, SECRET, mode=0o600)

    def start(self, *arguments: object, fatal: int = 0) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.cli.mortal", str(fatal), str(self.folder)]
        return subprocess.Popen(
            [*command, *map(str, arguments), *self.unlock],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def run(self, *arguments: object, fatal: int = 0) -> tuple[int, str]:
        """Run a command, which dies before its change number ``fatal``; return exit code and errors."""
        with self.start(*arguments, fatal=fatal) as process:
            _, said = process.communicate(timeout=60)
        return process.returncode, said.decode()

    def succeeds(self, *arguments: object) -> int:
        """Run a command to its end; return how many changes it made."""
        code, said = self.run(*arguments)
        assert code == 0, said
        found = re.search(r"changes=(\d+)", said)
        assert found
        return int(found[1])

    def killed(self, *arguments: object) -> Iterator[int]:
        """Kill a command before its first change, its second, …; yield after each, until it lives."""
        for fatal in itertools.count(1):
            code, said = self.run(*arguments, fatal=fatal)
            if code != -signal.SIGKILL:
                assert fatal > 2, f"it was never killed: {said}"
                return
            yield fatal

    def left(self, *, but: tuple[str, ...]) -> list[Path]:
        """Return what lies on the desk beside what belongs there; it must be hidden."""
        found = [path for path in self.desk.iterdir() if path.name not in but]
        assert all(path.name.startswith(".") for path in found), found
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_killed_seal_leaves_a_sealed_file_or_none(desk: Desk) -> None:
    sealed = desk.desk / "report.txt.age"
    seal = ["seal", "--to-self", desk.report, *desk.options]
    for _ in desk.killed(*seal):
        for path in desk.left(but=("report.txt", "report.txt.age")):
            assert SECRET not in path.read_bytes()
        if sealed.exists():
            desk.succeeds("open", "--show", sealed, "--output", desk.desk, *desk.options)
            sealed.unlink()
        assert desk.report.read_bytes() == SECRET
    assert sealed.exists()


@pytest.mark.slow
def test_a_killed_open_leaves_the_plaintext_under_its_name_or_closed_to_others(desk: Desk) -> None:
    sealed = desk.folder / "report.txt.age"
    desk.succeeds("seal", "--to-self", desk.report, "--output", sealed, *desk.options)
    desk.report.unlink()
    opening = ["open", sealed, "--output", desk.desk, *desk.options]
    for _ in desk.killed(*opening):
        for path in desk.left(but=("report.txt",)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
            for inside in path.rglob("*"):
                assert stat.S_IMODE(inside.stat().st_mode) & 0o077 == 0
        if desk.report.exists():
            assert desk.report.read_bytes() == SECRET
            desk.report.unlink()
    assert desk.report.read_bytes() == SECRET


def test_a_killed_sign_leaves_a_signature_that_holds_or_none(desk: Desk) -> None:
    signature = desk.desk / "report.txt.p7s"
    sign = ["sign", desk.report, *desk.options]
    for _ in desk.killed(*sign):
        desk.left(but=("report.txt", "report.txt.p7s"))
        if signature.exists():
            assert verified(desk, desk.report)
            signature.unlink()
    assert verified(desk, desk.report)


def test_a_killed_sign_leaves_the_signature_that_it_was_to_replace(desk: Desk) -> None:
    desk.succeeds("sign", desk.report, *desk.options)
    for _ in desk.killed("sign", "--force", desk.report, *desk.options):
        desk.left(but=("report.txt", "report.txt.p7s"))
        assert verified(desk, desk.report)


def verified(desk: Desk, path: Path) -> bool:
    command = [sys.executable, "-m", "haidang", "verify", str(path), *desk.options]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("act", ["seal", "open"])
def test_killed_at_any_moment_among_the_work_of_others(act: str, desk: Desk) -> None:
    content = os.urandom(1 << 16) * 500
    source, sealed = desk.desk / "big", desk.folder / "big.age"
    source.write_bytes(content)
    seal = ["seal", "--to-self", source, "--output", sealed, *desk.options]
    opening = ["open", sealed, "--output", desk.desk, *desk.options]
    desk.succeeds(*seal)
    command, result = (seal, sealed) if act == "seal" else (opening, source)
    draw = random.Random(20261130)
    result.unlink()
    began = time.monotonic()
    desk.succeeds(*command)
    whole = time.monotonic() - began
    for _ in range(ROUNDS):
        result.unlink()
        with desk.start(*command) as process:
            # The first half is the start of the interpreter, which changes nothing.
            time.sleep(draw.uniform(0.4 * whole, whole))
            process.kill()
            process.communicate(timeout=60)
        for path in desk.left(but=("big", "report.txt")):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        if act == "open" and not result.exists():
            desk.succeeds(*command)
        elif act == "seal" and result.exists():
            desk.succeeds("open", "--show", sealed, "--output", desk.desk, *desk.options)
        elif act == "seal":
            desk.succeeds(*command)
        assert source.read_bytes() == content


class Office(Desk):
    """Somebody who runs an issuing authority."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.both: Authorities = authorities(folder)
        self.both.root.records.close()
        self.both.issuing.records.close()
        self.authority = folder / "capphat"
        # ``check`` compares the identities of ``home`` with what was issued.
        self.options = ["--lang", "en"]
        self.people = Home(folder / "people")

    def issue(self, name: str) -> list[str]:
        named = ["--name", name, "--organisation", "S", "--unit", "P", "--as", name]
        secret = ["--new-passphrase-file", str(secret_file(self.folder))]
        return ["pki", "issue", str(self.authority), *named, *secret, "--home", str(self.people.path)]

    def issued(self, name: str) -> None:
        """Issue an identity in this process, which is faster."""
        opened = OpenAuthority(open_authority(self.authority), self.both.issuing._keys)
        wanted = NewIdentity(name, subject_name({"CN": name, "O": "S", "OU": "P"}))
        issue_identity(
            opened, self.people, wanted, PASSPHRASE, profile="person", days=None, now=dt.datetime.now(dt.UTC)
        )
        opened.records.close()

    def revoked(self) -> set[int]:
        """Return the serial numbers that were revoked."""
        with open_authority(self.authority) as authority:
            return {int(one.serial, 16) for one in authority.records.revocations()}

    def checked(self) -> int:
        """Return how many certificates the authority issued, once it was seen that all agrees."""
        issued = check(self.both.issuing, self.folder, self.people)
        hidden = [path for path in self.people.path.rglob(".*") if path.is_dir()]
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in hidden)
        return issued


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.slow
def test_a_killed_issue_issued_and_delivered_or_did_nothing(office: Office) -> None:
    issued = changes = 0
    # Every other change: each takes most of a second.
    for fatal in itertools.count(1, 2):
        code, said = office.run(*office.issue(f"n{fatal}"), *office.options, fatal=fatal)
        now_issued = office.checked()
        assert now_issued - issued in {0, 1}
        issued = now_issued
        if code == 0:
            break
        assert code == -signal.SIGKILL, said
        changes = fatal
    assert changes > 20
    assert 1 < issued < changes


@pytest.mark.slow
def test_a_killed_revoke_revoked_or_did_nothing(office: Office) -> None:
    crl = office.folder / "capphat.crl"
    before: set[int] = set()
    late = 0
    for fatal in itertools.count(1):
        office.issued(f"n{fatal}")
        revoke = ["pki", "revoke", office.authority, f"n{fatal}", "--reason", "keyCompromise"]
        code, said = office.run(*revoke, *office.options, fatal=fatal)
        office.checked()
        after = office.revoked()
        assert len(after - before) in {0, 1}
        # The list that others may fetch is whole: of the state before, or of the state after.
        assert listed(crl) in (before, after)
        if code == 0:
            break
        assert code == -signal.SIGKILL, said
        if listed(crl) != after:
            # Kept, but not yet in the file: who does it again is told, and how to go on.
            late += 1
            code, said = office.run(*revoke, *office.options)
            assert (code, "revoked already" in said, "haidang pki crl" in said) == (2, True, True), said
            office.succeeds("pki", "crl", office.authority, *office.options)
            assert listed(crl) == after
        before = after
    assert listed(crl) == after
    assert fatal > 5
    assert late


def listed(path: Path) -> set[int]:
    """Return the serial numbers on a revocation list, which must be one that can be read, or absent."""
    if not path.exists():
        return set()
    return {one.serial_number for one in x509.load_der_x509_crl(path.read_bytes())}
