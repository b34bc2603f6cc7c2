"""A time stamping authority as a process of its own, as ``haidang tsa serve`` starts it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.crypto.small_pki import PASSPHRASE, small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from haidang.crypto.home import Home

__all__ = ["secret_file", "serving_authority"]


def secret_file(folder: Path) -> Path:
    """Return a file with the passphrase of the small PKI's identities."""
    path = folder / "secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(PASSPHRASE.reveal())
    return path


@contextlib.contextmanager
def serving_authority(home: Home, secret: Path) -> Iterator[str]:
    """Yield the address of an authority that answers until the block ends; it must then stop by itself."""
    pki = small_pki()
    pki.into(home, pki.signatory("Dấu thời gian", "timestamp", unit=""), "tsa")
    command = [sys.executable, "-m", "haidang", "tsa", "serve", "--home", str(home.path), "--as", "tsa"]
    command += ["--listen", "127.0.0.1:0", "--lang", "en", "--passphrase-file", str(secret)]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stderr is not None
        said = server.stderr.readline()
        match = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert match, said
        try:
            yield match[0]
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(20)
        assert code == 0
        assert "Stopped." in server.stderr.read()
