"""age, in a process of its own on a pipe: one processor encrypts while the other hashes.

pyrage holds the interpreter's lock while it encrypts, so threads do not do.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from haidang.crypto.files import EarlyWriting
from haidang.errors import SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.crypto.containers.zip_writing import Writable

__all__ = ["DecryptionFailedError", "decrypting", "encrypting"]

_PROGRAM = Path(__file__).with_name("_age_process.py")
_BUFFER = 1 << 18
_PIPE = 1 << 20
_VECTORS = 1024
"""Pieces that one call of the system takes (IOV_MAX of Linux)."""


class _Pipe:
    """Writes large pieces without a copy, small ones together, while the disk takes what age made of them."""

    def __init__(self, stream: IO[bytes], target: IO[bytes]) -> None:
        self._target = target.fileno()
        self._early = EarlyWriting(self._target)
        self.write = stream.write
        self._flush = stream.flush
        self._descriptor = stream.fileno()

    def writelines(self, pieces: list[bytes | memoryview], /) -> None:
        if sum(map(len, pieces)) < _BUFFER:
            for piece in pieces:
                self.write(piece)
            return
        self._flush()
        views = [memoryview(piece) for piece in pieces]
        while views:
            written = os.writev(self._descriptor, views[:_VECTORS])
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if written:
                views[0] = views[0][written:]
        self._early.grown(os.fstat(self._target).st_size)


class DecryptionFailedError(Exception):
    """age refused the file; the text is the library's."""


@contextlib.contextmanager
def encrypting(target: IO[bytes], recipients: Sequence[str]) -> Iterator[Writable]:
    """Yield a stream; what is written to it is in ``target``, encrypted, when the block ends.

    Raises:
        SealError: It cannot be encrypted.
    """
    command = [sys.executable, "-P", str(_PROGRAM), "encrypt", *recipients]
    with subprocess.Popen(  # noqa: S603 -- our own program, with public keys
        command, bufsize=_BUFFER, stdin=subprocess.PIPE, stdout=target.fileno(), stderr=subprocess.PIPE
    ) as process:
        stream, errors = process.stdin, process.stderr
        if stream is None or errors is None:
            raise AssertionError
        _widen(stream)
        try:
            yield _Pipe(stream, target)
            stream.close()
            failed = process.wait() != 0
        except BrokenPipeError:
            failed = True
        except BaseException:
            process.kill()
            raise
        finally:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        if failed:
            raise SealError(N_("It cannot be encrypted: {reason}"), reason=_said(errors))


@contextlib.contextmanager
def decrypting(source: IO[bytes], secrets: Sequence[str]) -> Iterator[IO[bytes]]:
    """Yield a stream of what ``source`` holds, decrypted; read it to its end.

    What was read is authentic, but whether it is all is known only when the block has ended.

    Raises:
        DecryptionFailedError: No key fits, or the file is damaged or cut off.
    """
    os.lseek(source.fileno(), 0, os.SEEK_SET)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb") as handing:
        process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-P", str(_PROGRAM), "decrypt", str(reading)],
            bufsize=_BUFFER,
            stdin=source.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(reading,),
        )
        handing.write("\n".join(secrets).encode())
    with process:
        stream, errors = process.stdout, process.stderr
        if stream is None or errors is None:
            raise AssertionError
        _widen(stream)
        try:
            yield stream
            at_end = not stream.read(1)
        except BaseException as error:
            at_end = getattr(error, "code", "") == "container-cut"
            if not at_end or process.wait() == 0:
                raise
            # The container ends early because the file does.
            raise DecryptionFailedError(_said(errors)) from error
        finally:
            if process.poll() is None and not at_end:
                process.kill()
        if process.wait() != 0:
            raise DecryptionFailedError(_said(errors))


def _said(errors: IO[bytes]) -> str:
    return errors.read(1000).decode("utf-8", "replace").strip() or "?"


def _widen(pipe: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
