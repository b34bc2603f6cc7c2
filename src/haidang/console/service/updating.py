"""Sources of indicators fetched again on a schedule, by ``haidang intel update`` in a process of its own.

Feeds are large and their servers slow: neither their memory nor their time is detection's. What is new is
taken up as any change of the indicators is (:mod:`haidang.console.service.loading`). Where a source fails,
the indicators that it had stay in use; it is told, and tried again, soon at first.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import Error, close_old_connections, connections
from django.utils import timezone

from haidang.console.service import telling
from haidang.console.service.beside import Beside
from haidang.console.service.loading import indicators_folder
from haidang.errors import HaidangError
from haidang.intel.store import Store

if TYPE_CHECKING:
    from typing import Self

    from haidang.console.service.configuration import Configuration

__all__ = ["Updates"]

_LOG = logging.getLogger(__name__)
_LOOK = 1.0
_SOON = 60.0
"""Seconds until a failure is tried again; they double while it lasts, up to the schedule's own."""
_MOST = 3600.0
"""Seconds that an update may take."""
_NICE = ("nice", "-n", "10")


class Updates(Beside):
    """Keeps a schedule; a context manager that ends it. Without one it does nothing."""

    def __init__(self, configuration: Configuration, *, soon: float = _SOON) -> None:
        """Update as a configuration says; a failure is tried again after ``soon`` seconds, then later."""
        super().__init__("haidang-intel")
        self._configuration = configuration
        self._every = configuration.intel_update if configuration.intel else None
        self._soon = self._pause = soon
        self._due = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        if self._every is not None:
            self._due = time.monotonic() + self._left(self._every)
            super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and an update that runs with it: what it has written is whole."""
        self._ending.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._every is not None:
            super().__exit__()

    @property
    def due(self) -> float:
        """Seconds until the following update."""
        return self._due - time.monotonic()

    def _keep(self) -> None:
        while not self._ending.wait(_LOOK):
            if time.monotonic() < self._due or self._every is None:
                continue
            try:
                close_old_connections()
                self.update(self._every)
            except Error as error:
                _LOG.warning("the database is away: an update is not told", extra={"reason": str(error)})
            except Exception:  # noqa: BLE001 -- whatever it is, the next update is not given up
                _LOG.exception("an update of the indicators fails")
                self._due = time.monotonic() + self._every
        connections.close_all()

    def _left(self, every: float) -> float:
        """Return the seconds until the oldest source is due: a restart is no reason to fetch."""
        folder = indicators_folder(self._configuration)
        try:
            sources = Store(folder).sources() if folder is not None else []
        except HaidangError:
            return 0.0
        oldest = min((one.updated for one in sources if one.location and not one.failed), default=0)
        failed = any(one.failed for one in sources)
        return 0.0 if failed else max(0.0, min(every, oldest + every - time.time()))

    def update(self, every: float) -> None:
        """Update all sources now, and tell how it went; the next time is in ``every`` seconds or sooner."""
        folder = indicators_folder(self._configuration)
        if folder is None or not Store(folder).names():
            self._due = time.monotonic() + every
            return
        problems = self._fetch()
        if self._ending.is_set():
            return
        try:
            problems += [f"{one.name}: {one.failed}" for one in Store(folder).sources() if one.failed]
        except HaidangError as error:
            problems.append(error.message)
        pause = min(self._pause, every) if problems else every
        self._pause = self._pause * 2 if problems else self._soon
        self._due = time.monotonic() + pause
        for problem in problems:
            _LOG.error("indicators are not updated: %s", telling.harmless(problem))
        telling.update(problems, timezone.now() + timedelta(seconds=pause))

    def _fetch(self) -> list[str]:
        """Run the update; return what went wrong besides what sources say of themselves."""
        command = [*_NICE, sys.executable, "-m", "haidang", "intel", "update"]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own command  # nosec B603
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environ,
            )
            with self._process as process:
                try:
                    _, said = process.communicate(timeout=_MOST)
                except subprocess.TimeoutExpired:
                    process.kill()
                    return [f"the update took longer than {_MOST:g} seconds"]
        except OSError as error:
            return [f"the update cannot be started: {error.strerror}"]
        finally:
            self._process = None
        # 3 is said of sources that failed, which say so themselves.
        if process.returncode in {0, 3}:
            return []
        return [said.decode(errors="replace").strip()[-1000:] or f"exit code {process.returncode}"]
