"""The commands that look at events look at those kept by column, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from haidang.cli.main import main

SAMPLE = Path(__file__).parent.parent / "events" / "readers" / "samples" / "parquet" / "windows.parquet"


@pytest.mark.parametrize("command", [["stats", "--format", "json"], ["search", "e", "--format", "ndjson"]])
def test_parquet_is_looked_at(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    assert (
        main([command[0], *command[1:2], str(SAMPLE)] if command[0] == "search" else [*command, str(SAMPLE)])
        == 0
    )
    assert "Sysmon" in capsys.readouterr().out
