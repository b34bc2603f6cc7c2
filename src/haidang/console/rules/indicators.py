"""The indicators that are kept on this machine, for pages: loaded in the background, again when they change.

Where detection runs elsewhere there may be none here; what detection works with, it tells itself
(:class:`~haidang.console.rules.models.Loaded`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from haidang.console.rules import catalogue
from haidang.errors import HaidangError
from haidang.intel.place import store_folder
from haidang.intel.store import Store

if TYPE_CHECKING:
    from haidang.intel.store import Intel

__all__ = ["Indicators", "known", "looked"]

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 30.0
_FIRST_SECONDS = 1.0


class Indicators:
    """Everything that is kept, as of some seconds ago."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._intel: Intel | None = None
        self._state = ""
        self._next = 0.0
        self._lock = threading.Lock()
        self._ready = threading.Event()

    def known(self) -> Intel | None:
        """Return what is known; at the very first somebody waits for it, but not for long."""
        with self._lock:
            due = time.monotonic() >= self._next
            if due:
                self._next = time.monotonic() + _LOOK_SECONDS
        if due:
            threading.Thread(target=self.look, name="indicators", daemon=True).start()
        self._ready.wait(_FIRST_SECONDS)
        return self._intel

    @property
    def looked(self) -> bool:
        """Whether what is known is all there is, and not still being loaded."""
        return self._ready.is_set()

    def look(self) -> None:
        """Load what changed."""
        try:
            folder = store_folder(os.environ) if catalogue.configuration().intel else None
            store = Store(folder) if folder is not None and folder.is_dir() else None
            state = store.state() if store is not None else ""
            if state != self._state:
                self._intel = store.compiled() if store is not None and store.names() else None
                self._state = state
        except (HaidangError, OSError):
            _LOG.exception("indicators cannot be loaded")
        self._ready.set()


_INDICATORS = Indicators()


def looked() -> bool:
    """Return whether :func:`known` has all there is: a million indicators take some seconds at first."""
    return _INDICATORS.looked


def known() -> Intel | None:
    """Return the indicators that are kept here; None for none, or as long as they are being loaded."""
    return _INDICATORS.known()
