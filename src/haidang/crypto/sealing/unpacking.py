"""Where opened content waits until it may appear: a temporary folder beside the place where it is to be.

Rules:

- The folder has mode 0700 and a lock (:mod:`haidang.crypto.sealing.unfinished`), and is gone afterwards,
  whatever happens.
- Content is written while its digests are taken elsewhere; it gets its name at the end, as one.
- Nothing that is there is replaced.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import shutil
from typing import TYPE_CHECKING

from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.files import sync_folder
from haidang.crypto.sealing.envelope import CONTENT
from haidang.crypto.sealing.file_filling import FileFilling
from haidang.crypto.sealing.unfinished import FOLDER_PREFIX, claim, sweep_folder
from haidang.errors import OutputError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from haidang.crypto.containers.zip_walking import Member
    from haidang.crypto.sealing.envelope import SealedEnvelope

__all__ = ["Store", "workplace"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST_SYNCED = 100
"""Files that are flushed to the disk one by one; more are flushed together."""


class Store:
    """Where unpacked content waits until it may appear; with no folder it is only looked at."""

    def __init__(self, folder: Path | None, temporary: Path | None) -> None:
        """Keep content in ``temporary`` until it appears in ``folder``; :func:`workplace` makes one."""
        self._folder = folder
        self._temporary = temporary
        self._checked = ""
        self._count = 0

    def take(self, member: Member) -> Iterator[bytes]:
        """Yield the chunks of a member, writing them on the way.

        Raises:
            OutputError: It cannot be written, or something of its name is there already.
        """
        if self._temporary is None or member.folder or not member.name.startswith(CONTENT):
            yield from member.chunks()
            return
        path = self._temporary / member.name.removeprefix(CONTENT)
        try:
            self._check_free(member.name.removeprefix(CONTENT).partition("/")[0])
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0):
                with FileFilling(descriptor) as filling:
                    for chunk in member.chunks():
                        filling.write(chunk)
                        yield chunk
                self._count += 1
                if self._count <= _MOST_SYNCED:
                    os.fsync(descriptor)
        except OSError as error:
            raise _unwritable(path, error) from error

    def octets(self, name: str) -> Iterator[bytes]:
        """Refuse to read anything a second time: what we seal has digests by SHA-256, which are known."""
        raise ContainerError(
            "digest-not-accepted",
            N_("{name} uses a digest other than SHA-256, which sealed files do not have."),
            name=name,
        )

    def publish(self, envelope: SealedEnvelope) -> Path | None:
        """Give the content its name, and its times; return where it is.

        Raises:
            OutputError: It cannot be written, or something of its name is there already.
        """
        if self._folder is None or self._temporary is None:
            return None
        content = envelope.content
        target = self._folder / content.name
        try:
            for path in content.folders:
                (self._temporary / path).mkdir(mode=0o700, parents=True, exist_ok=True)
            for one in content.files:
                _set_time(self._temporary / one.path, one.modified)
            for path in sorted(content.folders, reverse=True):
                sync_folder(self._temporary / path)
            if self._count > _MOST_SYNCED:
                os.sync()
            self._check_free(content.name, again=True)
            _appear(self._temporary / content.name, target, folder=content.folder)
            sync_folder(self._folder)
        except OSError as error:
            raise _unwritable(target, error) from error
        return target

    def _check_free(self, name: str, *, again: bool = False) -> None:
        if self._folder is not None and (again or name != self._checked):
            self._checked = name
            if os.path.lexists(self._folder / name):
                raise _exists(self._folder / name)


@contextlib.contextmanager
def workplace(folder: Path | None) -> Iterator[Store]:
    """Yield a store whose temporary folder is gone afterwards, whatever happens.

    Args:
        folder: where the content is to appear; None only looks at it.

    Raises:
        OutputError: Nothing can be written there.
    """
    if folder is None:
        yield Store(None, None)
        return
    temporary = folder / f"{FOLDER_PREFIX}{secrets.token_hex(6)}.tmp"
    try:
        sweep_folder(folder)
        temporary.mkdir(mode=0o700)
        descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        claim(descriptor)
        yield Store(folder, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(descriptor)


def _appear(temporary: Path, target: Path, *, folder: bool) -> None:
    if not folder:
        try:
            # A link is refused where the name is taken; a rename would replace what is there.
            os.link(temporary, target)
        except FileExistsError:
            raise _exists(target) from None
        except OSError:
            temporary.rename(target)
        return
    # A folder is never renamed over a file, nor over a folder that is not empty.
    temporary.rename(target)


def _set_time(path: Path, moment: dt.datetime) -> None:
    nanoseconds = (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000
    with contextlib.suppress(OverflowError):
        os.utime(path, ns=(nanoseconds, nanoseconds))


def _exists(path: Path) -> OutputError:
    return OutputError(f"{path} is there already", hint="Move it away, or name another folder with --output.")


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}",
        hint="Name another folder, or make room and check the permissions.",
    )
