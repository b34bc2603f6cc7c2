"""A pipe between two threads of one process, bounded, on which an error of one side reaches the other.

pyrage holds the interpreter's lock while it encrypts and lets go of it when it reads and writes; hashing and
files let go of it, too. So two threads on such a pipe use two processors.
"""

from __future__ import annotations

import io
import threading
from collections import deque

__all__ = ["AbandonedError", "BytePipe"]

_BLOCK = 1 << 19


class AbandonedError(Exception):
    """The other side has given up; its own error says why."""


class BytePipe:
    """Bytes go in with :meth:`write` and come out with :meth:`read`, in order.

    One thread writes and one reads. At most ``most`` blocks of about 512 KiB are in it.
    """

    def __init__(self, most: int = 4) -> None:
        """Hold up to ``most`` blocks."""
        self._most = most
        self._blocks: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._gathered: list[bytes | memoryview] = []
        self._gathered_size = 0
        self._closed = False
        self._abandoned = False
        # The reader's own: what it is handing out.
        self._current = io.BytesIO()

    def write(self, data: bytes | memoryview) -> int:
        """Take ``data``, waiting for room.

        Raises:
            AbandonedError: Nobody will read it.
        """
        self._gathered.append(data)
        self._gathered_size += len(data)
        if self._gathered_size >= _BLOCK:
            self._pass_on()
        return len(data)

    def flush(self) -> None:
        """Do nothing: blocks go on when they are full, and all of them at the close."""

    def close(self) -> None:
        """Say that everything was written."""
        self._pass_on()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Give up, from either side: the other gets an :class:`AbandonedError`."""
        with self._changed:
            self._abandoned = True
            self._blocks.clear()
            self._changed.notify_all()

    def abandon_unless_closed(self) -> None:
        """Give up where :meth:`close` was not reached."""
        if not self._closed:
            self.abandon()

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes, waiting for some; none at the end.

        Raises:
            AbandonedError: The writer has given up.
        """
        data = self._current.read(size)
        if data or not size:
            return data
        self._current = io.BytesIO(self._next())
        return self._current.read(size)

    def _next(self) -> bytes:
        with self._changed:
            while not self._blocks:
                if self._abandoned:
                    raise AbandonedError
                if self._closed:
                    return b""
                self._changed.wait()
            block = self._blocks.popleft()
            self._changed.notify_all()
            return block

    def _pass_on(self) -> None:
        if not self._gathered:
            return
        block = b"".join(self._gathered)
        self._gathered.clear()
        self._gathered_size = 0
        with self._changed:
            while len(self._blocks) >= self._most and not self._abandoned:
                self._changed.wait()
            if self._abandoned:
                raise AbandonedError
            self._blocks.append(block)
            self._changed.notify_all()
