"""Sealing and opening against the ``age`` program, in turns, on the same file; ratios and memory.

python -m benchmarks.protect_seal [FOLDER] [MEBIBYTES] [ROUNDS]

The age program only encrypts; sealing also signs, lists and digests what is inside, and flushes it to the
disk. Memory is the largest resident set of each process, unlocking the key (Argon2id, 64 MiB) apart: our
processes get the keys unlocked. Ours keeps two processors busy, so that other work on the machine
slows it down more: the load is printed, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["main"]

_AGE = "age"

# Ours: the same calls as `haidang seal` and `haidang open`, with keys that need no passphrase.
_PROGRAM = """
import datetime as dt, sys
from pathlib import Path
import pyrage
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from haidang.crypto.certificates import read_certificates
from haidang.crypto.sealing.keys import SealingKey

act, folder = sys.argv[1], Path(sys.argv[2])
now = dt.datetime.fromisoformat(sys.argv[3])
identity = pyrage.x25519.Identity.from_str((folder / "age.key").read_text().strip())
key = SealingKey(str(identity.to_public()), identity)
if act == "seal":
    from haidang.crypto.sealing import Recipient, seal
    from haidang.crypto.signers import Signatory

    certificate, *above = read_certificates(folder / "home/identities/anh/certificate.pem")
    signing = load_pem_private_key((folder / "signing.pem").read_bytes(), None)
    to = [Recipient("Binh", key.recipient)]
    seal(folder / "big", folder / "big.sealed", Signatory(signing, certificate, tuple(above)), to, now=now)
else:
    from haidang.crypto.sealing import open_sealed
    from haidang.crypto.trust import load_trust

    trust = load_trust(folder / "home/trust")
    open_sealed(folder / "big.sealed", [key], trust, folder=folder / "inbox", now=now)
"""


class _Cost(NamedTuple):
    wall: float
    cpu: float
    peak: int


def main(folder: Path, mebibytes: int, rounds: int) -> None:
    """Print the table; everything is made in a new folder inside ``folder``, and taken away."""
    place = Path(tempfile.mkdtemp(prefix="seal-", dir=folder))
    try:
        # In a process of its own: what is measured would begin with the memory of this one.
        made = [sys.executable, "-m", "benchmarks.protect_seal", "prepare", str(place), str(mebibytes)]
        now, recipient = subprocess.run(made, check=True, capture_output=True, text=True).stdout.split()
        key, inbox = place / "age.key", place / "inbox"
        inbox.mkdir()
        ours: list[str | Path] = [sys.executable, "-c", _PROGRAM]
        encrypted, sealed, decrypted = place / "big.age", place / "big.sealed", place / "big.out"
        runs: list[tuple[str, Path, Path, list[str | Path]]] = [
            ("age -r", place / "big", encrypted, [_AGE, "-r", recipient, "-o", encrypted, place / "big"]),
            ("seal", place / "big", sealed, [*ours, "seal", place, now]),
            ("age -d", encrypted, decrypted, [_AGE, "-d", "-i", key, "-o", decrypted, encrypted]),
            ("open", sealed, inbox / "big", [*ours, "open", place, now]),
        ]
        found: dict[str, list[_Cost]] = {name: [] for name, *_ in runs}
        for _ in range(rounds):
            for name, given, output, command in runs:
                _read(given)
                # Right before: each then writes to the memory that its last output has just left. A virtual
                # machine that gives unused memory back gets it anew at a higher cost than that of the work.
                output.unlink(missing_ok=True)
                found[name].append(_run(command))
        _print(found, mebibytes)
    finally:
        shutil.rmtree(place)


def _prepare(place: Path, mebibytes: int) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from haidang.crypto.home import Home
    from haidang.crypto.sealing.keys import make_sealing_key
    from tests.crypto.small_pki import MOMENT, small_pki

    pki = small_pki()
    signatory = pki.signatory()
    pki.into(Home(place / "home"), signatory)
    (place / "signing.pem").write_bytes(
        signatory.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    key = make_sealing_key()
    (place / "age.key").write_text(key.reveal())
    with (place / "big").open("wb") as stream:
        for _ in range(mebibytes):
            stream.write(os.urandom(1 << 20))
    print(MOMENT.isoformat(), key.recipient)


def _read(path: Path) -> None:
    """Have a file in the page cache; ours writes past it, so that it would be there for one of the two only."""
    block = bytearray(1 << 20)
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(block):
            pass


def _run(command: list[str | Path]) -> _Cost:
    begin = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)))
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return _Cost(time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss << 10)


def _print(found: dict[str, list[_Cost]], mebibytes: int) -> None:
    best = {name: min(costs) for name, costs in found.items()}
    load = "/".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"{mebibytes} MiB, best wall of {len(found['seal'])} rounds in turns; load {load}, {os.cpu_count()} processors"
    )
    for name, cost in best.items():
        speed = mebibytes / cost.wall
        print(
            f"  {name:<8} {cost.wall:7.2f} s {cost.cpu:7.2f} s cpu {speed:7.0f} MiB/s {cost.peak / 1e6:6.1f} MB"
        )
    for ours, theirs in (("seal", "age -r"), ("open", "age -d")):
        ratio = best[theirs].wall / best[ours].wall
        print(
            f"  {ours}: {ratio:.2f} × the age program (the bar: 0.6), {best[ours].peak / 1e6:.1f} MB (the bar: 60)"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["prepare"]:
        _prepare(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        given = sys.argv[1:]
        # The disk of the temporary folder unless another is named.
        where, size, times = [*given, *[tempfile.gettempdir(), "1024", "3"][len(given) :]]
        main(Path(where), int(size), int(times))
