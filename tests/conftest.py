"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.postgresql import postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# A busy machine is slow now and then; how long things take is measured in benchmarks/, not here.
# Where a test asks for no number of examples it gets 70, not 100: all tests are to end within 20 minutes.
settings.register_profile("house", deadline=None, max_examples=70)
settings.load_profile("house")

# The console keeps nothing where whoever runs the tests keeps theirs. Django reads this before any fixture,
# pytest-django after this file unless the settings are named in pyproject.toml.
os.environ["HAIDANG_DATA"] = tempfile.mkdtemp(prefix="haidang-tests-")
os.environ["DJANGO_SETTINGS_MODULE"] = "haidang.console.settings"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the console be tested on another database."""
    parser.addoption(
        "--postgresql", action="store_true", help="test the console on a PostgreSQL that is started for it"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the settings, so that pytest-django sets Django up."""
    # Workers of pytest-xdist have the database of the process that started them.
    if config.getoption("--postgresql") and not hasattr(config, "workerinput"):
        stack = ExitStack()
        os.environ["DATABASE_URL"] = stack.enter_context(postgresql())
        config.add_cleanup(stack.close)
    from django.conf import settings as console

    assert console.DATABASES
    config.add_cleanup(lambda: shutil.rmtree(os.environ["HAIDANG_DATA"], ignore_errors=True))


REPOSITORY = Path(__file__).resolve().parent.parent
CORPORA = REPOSITORY.parent / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Folder of real rules and logs beside the repository; the test is skipped where it is absent."""
    if not CORPORA.is_dir():
        pytest.skip("no ../shared/corpora beside the repository")
    return CORPORA


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; the test is skipped where there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no chromium on PATH (apt-get install chromium, or name one in CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = driver.chromium.launch(executable_path=found, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(autouse=True, scope="session")
def _no_indicators_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no test, and no command that one starts, see the indicators that whoever runs them keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield
