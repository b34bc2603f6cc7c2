"""Fixtures that every test may use."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine is slow now and then; how long things take is measured in benchmarks/, not here.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# The console keeps nothing where whoever runs the tests keeps theirs; Django reads this before any fixture.
os.environ["HAIDANG_DATA"] = tempfile.mkdtemp(prefix="haidang-tests-")

REPOSITORY = Path(__file__).resolve().parent.parent
CORPORA = REPOSITORY.parent / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Folder of real rules and logs beside the repository; the test is skipped where it is absent."""
    if not CORPORA.is_dir():
        pytest.skip("no ../shared/corpora beside the repository")
    return CORPORA


@pytest.fixture(autouse=True, scope="session")
def _no_indicators_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no test, and no command that one starts, see the indicators that whoever runs them keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield
