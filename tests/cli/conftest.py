"""A folder to scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli._scanning import event, rule

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with ``rules/`` (a: high, b: low) and ``logs/`` in which each is satisfied once."""
    for name in ("LANGUAGE", "HAIDANG_ARCHIVE_PASSWORD", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    rule(tmp_path / "rules", "a", "\\evil.exe", "high", "stable", "attack.t1059")
    rule(tmp_path / "rules", "b", "\\odd.exe", "low", "experimental", "attack.t1003.001")
    (tmp_path / "logs").mkdir()
    lines = [event("evil.exe", 1), event("calm.exe", 1), event("odd.exe", 3, "WS02")]
    (tmp_path / "logs" / "host.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path
