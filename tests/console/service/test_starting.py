"""What happens before the first request, in parts that start together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_START = """
from pathlib import Path
from haidang.console.setup import set_up
set_up()
from django.conf import settings
from haidang.console.service.starting import make_first_person, migrate
migrate()
print(make_first_person(Path(settings.DATA)))
"""


def test_parts_that_start_together_make_one_database_and_one_administrator(tmp_path: Path) -> None:
    environ = {**os.environ, "HAIDANG_DATA": str(tmp_path)}
    environ.pop("DATABASE_URL", None)
    parts = [
        subprocess.Popen(
            [sys.executable, "-c", _START],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [part.communicate(timeout=120) for part in parts]
    assert [part.returncode for part in parts] == [0, 0, 0], said
    told = Counter(out.strip() for out, _ in said)
    assert told == {"None": 2, str(tmp_path / "first-password"): 1}
