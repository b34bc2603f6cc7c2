"""A running ``haidang serve`` with a folder of its own, talked to as shippers and people do."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tests.postgresql import own_database

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

__all__ = ["Service", "free_port"]

_SECONDS = 60
_ADDRESS = re.compile(r"http://[^/ ]+")


def free_port() -> int:
    """Return a port that nobody listens at just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


class Service:
    """Started on a free port; a context manager that ends it with SIGTERM.

    Where the tests run on PostgreSQL, it has a database of its own there, unless ``environ`` names another's.
    """

    def __init__(self, folder: Path, *options: str, environ: Mapping[str, str] | None = None) -> None:
        """Start it."""
        self.folder = folder
        self.environ = {**os.environ, "HAIDANG_DATA": str(folder), "LANG": "en_US.UTF-8", **(environ or {})}
        self._options = options
        self._stack = ExitStack()
        self.address = ""
        self.said: list[str] = []

    def __enter__(self) -> Self:
        """Wait until it answers."""
        url = self.environ.get("DATABASE_URL")
        if url and url == os.environ.get("DATABASE_URL"):
            self.environ["DATABASE_URL"] = self._stack.enter_context(own_database(url))
        try:
            self.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it, if it has not ended."""
        with self._stack:
            if self.process.poll() is None:
                self.stop()

    def start(self, *options: str) -> None:
        """Start it (again) and wait until it answers."""
        started = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "haidang", "serve", "--port", "0", *self._options, *options],
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

        def listen() -> None:
            assert self.process.stderr is not None
            with self.process.stderr as said:
                for line in said:
                    self.said.append(line)
                    if found := _ADDRESS.search(line):
                        self.address = found[0]
                        started.set()
            started.set()

        self._listening = threading.Thread(target=listen, daemon=True)
        self._listening.start()
        assert started.wait(_SECONDS), self.said
        assert self.process.poll() is None, self.said

    def stop(self) -> int:
        """End it as an operator does; return the exit code."""
        self.process.terminate()
        code = self.process.wait(_SECONDS)
        self._listening.join(_SECONDS)
        return code

    def django(self, code: str) -> Any:
        """Run code that prints JSON, with the service's database."""
        prologue = "import django, json; django.setup()\n"
        done = subprocess.run(
            [sys.executable, "-c", prologue + code],
            env={**self.environ, "DJANGO_SETTINGS_MODULE": "haidang.console.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def source(self, name: str, unit: str = "BV") -> str:
        """Make a source of a unit; return its token, which the service knows within a second or two."""
        token: str = self.django(
            "from haidang.console.units.models import Unit\n"
            "from haidang.console.sources.models import Source\n"
            f"unit, _ = Unit.objects.get_or_create(code={unit!r}, defaults={{'name': {unit!r}}})\n"
            f"source = Source(unit=unit, name={name!r}); token = source.new_token(); source.save()\n"
            "print(json.dumps(token))"
        )
        self.until(lambda: self.post("/ingest", b"\n", token)[0] != 401)
        return token

    def alerts(self) -> list[dict[str, Any]]:
        """Return title, entity and count of each alert, and its unit."""
        found: list[dict[str, Any]] = self.django(
            "from haidang.console.alerts.models import Alert\n"
            "print(json.dumps(list(Alert.objects.values('title', 'entity', 'count', 'unit__code'))))"
        )
        return found

    def sources(self) -> set[str]:
        """Return the names of the sources of which there are alerts."""
        found: list[str] = self.django(
            "from haidang.console.alerts.models import Alert\n"
            "print(json.dumps(list(Alert.objects.values_list('source__name', flat=True))))"
        )
        return set(found)

    def post(self, path: str, data: bytes, token: str = "", **headers: str) -> tuple[int, bytes]:
        """Send something; return the status and the answer."""
        request = urllib.request.Request(self.address + path, data, headers)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    @staticmethod
    def until(holds: Any, seconds: float = _SECONDS) -> None:
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it never held"
            time.sleep(0.1)
