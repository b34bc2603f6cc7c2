"""``haidang tsa serve`` and ``haidang timestamp``, as processes; OpenSSL judges."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from haidang.crypto.home import Home
from tests.crypto.small_pki import PASSPHRASE, small_pki

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_stamped_by_our_own_authority_which_stops_when_it_is_told(tmp_path: Path) -> None:
    pki, home = small_pki(), Home(tmp_path / "home")
    pki.into(home, pki.signatory("Dấu thời gian", "timestamp", unit=""), "tsa")
    (tmp_path / "secret").write_bytes(PASSPHRASE.reveal())
    (tmp_path / "secret").chmod(0o600)
    document = tmp_path / "báo cáo.csv"
    document.write_bytes(b"1,2\n")
    haidang = [sys.executable, "-m", "haidang"]
    serve = [*haidang, "tsa", "serve", "--home", str(home.path), "--listen", "127.0.0.1:0", "--lang", "en"]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*serve, "--passphrase-file", str(tmp_path / "secret")],
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    ) as server:
        assert server.stderr is not None
        said = server.stderr.readline()
        match = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert match, said
        stamp = [*haidang, "timestamp", "--home", str(home.path), "--tsa", match[0], "--lang", "en"]
        done = subprocess.run([*stamp, str(document)], capture_output=True, text=True, check=False)
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        assert "Stopped." in server.stderr.read()
    assert done.returncode == 0, done.stderr
    verify = [*haidang, "verify", "--home", str(home.path), "--lang", "en", f"{document}.tsr"]
    assert subprocess.run(verify, capture_output=True, text=True, check=False).returncode == 0
    command = ["openssl", "ts", "-verify", "-data", str(document), "-in", f"{document}.tsr"]
    command += ["-CAfile", str(home.trust / "anchors" / "root.pem")]
    command += ["-untrusted", str(home.trust / "authorities" / "issuing.pem")]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Verification: OK" in judged.stdout, judged.stderr
