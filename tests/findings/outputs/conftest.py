"""A page of many findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.findings.outputs._opened import write
from tests.findings.outputs.synthetic import findings, summary

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("html") / "many.html", findings(2_000), summary(2_000))
