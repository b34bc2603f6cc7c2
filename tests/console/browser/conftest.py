"""The service as people meet it: a server of its own with the demo's data, and Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.console.browser.sitting import PASSWORD, SECRET
from tests.console.identity import running_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.console.browser.sitting import Seat
    from tests.console.identity import Provider

ROOT = Path(__file__).parents[3]

_MAKE = f"""
from pathlib import Path
from haidang.console.setup import set_up
set_up()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from haidang.console.demo import find_story, make_demo
make_demo(find_story(Path("samples/logs")), {PASSWORD!r})
from allauth.mfa.totp.internal.auth import TOTP
from haidang.console.people.models import User
TOTP.activate(User.objects.get(username="lanhdao"), {SECRET!r})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its data."""
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def provider(browser: Browser) -> Iterator[Provider]:
    """An identity provider that the console knows."""
    del browser
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def served(browser: Browser, folder: Path, provider: Provider) -> Iterator[str]:
    """The address of a running console with the demo in it."""
    del browser  # Without one, nothing is made.
    environment = {
        **os.environ,
        "HAIDANG_DATA": str(folder),
        "HAIDANG_OIDC_URL": provider.address,
        "HAIDANG_OIDC_CLIENT": "haidang",
        "HAIDANG_OIDC_SECRET": "only we two know",
        "HAIDANG_OIDC_NAME": "Cổng xác thực tỉnh",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment.pop("DATABASE_URL", None)
    subprocess.run([sys.executable, "-c", _MAKE], cwd=ROOT, env=environment, check=True, timeout=300)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "uvicorn", "haidang.console.asgi:application", "--host", "127.0.0.1",
        "--port", str(port), "--lifespan", "off", "--log-level", "warning",
        "--timeout-graceful-shutdown", "1",
    ]  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            for _ in range(300):
                try:
                    with urlopen(f"{address}/account/login/", timeout=5):
                        break
                except (URLError, OSError):
                    time.sleep(0.1)
            else:
                pytest.fail((folder / "server.log").read_text(encoding="utf-8"))
            yield address
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture
def seats(browser: Browser, served: str) -> Iterator[list[Seat]]:
    """Those who sit before a screen; at the end nothing may have been complained of."""
    made: list[Seat] = []
    yield made
    complaints = [complaint for seat in made for complaint in seat.complaints]
    for seat in made:
        seat.context.close()
    assert not complaints
