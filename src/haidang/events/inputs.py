"""From what the user named to the list of what is to be read.

Rules of this module:

- Folders are walked in the order of names, so that a run's order is always the same. A zip archive (by its
  content) becomes one input for each member.
- A folder that links back to itself, a link to nothing, a pipe or device, a file that cannot be opened: each
  is reported once and never stops the walk. A file that is reached twice is read once.
- A file that the run itself will write is left out where a folder holds it: it is no log.
- Only a path that does not exist, or one that an output would overwrite, is the user's mistake, and an error.

Names and archives are untrusted.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from haidang.errors import InputError
from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.encodings import encoding_of
from haidang.events.files import STANDARD_INPUT, file_blocks, first_bytes, unreadable
from haidang.events.model import FileReport
from haidang.events.opening import is_container
from haidang.events.readers import readers
from haidang.events.recognition import HEAD_BYTES, make_head, recognise
from haidang.events.zips import is_zip, list_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.events.readers import Reader
    from haidang.limits import Limits

__all__ = ["Input", "find_inputs", "split_input"]

_SMALLEST_PART = 8 << 20
"""Bytes below which a part of a file is not worth a process of its own."""
_OPEN_FILES = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Where a shell's ``<(command)`` shows up: a pipe, but one that is meant."""
_Identity = tuple[int, int]
"""Device and number of a file: the same however it is reached."""
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to read; small and picklable, so that it can be sent to another process."""

    path: str
    """Real path, or "-" for standard input."""
    display: str
    """The path as the user would name it."""
    size: int
    """Bytes on disk (compressed), 0 where unknown; for progress and for splitting work."""
    member: str = ""
    """Member of the archive at ``path``, or ""."""
    start: int = 0
    """First byte of the part to read (plain line-based files only): lines that begin in it are read."""
    end: int | None = None
    """Byte after the part, None for the end of the file."""
    reader: str = ""
    """Name of the reader of the whole file where that is known, as it is of parts."""


def find_inputs(
    paths: Sequence[str],
    *,
    limits: Limits,
    on_problem: Callable[[FileReport], None],
    outputs: Sequence[str] = (),
) -> Iterator[Input]:
    """Yield what is to be read, in the order of ``paths`` and of the names in folders.

    Args:
        paths: Files, folders, archives, or "-" for standard input.
        limits: Bounds.
        on_problem: Gets a report for each thing that cannot be read.
        outputs: Files that will be written. What an earlier run left there is no log.

    Raises:
        InputError: A path does not exist, or an output would take the place of a log that is named.
    """
    written = _identities(outputs)
    for path in paths:
        if path == STANDARD_INPUT:
            continue
        if not os.path.exists(path):  # noqa: PTH110 - any string is asked about
            raise InputError(f"{_display(path)}: no such file or folder", hint="Check the path.")
        if written & _identities([path]):
            raise InputError(
                f"{_display(path)} is to be read, and the output would overwrite it",
                hint="Name another file with --output.",
            )
    finder = _Finder(limits, on_problem, written)
    for path in paths:
        if path == STANDARD_INPUT:
            yield Input(path, path, 0)
        else:
            yield from finder.find(path)


def split_input(item: Input, parts: int, *, limits: Limits, input_format: str | None = None) -> list[Input]:
    """Return an input cut into at most ``parts`` ranges of lines, or the input alone where that cannot be.

    Cut are plain UTF-8 files whose reader (the forced one, or the one that recognises them) is splittable,
    into parts of at least 8 MiB.
    """
    count = min(parts, item.size // _SMALLEST_PART)
    if count < 2 or item.member or item.end is not None or item.path == STANDARD_INPUT:
        return [item]
    reader = _splittable_by(item, limits, input_format)
    if reader is None:
        return [item]
    bounds = [item.size * index // count for index in range(count + 1)]
    return [
        replace(item, size=end - start, start=start, end=end, reader=reader.name)
        for start, end in pairwise(bounds)
    ]


def _splittable_by(item: Input, limits: Limits, input_format: str | None) -> Reader | None:
    """Return the reader that parts of a file can be read by, None where there is none."""
    source = BlockSource(file_blocks(item.path, limits))
    head = source.peek(HEAD_BYTES)
    if is_container(head) or encoding_of(head)[0] != "utf-8":
        return None
    if input_format is not None:
        reader = readers().get(input_format)
    else:
        reader = recognise(make_head(item.display, head), readers())
    return reader if getattr(reader, "splittable", False) else None


class _Finder:
    """One walk, which knows what it has seen."""

    def __init__(
        self, limits: Limits, on_problem: Callable[[FileReport], None], written: frozenset[_Identity]
    ) -> None:
        self._limits = limits
        self._on_problem = on_problem
        self._written = written
        self._seen: dict[_Identity, str] = {}

    def find(self, path: str) -> Iterator[Input]:
        """Yield what is at ``path`` and in it."""
        # With each path, the folders that it is in. A tree may be deeper than calls can be nested.
        waiting: list[tuple[str, tuple[_Identity, ...]]] = [(path, ())]
        while waiting:
            path, around = waiting.pop()
            try:
                status = os.stat(path)  # noqa: PTH116 - the path may be bytes that are no text
            except OSError as error:
                self._report(path, _dangling(path) or unreadable(error))
                continue
            identity = status.st_dev, status.st_ino
            if identity in self._written:
                self._report(path, DamagedError("output", "It is an output of this run."))
            elif identity in around:
                self._report(path, DamagedError("symlink-loop", "It leads back to a folder that it is in."))
            elif identity in self._seen:
                detail = f"The same as {self._seen[identity]}, which is read once."
                self._report(path, DamagedError("duplicate", detail))
            elif stat.S_ISDIR(status.st_mode):
                self._seen[identity] = _display(path)
                inner = (*around, identity)
                waiting += ((name, inner) for name in reversed(self._names(path)))
            else:
                self._seen[identity] = _display(path)
                yield from self._file(path, status)

    def _names(self, path: str) -> list[str]:
        try:
            return [os.path.join(path, name) for name in sorted(os.listdir(path))]  # noqa: PTH118, PTH208
        except OSError as error:
            self._report(path, unreadable(error))
            return []

    def _file(self, path: str, status: os.stat_result) -> Iterator[Input]:
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind and not path.startswith(_OPEN_FILES):
            self._report(path, DamagedError("unreadable", f"It is {kind}, not a file."))
            return
        head = b""
        if not kind:
            try:
                head = first_bytes(path, 8)
            except OSError as error:
                self._report(path, unreadable(error))
                return
        if is_zip(head):
            yield from self._archive(path, status.st_size)
        else:
            yield Input(path, _display(path), status.st_size)

    def _archive(self, path: str, size: int) -> Iterator[Input]:
        display = _display(path)
        try:
            listing = list_file(path, self._limits)
        except OSError as error:
            self._report(path, unreadable(error))
            return
        if listing.notes:
            report = FileReport(display, size=size)
            listing.note_in(report)
            self._on_problem(report)
        for name, member in listing.members.items():
            yield Input(path, f"{display}!{name}", member.compressed, member=name)

    def _report(self, path: str, damage: DamagedError) -> None:
        report = FileReport(_display(path))
        report.note(damage.kind, "byte 0", damage.detail)
        self._on_problem(report)


def _identities(paths: Sequence[str]) -> frozenset[_Identity]:
    """Return who the regular files among ``paths`` are; what is not there yet is nobody."""
    found = set()
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - the path may be bytes that are no text
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):
            found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _display(path: str) -> str:
    """Return a path as text, also where a name is no UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def _dangling(path: str) -> DamagedError | None:
    if not os.path.islink(path):  # noqa: PTH114 - the path may be bytes that are no text
        return None
    try:
        os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return DamagedError("unreadable", "A symbolic link to nothing.")
    except OSError as error:
        if error.errno == errno.ELOOP:
            return DamagedError("symlink-loop", "A symbolic link that leads back to itself.")
    return None
