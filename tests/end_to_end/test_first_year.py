"""The tutorial of a unit's first year, command by command, as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "a-unit-first-year.md"


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = "".join(block for block in blocks if "pip install" not in block)
    assert script.count("haidang ") > 12
    # The haidang of the environment that runs the tests, whatever PATH says.
    function = f'haidang() {{ "{sys.executable}" -m haidang "$@"; }}\n'
    environ = {**os.environ, "LANG": "en_US.UTF-8", "XDG_DATA_HOME": str(tmp_path / "data")}
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", function + script],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}{run.stderr}"
    assert (tmp_path / "first-year/inbox/report/quarter.csv").read_text() == "units;answered\n12;11\n"
    assert len(list((tmp_path / "first-year/root-shares").glob("*.pdf"))) == 5
    assert "unchanged since it was signed" in run.stdout
