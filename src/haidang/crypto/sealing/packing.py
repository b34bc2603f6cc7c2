"""Which files of a folder are sealed, and how they are read: nothing is followed, nothing is left out unseen.

Rules:

- A folder is taken as it is: links, devices, pipes and sockets in it are refused by name, not skipped.
- Names must be UTF-8 and safe (:mod:`haidang.crypto.containers.member_names`); they are kept as they are.
- A file that is another one, or another size, when it is read than when it was counted is an error: what the
  envelope says is what is inside.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from haidang.crypto.containers.checksums import BLOCK
from haidang.crypto.containers.member_names import NameRegister
from haidang.crypto.sealing.envelope import ContentFile, SealedContent
from haidang.errors import InputError, SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MOST_FILES", "Packing", "pack"]

MOST_FILES = 99_000
"""Files and folders of one sealed folder; a container may have 100,000 members."""

_DEEPEST = 100


class _File(NamedTuple):
    """A file as it was counted."""

    place: str
    """Its path below the folder; "" for a file that is sealed by itself."""
    identity: tuple[int, int, int, int]
    """Device, number, size and time of change."""


class Packing:
    """What is sealed: the list for the envelope, and the bytes of each file."""

    def __init__(self, root: Path, name: str, *, folder: bool) -> None:
        """Pack ``root`` under ``name``; :func:`pack` counts what is in it."""
        self._root = root
        self._name = name
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._folders: dict[str, int] = {}
        self._register = NameRegister()

    @property
    def content(self) -> SealedContent:
        """What the envelope says of it."""
        files = tuple(
            ContentFile(path, one.identity[2], _moment(one.identity[3])) for path, one in self._files.items()
        )
        return SealedContent(self._name, self._folder, files, tuple(self._folders))

    def folders(self) -> Iterator[tuple[str, dt.datetime]]:
        """Yield the path and time of each folder."""
        for path, modified in self._folders.items():
            yield path, _moment(modified)

    def files(self) -> Iterator[tuple[str, dt.datetime, Iterator[bytes]]]:
        """Yield the path, time and pieces of each file."""
        for path, one in self._files.items():
            yield path, _moment(one.identity[3]), self._pieces(path, one)

    def take_file(self, place: str, path: str, status: os.stat_result) -> None:
        """Count a file."""
        self._register.add(path)
        self._files[path] = _File(place, _identity(status))
        self._check_count()

    def take_folder(self, path: str, status: os.stat_result) -> None:
        """Count a folder."""
        self._register.add(f"{path}/")
        self._folders[path] = status.st_mtime_ns
        self._check_count()

    def _check_count(self) -> None:
        if len(self._files) + len(self._folders) > MOST_FILES:
            raise SealError(
                N_("{path} holds more than {n} files and folders."),
                hint=N_("Seal it in parts."),
                path=self._root,
                n=MOST_FILES,
            )

    def _pieces(self, path: str, one: _File) -> Iterator[bytes]:
        where = self._root / one.place if one.place else self._root
        # A name on the command line may be a link to a file; inside a folder nothing is followed.
        flags = os.O_RDONLY | os.O_NONBLOCK | (os.O_NOFOLLOW if one.place else 0)
        try:
            descriptor = os.open(where, flags)
            with os.fdopen(descriptor, "rb", buffering=0) as stream:
                before = _identity(os.fstat(descriptor))
                size = 0
                while before == one.identity and (chunk := stream.read(BLOCK)):
                    size += len(chunk)
                    yield chunk
                after = _identity(os.fstat(descriptor))
        except OSError as error:
            raise _unreadable(where, error) from error
        if one.identity != before or before != after or size != one.identity[2]:
            raise SealError(
                N_("{path} changed while it was sealed."),
                hint=N_("Seal it again when nobody writes to it."),
                path=path,
            )


def pack(path: Path) -> Packing:
    """Return the file or folder ``path``, counted.

    Raises:
        InputError: It cannot be read.
        SealError: It holds what cannot be sealed: a link, a device, a name that is not UTF-8.
        ContainerError: A name is not safe, or is another's in disguise.
    """
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError) as error:
        raise _unreadable(path, error) from error
    name = _utf8(path.name if path.name not in {"", ".."} else real.name, path)
    if name.startswith("."):
        # Opened in a home folder, it could become a program's settings; openers refuse it, too.
        raise SealError(
            N_("{path} has a name that begins with a dot."),
            hint=N_("Rename it, or seal the folder that it is in."),
            path=path,
        )
    if stat.S_ISREG(status.st_mode):
        packing = Packing(path, name, folder=False)
        packing.take_file("", name, status)
        return packing
    if not stat.S_ISDIR(status.st_mode):
        raise _not_sealable(path)
    if not name:
        raise SealError(N_("The root folder cannot be sealed."), hint=N_("Name a folder in it."))
    packing = Packing(real, name, folder=True)
    packing.take_folder(name, status)
    _count(packing, real, "", name, depth=0)
    return packing


def _count(packing: Packing, folder: Path, below: str, path: str, *, depth: int) -> None:
    if depth > _DEEPEST:
        raise SealError(N_("{path} has folders more than {n} deep."), path=folder, n=_DEEPEST)
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            name = _utf8(entry.name, folder)
            status = entry.stat(follow_symlinks=False)
            place = f"{below}/{name}" if below else name
            if stat.S_ISREG(status.st_mode):
                packing.take_file(place, f"{path}/{name}", status)
            elif stat.S_ISDIR(status.st_mode):
                packing.take_folder(f"{path}/{name}", status)
                _count(packing, folder / name, place, f"{path}/{name}", depth=depth + 1)
            else:
                raise _not_sealable(folder / name, link=stat.S_ISLNK(status.st_mode))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _moment(nanoseconds: int) -> dt.datetime:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=rest // 1000)
    except (OverflowError, ValueError, OSError):
        return dt.datetime.fromtimestamp(0, dt.UTC)


def _utf8(name: str, where: Path) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SealError(
            N_("The name {name} in {path} is not UTF-8."),
            hint=N_("Rename it."),
            name=ascii(name),
            path=ascii(str(where)) if not str(where).isprintable() else where,
        ) from None
    return name


def _not_sealable(path: Path, *, link: bool = False) -> SealError:
    if link:
        return SealError(
            N_("{path} is a link, and a sealed folder holds none."),
            hint=N_("Take it out, or put in its place what it leads to."),
            path=path,
        )
    return SealError(
        N_("{path} is neither a file nor a folder."), hint=N_("Take it out of the folder."), path=path
    )


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError(f"{path} cannot be read: {reason}", hint="Check the name and the permissions.")
