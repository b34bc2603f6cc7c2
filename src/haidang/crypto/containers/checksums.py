"""Checksums of a stream of blocks, taken in a thread each while the blocks are read and written on.

hashlib, ISA-L and zlib let go of the interpreter's lock while they work on a block, so that another processor
does it.

Example::

    digest = hashlib.sha256()
    with alongside(digest.update) as update:
        for block in blocks:
            update(block)
            write(block)
    print(digest.hexdigest())
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING

try:
    # 0.02 s of a processor per GB, for which no thread pays; zlib 1.2.13 takes 0.32 s.
    from isal.isal_zlib import crc32
except ModuleNotFoundError:
    from zlib import crc32

    _CRC_IS_FAST = False
else:
    _CRC_IS_FAST = True

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["BLOCK", "Crc32", "alongside"]

BLOCK = 1 << 20
"""Bytes of a block: so many that passing one on costs little, so few that some of them stay in the caches."""

_BEHIND = 4
"""Blocks that a thread may be behind; they stay in memory until then."""
_WORTH_A_THREAD = 1 << 16
"""Bytes of a block from which on a thread pays."""


class Crc32:
    """The CRC-32 of zip (ISO 3309)."""

    def __init__(self) -> None:
        """Begin."""
        self.value = 0

    def update(self, block: bytes | memoryview, /) -> None:
        """Take the next block."""
        self.value = crc32(block, self.value)

    def alongside(self) -> contextlib.AbstractContextManager[Callable[[bytes], object]]:
        """Return what :func:`alongside` does, in a thread only where it takes its time."""
        return contextlib.nullcontext(self.update) if _CRC_IS_FAST else alongside(self.update)


@contextlib.contextmanager
def alongside(
    take: Callable[[bytes], object], *, threads: bool = True
) -> Iterator[Callable[[bytes], object]]:
    """Yield what passes blocks on to ``take``, in order; when the block of code ends, it had them all.

    Args:
        take: called with one block at a time, from another thread where there are several large ones. The
            blocks must not change.
        threads: False calls it from this one: where another process is slower than all of this, a thread
            takes memory and saves no time.
    """
    if not threads:
        yield take
        return
    queue = _Queue(take)
    try:
        yield queue.put
        queue.wait(0)
    finally:
        queue.close()


class _Queue:
    """What a thread has yet to take."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self._first = True
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[object]] = deque()

    def put(self, block: bytes) -> None:
        if self._thread is None:
            # Most files are one block: a thread would cost more than it saves.
            if self._first or len(block) < _WORTH_A_THREAD:
                self._first = False
                self._take(block)
                return
            from concurrent.futures import ThreadPoolExecutor

            _keep_memory()
            self._thread = ThreadPoolExecutor(1, "checksum")
        self._waiting.append(self._thread.submit(self._take, block))
        self.wait(_BEHIND)

    def wait(self, most: int) -> None:
        """Wait until at most ``most`` blocks are left."""
        while len(self._waiting) > most:
            self._waiting.popleft().result()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)


def _keep_memory() -> None:
    """Have the C library reuse the memory of blocks.

    Otherwise it gives each back to the system, and gets it anew, page by page. glibc sets by the largest one
    that was given back what it keeps (mallopt(3), M_MMAP_THRESHOLD); this one is never written to, so that it
    takes no memory.
    """
    bytes(24 << 20)
