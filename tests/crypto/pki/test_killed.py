"""Killed at any moment, an authority is in the state before an act or after it, and goes on from there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from haidang.crypto.certificates import fingerprint
from haidang.crypto.home import Home
from haidang.crypto.pki.authority import OpenAuthority, open_authority
from haidang.crypto.pki.ledger import audit
from haidang.crypto.signers import load_signatory
from tests.crypto.pki.authorities import authorities
from tests.crypto.small_pki import PASSPHRASE

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 8

# Stretching is made cheap, so that the program spends its time in the acts and not before them.
PROGRAM = """
import functools, sys
from pathlib import Path
from haidang.crypto import envelopes
envelopes.lock = functools.partial(envelopes.lock, memory_kib=64, passes=1)
from haidang.crypto.home import Home
from haidang.crypto.pki.authority import open_authority
from haidang.crypto.pki.identities import NewIdentity, issue_identity
from haidang.crypto.pki.issuing import subject_name
from tests.crypto.small_pki import MOMENT, PASSPHRASE

folder, first = Path(sys.argv[1]), int(sys.argv[2])
opened = open_authority(folder / "capphat").unlock(PASSPHRASE)
print("ready", flush=True)
for number in range(first, first + 1000):
    name = f"n{number}"
    wanted = NewIdentity(name, subject_name({"CN": name, "O": "S", "OU": "P"}), sealing=True)
    issue_identity(opened, Home(folder / "home"), wanted, PASSPHRASE, profile="person", days=None, now=MOMENT)
    if number % 2:
        opened.revoke(name, "superseded", now=MOMENT)
"""


def check(both_keys: OpenAuthority, folder: Path, home: Home) -> int:
    """Look at what a killed program left; return how many certificates there are.

    Args:
        both_keys: the issuing authority, for its keys.
        folder: where its folder ``capphat`` is.
        home: where all that it issued was delivered.
    """
    authority = open_authority(folder / "capphat")
    assert audit(authority.records).holds
    # Whoever opens the authority next finishes what was kept but not yet delivered.
    opened = OpenAuthority(authority, both_keys._keys)
    assert authority.records.deliveries() == []
    issued = {kept.name: kept.der for kept in authority.records.certificates()}
    assert {identity.name for identity in home.identities()} == set(issued)
    for identity in home.identities()[-2:]:
        signatory = load_signatory(identity, PASSPHRASE)
        there = x509.load_der_x509_certificate(issued[identity.name])
        assert fingerprint(signatory.certificate) == fingerprint(there)
    number, der = authority.records.last_crl("first")
    on_list = {f"{one.serial_number:x}" for one in x509.load_der_x509_crl(der)} if number else set()
    assert on_list == {one.serial for one in authority.records.revocations()}
    opened.records.close()
    return len(issued)


@pytest.mark.slow
def test_old_state_or_new_state_and_nothing_between(tmp_path: Path) -> None:
    both = authorities(tmp_path)
    both.root.records.close()
    both.issuing.records.close()
    rng = random.Random(20261130)
    issued = 0
    for round_ in range(ROUNDS):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(round_ * 1000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.05, 0.8))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        now_issued = check(both.issuing, tmp_path, Home(tmp_path / "home"))
        assert now_issued >= issued
        issued = now_issued
    assert issued > ROUNDS // 2, "the program was always killed before it did anything"


def test_an_identity_that_was_kept_but_not_delivered_gets_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from haidang.crypto.pki.identities import NewIdentity, issue_identity
    from haidang.crypto.pki.issuing import subject_name
    from tests.crypto.small_pki import MOMENT

    both = authorities(tmp_path)
    home = Home(tmp_path / "home")
    wanted = NewIdentity("anh", subject_name({"CN": "Ánh", "O": "S", "OU": "P"}))

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(OpenAuthority, "_deliver", killed)
        with pytest.raises(KeyboardInterrupt):
            issue_identity(both.issuing, home, wanted, PASSPHRASE, profile="person", days=None, now=MOMENT)
    assert home.identities() == []
    OpenAuthority(both.issuing.authority, both.issuing._keys)
    assert [identity.name for identity in home.identities()] == ["anh"]
    assert load_signatory(home.identity("anh"), PASSPHRASE).certificate.subject == wanted.subject
