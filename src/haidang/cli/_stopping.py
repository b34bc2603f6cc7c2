"""Being told to end (SIGTERM, SIGHUP) is being stopped by the user: what was begun is put away.

Service managers, containers, ``timeout`` and a closed terminal say it that way. Python would end at once and
leave a half-written file behind under its temporary name.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["heeding_termination"]


@contextlib.contextmanager
def heeding_termination() -> Iterator[None]:
    """Raise KeyboardInterrupt where the process is told to end; one that was told to ignore it still does."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
