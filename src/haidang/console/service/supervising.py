"""A part of the service in a process of its own, started again whenever it ends by itself."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

__all__ = ["Supervised"]

_LOG = logging.getLogger(__name__)
_SHORTEST = 0.5
_LONGEST = 30.0
"""Seconds until it is started again; they double while it keeps ending soon."""
_STEADY = 60.0
"""Seconds after which an end is no longer soon."""
_GRACE = 20.0
"""Seconds that it has to end when it is told to."""


class Supervised:
    """Keeps a command running; a context manager that ends it."""

    def __init__(self, command: Sequence[str]) -> None:
        """Run ``command``, which ends on SIGTERM."""
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="haidang-supervisor", daemon=True)

    def __enter__(self) -> Self:
        """Start it."""
        self._start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, by force where it does not listen."""
        self._ending.set()
        with self._lock:
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._thread.join()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid if self._process is not None else 0

    def _start(self) -> None:
        with self._lock:
            if not self._ending.is_set():
                self._process = subprocess.Popen(self._command)  # noqa: S603 -- our own command  # nosec B603

    def _keep(self) -> None:
        pause = _SHORTEST
        while not self._ending.is_set():
            process = self._process
            if process is None:
                return
            began = time.monotonic()
            code = process.wait()
            if self._ending.is_set():
                return
            pause = _SHORTEST if time.monotonic() - began > _STEADY else min(pause * 2, _LONGEST)
            if not code and self._ending.wait(_SHORTEST):
                return  # Both were told to end, as by Ctrl-C.
            _LOG.error("a part of the service ended and is started again", extra={"code": code, "in": pause})
            if not self._ending.wait(pause):
                self._start()
