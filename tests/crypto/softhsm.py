"""A token of SoftHSM2, made once a process: its library reads where tokens are when it is loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from haidang.crypto.passphrases import Passphrase

__all__ = ["MODULE", "PIN", "softhsm_token"]

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = Passphrase(b"83467291")


def softhsm_token() -> str:
    """Return the label of a token whose PIN is PIN; skip the test where there is no SoftHSM2."""
    if not MODULE.exists() or not shutil.which("softhsm2-util"):
        pytest.skip("no SoftHSM2 on this machine")
    return _made()


@cache
def _made() -> str:
    folder = Path(tempfile.mkdtemp(prefix="haidang-softhsm-"))
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    label = "thử nghiệm"
    command = ["softhsm2-util", "--init-token", "--free", "--label", label]
    pins = ["--pin", PIN.reveal().decode(), "--so-pin", "12345678"]
    subprocess.run([*command, *pins], check=True, stdout=subprocess.DEVNULL)
    return label
