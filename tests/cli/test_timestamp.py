"""``haidang tsa serve`` and ``haidang timestamp``, as processes; OpenSSL judges."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from haidang.crypto.home import Home
from tests.cli.serving import secret_file, serving_authority

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_stamped_by_our_own_authority_which_stops_when_it_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    document = tmp_path / "báo cáo.csv"
    document.write_bytes(b"1,2\n")
    haidang = [sys.executable, "-m", "haidang"]
    with serving_authority(home, secret_file(tmp_path)) as url:
        stamp = [*haidang, "timestamp", "--home", str(home.path), "--tsa", url, "--lang", "en"]
        done = subprocess.run([*stamp, str(document)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verify = [*haidang, "verify", "--home", str(home.path), "--lang", "en", f"{document}.tsr"]
    assert subprocess.run(verify, capture_output=True, text=True, check=False).returncode == 0
    command = ["openssl", "ts", "-verify", "-data", str(document), "-in", f"{document}.tsr"]
    command += ["-CAfile", str(home.trust / "anchors" / "root.pem")]
    command += ["-untrusted", str(home.trust / "authorities" / "issuing.pem")]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Verification: OK" in judged.stdout, judged.stderr
