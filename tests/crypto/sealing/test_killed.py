"""Sealing and opening, killed at any moment: the old state or the new one, and at most a temporary file."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.home import Home
from haidang.crypto.sealing import open_sealed, unfinished
from haidang.crypto.sealing.keys import make_sealing_key
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from pathlib import Path

KEY = make_sealing_key()
ROUNDS = 6
CONTENT = os.urandom(1 << 16) * 400

# The program gets its key on standard input, says when it begins, and does it.
PROGRAM = f"""
import datetime as dt, sys
from pathlib import Path
import pyrage
from haidang.crypto.certificates import read_certificates
from haidang.crypto.home import Home
from haidang.crypto.sealing import Recipient, open_sealed, seal
from haidang.crypto.sealing.keys import SealingKey
from haidang.crypto.signers import Signatory
from haidang.crypto.trust import load_trust
from cryptography.hazmat.primitives.serialization import load_pem_private_key

act, source, target, home = sys.argv[1], *map(Path, sys.argv[2:])
now = dt.datetime.fromisoformat("{MOMENT.isoformat()}")
secret, _, pem = sys.stdin.buffer.read().partition(b"\\n")
identity = pyrage.x25519.Identity.from_str(secret.decode())
key = SealingKey(str(identity.to_public()), identity)
signing = load_pem_private_key(pem, None)
certificate, *authorities = read_certificates(home / "identities" / "anh" / "certificate.pem")
trust = load_trust(home / "trust")
print("begin", flush=True)
if act == "seal":
    signatory = Signatory(signing, certificate, tuple(authorities))
    seal(source, target, signatory, [Recipient("x", key.recipient)], now=now)
else:
    open_sealed(source, [key], trust, folder=target, now=now)
"""


class Bench:
    """A home, something to seal, and the program."""

    def __init__(self, folder: Path) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        self.folder = folder
        pki = small_pki()
        signatory = pki.signatory()
        self.home = Home(folder / "home")
        pki.into(self.home, signatory)
        self.secrets = f"{KEY.reveal()}\n".encode() + signatory.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self.source = folder / "big"
        self.source.write_bytes(CONTENT)

    def run(self, act: str, source: Path, target: Path, after: float | None = None) -> float:
        """Run the program, and kill it ``after`` seconds of work; return how long it worked."""
        command = [sys.executable, "-c", PROGRAM, act, *map(str, (source, target, self.home.path))]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(self.secrets)
            process.stdin.close()
            assert process.stdout.readline() == b"begin\n"
            began = time.monotonic()
            if after is None:
                assert process.wait(60) == 0
            else:
                time.sleep(after)
                process.kill()
                process.wait(60)
            return time.monotonic() - began


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_killed_seal_leaves_no_half_of_a_file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    places = bench.folder / "sealed"
    places.mkdir()
    target = places / "big.age"
    whole = bench.run("seal", bench.source, target)
    draw = random.Random(4)
    for _ in range(ROUNDS):
        target.unlink(missing_ok=True)
        bench.run("seal", bench.source, target, draw.uniform(0, whole))
        names = [path.name for path in places.iterdir()]
        assert all(name == "big.age" or name.startswith(".big.age.") for name in names)
        if target.exists():
            open_sealed(target, [KEY], small_pki().trust(), folder=None, now=MOMENT)
    monkeypatch.setattr(unfinished, "_YOUNG", 0)
    left = [path for path in places.iterdir() if path.name.startswith(".")]
    assert sorted(unfinished.sweep(target)) == sorted(left)


def test_a_killed_open_leaves_nothing_under_its_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.folder / "big.age"
    bench.run("seal", bench.source, path)
    inbox = bench.folder / "inbox"
    inbox.mkdir()
    whole = bench.run("open", path, inbox)
    draw = random.Random(5)
    for _ in range(ROUNDS):
        (inbox / "big").unlink(missing_ok=True)
        bench.run("open", path, inbox, draw.uniform(0, whole))
        names = [one.name for one in inbox.iterdir()]
        assert all(name == "big" or name.startswith(".haidang-open.") for name in names)
        assert not (inbox / "big").exists() or (inbox / "big").read_bytes() == CONTENT
        for one in inbox.glob(".haidang-open.*"):
            assert one.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(unfinished, "_YOUNG", 0)
    left = [one for one in inbox.iterdir() if one.name.startswith(".")]
    assert sorted(unfinished.sweep_folder(inbox)) == sorted(left)
    assert not [one for one in inbox.iterdir() if one.name.startswith(".")]


def test_what_somebody_works_on_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "_YOUNG", 0)
    held = tmp_path / ".x.age.0123456789ab.tmp"
    with held.open("wb") as stream:
        unfinished.claim(stream)
        assert not unfinished.sweep(tmp_path / "x.age")
    assert unfinished.sweep(tmp_path / "x.age") == [held]


def test_what_is_brand_new_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / ".x.age.0123456789ab.tmp").touch()
    assert not unfinished.sweep(tmp_path / "x.age")
