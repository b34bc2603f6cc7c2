"""Writes large files past the page cache, in a thread, from the slots of a ring.

What is flushed to the disk in the end is not there earlier for lying in the page cache before, and copying it
there costs as much of a processor as encrypting it does.

Rules:

- Only what begins and ends where a page does goes past the cache: full slots do. The rest takes the usual
  way.
- Where the file system cannot, everything takes the usual way, and the disk begins early
  (:class:`haidang.crypto.files.EarlyWriting`).
- Nothing is sure to be on the disk before ``fsync``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING, Self

from haidang.crypto.files import EarlyWriting
from haidang.crypto.sealing._age_process import Ring, RingReader, RingWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

__all__ = ["FileFilling", "fill", "filling_alongside"]

_PAGE = 4096
_SLOT, _SLOTS = 1 << 20, 3
_WORTH_A_THREAD = 2 << 20
"""Bytes of a file from which on a thread pays."""


def fill(descriptor: int, source: RingReader) -> None:
    """Write what a ring brings into a file, and leave the ring.

    Args:
        descriptor: the file, of which nothing was written yet.
        source: the ring; its slots are a multiple of a page.

    Raises:
        OSError: It cannot be written.
        EOFError: Whoever fills the ring is gone.
    """
    with source:
        flags, direct, possible = fcntl.fcntl(descriptor, fcntl.F_GETFL), False, True
        early, size = EarlyWriting(descriptor), 0
        while piece := source.take():
            while piece:
                wanted = possible and not (size | len(piece)) % _PAGE
                try:
                    if wanted != direct:
                        direct = wanted
                        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_DIRECT if direct else flags)
                    written = os.write(descriptor, piece)
                except OSError as error:
                    if error.errno != errno.EINVAL or not direct:
                        raise
                    possible = False
                    continue
                piece = piece[written:]
                size += written
            if not direct:
                early.grown(size)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)


@contextlib.contextmanager
def filling_alongside(descriptor: int, source: RingReader) -> Iterator[Future[None]]:
    """Yield what becomes of :func:`fill`, done in a thread; it has ended when the block has.

    The block must have whoever fills the ring finish, or leave it.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, "file") as thread:
        yield thread.submit(fill, descriptor, source)


class FileFilling:
    """A file that is written: at once when it is small, otherwise past the page cache."""

    def __init__(self, descriptor: int) -> None:
        """Write into the file ``descriptor``, of which nothing was written yet; use it as a context."""
        self._descriptor = descriptor
        self._first: list[bytes] = []
        self._size = 0
        self._writer: RingWriter | None = None
        self._future: Future[None] | None = None
        self._leaving = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._leaving:
            if kind is None:
                self._finish()

    def write(self, chunk: bytes) -> None:
        """Take a chunk, which must not change.

        Raises:
            OSError: The file cannot be written.
        """
        if self._writer is not None:
            self._pass_on(self._writer, chunk)
            return
        self._first.append(chunk)
        self._size += len(chunk)
        if self._size >= _WORTH_A_THREAD:
            ring = Ring(_SLOT, _SLOTS)
            # Left in the other order: who writes first, then the thread, which sees that and ends.
            self._future = self._leaving.enter_context(
                filling_alongside(self._descriptor, RingReader(ring.emptying))
            )
            self._writer = self._leaving.enter_context(RingWriter(ring.filling))
            for one in self._first:
                self._pass_on(self._writer, one)
            self._first.clear()

    def _pass_on(self, writer: RingWriter, chunk: bytes) -> None:
        try:
            writer.write(chunk)
        except EOFError:
            self._wait()
            raise

    def _finish(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(EOFError):
                self._writer.finish()
            self._wait()
            return
        for chunk in self._first:
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _wait(self) -> None:
        if self._future is not None:
            self._future.result()
