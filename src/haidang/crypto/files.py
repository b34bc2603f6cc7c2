"""Files that appear whole or not at all, with the permissions that they need from the first byte on.

Rules:

- A file is written under a temporary name in its own folder, flushed to the disk, and renamed; whoever is
  killed in between leaves what was there before, and at most a file named ``.NAME.….tmp``.
- The disk begins to write a large file while the rest is made (:class:`EarlyWriting`), so that flushing it at
  the end does not take its time anew.
- What holds a secret, or plaintext that was sealed, has mode 0600 before it has content.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from typing import IO, TYPE_CHECKING

from haidang.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PRIVATE", "PUBLIC", "EarlyWriting", "appearing", "read_bounded", "sync_folder", "write_whole"]

PRIVATE = 0o600
PUBLIC = 0o644

_STRETCH = 32 << 20
"""Bytes of a file that the disk is asked to write at once."""


class EarlyWriting:
    """Has the disk begin to write what is in a growing file, which only a flush makes sure of."""

    def __init__(self, descriptor: int) -> None:
        """Follow the file that is open as ``descriptor``, of which nothing was written yet."""
        self._descriptor = descriptor
        self._begun = 0

    def grown(self, size: int) -> None:
        """Hear that ``size`` bytes are in the file; stretches that are full are begun."""
        ready = size - self._begun
        if ready >= _STRETCH:
            # Pages that are not on the disk yet are not dropped by this advice; their writing begins.
            with contextlib.suppress(OSError):
                os.posix_fadvise(self._descriptor, self._begun, ready, os.POSIX_FADV_DONTNEED)
            self._begun = size


@contextlib.contextmanager
def appearing(path: Path, *, mode: int = PUBLIC, replace: bool = True) -> Iterator[IO[bytes]]:
    """Yield a stream whose bytes become the file ``path`` when the block ends without an error.

    Args:
        path: where the file appears.
        mode: its permissions, in force before the first byte (the process's umask does not widen them).
        replace: whether a file that is there is replaced.

    Raises:
        OutputError: The file cannot be written, or is there and must not be replaced.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        if not replace and os.path.lexists(path):
            raise _exists(path)
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(descriptor, "w+b") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if replace:
                temporary.replace(path)
            else:
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    raise _exists(path) from None
                temporary.unlink()
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="Name another place, or make room and check the permissions of the folder.",
        ) from error


def write_whole(path: Path, content: bytes, *, mode: int = PUBLIC, replace: bool = True) -> None:
    """Write ``content`` to ``path``, whole or not at all; see :func:`appearing`."""
    with appearing(path, mode=mode, replace=replace) as stream:
        stream.write(content)


def read_bounded(path: Path, most: int) -> bytes:
    """Return the content of a regular file of at most ``most`` bytes.

    Raises:
        InputError: It cannot be read, is no regular file, or is larger.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise InputError(f"{path} is not a file", hint="Name a regular file.")
            content = stream.read(most + 1)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="Check the name and the permissions.",
        ) from error
    if len(content) > most:
        raise InputError(f"{path} is larger than {most} bytes", hint="This is not what it is taken for.")
    return content


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in ``folder``, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path} is there already", hint="Move it away, or name another place.")
