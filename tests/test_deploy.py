"""What ``deploy/`` holds is what systemd, and the build of an image, can take."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
DEPLOY = REPOSITORY / "deploy"
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze (Debian: systemd)")
@pytest.mark.parametrize("part", ["haidang", "haidang-part@receive"])
def test_systemd_understands_every_line_of_the_units(tmp_path: Path, part: str) -> None:
    name = re.sub("@.*", "@", part)
    text = (DEPLOY / f"{name}.service").read_text(encoding="utf-8")
    unit = tmp_path / f"{part}.service"
    unit.write_text(text.replace("/opt/haidang/bin/haidang", sys.executable), encoding="utf-8")
    command = [str(ANALYZE), "verify", "--man=no", str(unit)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", sorted(path.name for path in DEPLOY.glob("*.service")))
def test_the_command_of_a_unit_is_one_of_ours(unit: str) -> None:
    text = (DEPLOY / unit).read_text(encoding="utf-8")
    found = re.search(r"^ExecStart=/opt/haidang/bin/haidang (.+)$", text, re.MULTILINE)
    assert found is not None
    filled = found[1].replace("%i", "receive").replace("${HAIDANG_PORT}", "8220")
    command = [sys.executable, "-m", "haidang", *shlex.split(filled), "--no-such-option"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={"LANG": "C"})
    # All but the last is known.
    assert run.returncode == 2
    assert run.stderr.startswith("haidang: There is no option --no-such-option.")


def test_the_image_is_built_of_what_is_there() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert names
    for name in names:
        assert (REPOSITORY / name).exists(), name
    # What the package is built of is among it.
    assert {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "src"} <= set(names)
