"""age, in a process of its own: one processor encrypts while the other hashes.

pyrage holds the interpreter's lock while it encrypts, so threads do not do. Bytes go there and back through
memory that both share (:class:`haidang.crypto.sealing._age_process.Ring`).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from haidang.crypto.sealing._age_process import Ring, RingReader, RingWriter
from haidang.crypto.sealing.file_filling import filling_alongside
from haidang.errors import SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.crypto.containers.zip_source import Readable
    from haidang.crypto.containers.zip_writing import Writable
    from haidang.crypto.sealing._age_process import End

__all__ = ["DecryptionFailedError", "decrypting", "encrypting"]

_PROGRAM = Path(__file__).with_name("_age_process.py")
_PLAIN = 1 << 19, 4
"""Slots of plaintext: so small that they stay in the processors' own caches."""
_CIPHER = 2 << 20, 3
"""Slots of ciphertext: so large that a disk is busy with one while the next is filled."""


class DecryptionFailedError(Exception):
    """age refused the file; the text is the library's."""


@contextlib.contextmanager
def encrypting(target: IO[bytes], recipients: Sequence[str]) -> Iterator[Writable]:
    """Yield a stream; what is written to it is in ``target``, encrypted, when the block ends.

    Args:
        target: a file in which nothing is yet.
        recipients: ``age1…``, at least one.

    Raises:
        SealError: It cannot be encrypted.
        OSError: ``target`` cannot be written.
    """
    plain, cipher = Ring(*_PLAIN), Ring(*_CIPHER)
    with contextlib.ExitStack() as leaving:
        stream = leaving.enter_context(RingWriter(plain.filling))
        made = leaving.enter_context(RingReader(cipher.emptying))
        words = ["encrypt", plain.emptying.word(), cipher.filling.word(), *recipients]
        process = leaving.enter_context(_running(words, [plain.emptying, cipher.filling]))
        done = leaving.enter_context(filling_alongside(target.fileno(), made))
        # Left in the other order: the process is killed and nobody fills the rings, so that the thread ends.
        leaving.callback(stream.close)
        leaving.push(_killing(process))
        try:
            yield stream
            stream.finish()
        except EOFError:
            # Either the process has failed, or the file could not be written and the process was left alone.
            done.exception()
        with contextlib.suppress(EOFError):
            done.result()
        if _ended(process) != 0:
            raise SealError(N_("It cannot be encrypted: {reason}"), reason=_said(process))


@contextlib.contextmanager
def decrypting(source: IO[bytes], secrets: Sequence[str]) -> Iterator[Readable]:
    """Yield a stream of what ``source`` holds, decrypted; read it to its end.

    What was read is authentic, but whether it is all is known only when the block has ended.

    Raises:
        DecryptionFailedError: No key fits, or the file is damaged or cut off.
        SealError: The process that decrypts was ended by somebody else.
    """
    os.lseek(source.fileno(), 0, os.SEEK_SET)
    plain = Ring(*_PLAIN)
    with contextlib.ExitStack() as leaving:
        stream = leaving.enter_context(RingReader(plain.emptying))
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb"), os.fdopen(writing, "wb") as handing:
            words = ["decrypt", str(reading), plain.filling.word()]
            running = _running(words, [plain.filling], source.fileno(), reading)
            process = leaving.enter_context(running)
            handing.write("\n".join(secrets).encode())
        leaving.push(_killing(process))
        try:
            yield stream
            if stream.read(1):
                process.kill()
                raise DecryptionFailedError("?")
        except EOFError as error:
            # It gave up; what it says is why.
            _ended(process)
            raise DecryptionFailedError(_said(process)) from error
        if _ended(process) != 0:
            raise DecryptionFailedError(_said(process))


@contextlib.contextmanager
def _running(
    words: Sequence[str], ends: Sequence[End], source: int = subprocess.DEVNULL, *more: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run age with ends of rings, which are closed here, and ``more`` file descriptors."""
    passed = [*more, *(descriptor for end in ends for descriptor in end.descriptors())]
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own program, with public keys
            [sys.executable, "-P", str(_PROGRAM), *words],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=passed,
        )
    finally:
        for end in ends:
            end.close()
    with process:
        yield process


def _killing(process: subprocess.Popen[bytes]) -> Callable[..., None]:
    """Return what kills the process when a block is left by an error."""

    def leave(kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            process.kill()

    return leave


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for the process, and return its exit code; whoever is killed has nothing to say of the file."""
    code = process.wait()
    if code < 0:
        raise SealError(
            N_("The process that encrypts and decrypts was ended by signal {number}."),
            hint=N_("Do it again. If that does not help, see whether this machine is short of memory."),
            number=-code,
        )
    return code


def _said(process: subprocess.Popen[bytes]) -> str:
    errors = process.stderr.read(1000) if process.stderr is not None else b""
    return errors.decode("utf-8", "replace").strip() or "?"
