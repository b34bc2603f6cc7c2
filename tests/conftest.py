"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow now and then; how long things take is measured in benchmarks/, not here.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

REPOSITORY = Path(__file__).resolve().parent.parent
CORPORA = REPOSITORY.parent / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Folder of real rules and logs beside the repository; the test is skipped where it is absent."""
    if not CORPORA.is_dir():
        pytest.skip("no ../shared/corpora beside the repository")
    return CORPORA
