"""Opening an input: through compression and archives to the reader of each file in it.

Rules of this module:

- Content decides, never the name: what is compressed is decompressed, what is an archive is walked, down to
  ``limits.archive_depth`` containers, and the reader that is surest of the rest reads it.
- What a container holds is one file after another, each with a report of its own; damage ends one file, not
  the run. What is wrong with a container itself is in a report of the container.
- Nothing is unpacked to where somebody else could read it, and memory is bounded whatever the size.

All input is untrusted.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, NamedTuple

from haidang.errors import ConfigurationError
from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.budget import Budget
from haidang.events.decompression import compression_of, decompress
from haidang.events.files import FIRST_BYTES, STANDARD_INPUT, file_blocks, line_part, unreadable
from haidang.events.model import FileReport
from haidang.events.readers import readers
from haidang.events.recognition import by_signature, describe, make_head, recognise
from haidang.events.stream import Stream
from haidang.events.tars import is_tar, tar_members
from haidang.events.zips import is_zip, list_file, list_members, member_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.inputs import Input
    from haidang.events.model import Batch
    from haidang.events.readers import Reader
    from haidang.events.zips import Listing, Member
    from haidang.limits import Limits

__all__ = ["is_container", "open_input"]

_Opened = tuple[FileReport, "Iterator[Batch]"]


class _Place(NamedTuple):
    """Where a file is, for people and for readers."""

    display: str
    mtime: float | None
    path: str = ""
    """The real path, where that holds the very bytes of the file."""
    depth: int = 0
    """How many containers are around it."""

    def inside(self, member: str, mtime: float | None) -> _Place:
        return _Place(f"{self.display}!{member}", mtime, depth=self.depth + 1)

    def decompressed(self) -> _Place:
        return _Place(self.display, self.mtime, depth=self.depth + 1)


def open_input(
    item: Input, *, limits: Limits, password: bytes | None = None, input_format: str | None = None
) -> Iterator[_Opened]:
    """Yield the report and the batches of each file in an input; read all batches before the next file.

    Args:
        item: From ``find_inputs`` or ``split_input``.
        limits: Bounds.
        password: For the members of zip archives.
        input_format: Name of the reader to use for every file, instead of recognition.

    Raises:
        ConfigurationError: There is no reader of that name.
    """
    if input_format is not None and input_format not in readers():
        known = ", ".join(sorted(readers()))
        raise ConfigurationError(f"unknown input format {input_format!r}", hint=f"Known are: {known}.")
    return _Opening(limits, password, input_format).open(item)


def is_container(head: bytes) -> bool:
    """Return whether a file that begins so is compressed or an archive."""
    return bool(compression_of(head)) or is_zip(head) or is_tar(head)


class _Opening:
    """The options of one call."""

    def __init__(self, limits: Limits, password: bytes | None, input_format: str | None) -> None:
        self._limits = limits
        self._password = password
        self._forced = readers()[input_format] if input_format else None

    def open(self, item: Input) -> Iterator[_Opened]:
        limits, budget = self._limits, Budget(self._limits)
        if item.path == STANDARD_INPUT:
            place = _Place(item.display, None)
        else:
            try:
                mtime = os.stat(item.path).st_mtime  # noqa: PTH116 - the path may be bytes that are no text
            except OSError as error:
                yield _lost(_Place(item.display, None), unreadable(error))
                return
            place = _Place(item.display, mtime, item.path)
        if item.end is not None:
            yield self._part(item, item.end, place)
        elif item.member:
            yield from self._zip_member(item, place, budget)
        else:
            source = BlockSource(budget.taking(file_blocks(item.path, limits)))
            yield from self._explore(source, place, budget)

    def _explore(self, source: BlockSource, place: _Place, budget: Budget) -> Iterator[_Opened]:
        """Open what a container is found to hold, or else the file."""
        head = source.peek(FIRST_BYTES)
        if not is_container(head):
            yield self._file(source, place)
        elif place.depth >= self._limits.archive_depth:
            detail = f"More than {self._limits.archive_depth} containers inside one another."
            yield _lost(place, DamagedError("archive-limit", detail))
        elif compression := compression_of(head):
            plain = budget.giving(decompress(compression, source.blocks(), self._limits))
            yield from self._explore(BlockSource(plain), place.decompressed(), budget)
        elif is_zip(head):
            yield from self._zip(source, place, budget)
        else:
            yield from self._tar(source, place, budget)

    def _file(self, source: BlockSource, place: _Place) -> _Opened:
        """Return the report of a file, and its batches by the reader that is surest of it."""
        report = FileReport(place.display)
        stream = Stream(source, report, mtime=place.mtime, path=place.path)
        # A signature spares looking further; a forced reader gets a file that is not empty.
        reader = by_signature(source.peek(FIRST_BYTES), readers()) if self._forced is None else None
        head = b"" if reader else stream.head()
        if reader is None and not head:
            stream.read(1)  # Damage at the very beginning is noted so.
            if not report.problems:
                report.note("empty", "byte 0", "The file is empty.")
            return report, iter(())
        reader = reader or self._reader(place.display, head)
        if reader is None:
            report.note("unknown-format", "byte 0", describe(head))
            return report, iter(())
        report.format = reader.name
        return report, self._batches(reader, stream, report)

    def _reader(self, name: str, head: bytes) -> Reader | None:
        return self._forced or recognise(make_head(name, head), readers())

    def _batches(self, reader: Reader, stream: Stream, report: FileReport) -> Iterator[Batch]:
        """Yield a reader's batches; a mistake of its own ends the file and not the run."""
        try:
            yield from reader.read(stream, report, self._limits)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other files are to be read
            detail = f"The reader {reader.name} failed ({type(error).__name__}); please report this."
            report.note("corrupt", f"byte {stream.position}", detail)

    def _part(self, item: Input, end: int, place: _Place) -> _Opened:
        """Return the report and the batches of the lines that begin in a range of bytes."""
        report = FileReport(place.display)
        reader = readers()[item.reader]
        source = BlockSource(line_part(item.path, item.start, end, self._limits))
        stream = Stream(source, report, mtime=place.mtime, begins=not item.start)
        report.format = reader.name
        return report, self._batches(reader, stream, report)

    def _tar(self, source: BlockSource, place: _Place, budget: Budget) -> Iterator[_Opened]:
        """Open the files of a tar archive as they come."""
        report = FileReport(place.display)
        count = 0
        try:
            for member in tar_members(source, self._limits):
                count += 1
                inner = place.inside(member.name, member.mtime)
                if count > self._limits.archive_members:
                    detail = f"More than {self._limits.archive_members} members; the rest is not read."
                    raise DamagedError("archive-limit", detail)  # noqa: TRY301 - ends the archive like damage
                if member.sparse:
                    detail = "A sparse file; unpack the archive and read the file itself."
                    yield _lost(inner, DamagedError("unknown-format", detail))
                else:
                    yield from self._explore(BlockSource(source.exactly(member.size)), inner, budget)
        except DamagedError as damage:
            report.note(damage.kind, f"byte {source.position}", damage.detail)
        if not count and not report.problems:
            report.note("empty", "byte 0", "The archive holds no file.")
        if report.problems:
            yield report, iter(())

    def _zip(self, source: BlockSource, place: _Place, budget: Budget) -> Iterator[_Opened]:
        """Open the files of a zip archive, which must be on disk or in memory as a whole."""
        limits = self._limits
        report = FileReport(place.display)
        with ExitStack() as stack:
            if place.path:
                file: IO[bytes] = stack.enter_context(Path(place.path).open("rb"))
            else:
                file = stack.enter_context(SpooledTemporaryFile(limits.spool_bytes))
                try:
                    for block in source.blocks():
                        file.write(block)
                except DamagedError as damage:
                    report.note(damage.kind, f"byte {source.position}", damage.detail)
            listing = list_members(file, limits)
            listing.note_in(report)
            if report.problems:
                yield report, iter(())
            share = budget.share
            for member in listing.members.values():
                yield from self._member(file, member, place, Budget(limits, budget, share))

    def _zip_member(self, item: Input, place: _Place, budget: Budget) -> Iterator[_Opened]:
        """Open one member of a zip archive on disk."""
        try:
            listing: Listing = list_file(item.path, self._limits)
            member = listing.members.get(item.member)
            with Path(item.path).open("rb") as file:
                if member is None:
                    yield _lost(place, DamagedError("unreadable", "It is no longer in the archive."))
                else:
                    outer = item.display.removesuffix(f"!{item.member}")
                    yield from self._member(file, member, place._replace(display=outer), budget)
        except OSError as error:
            yield _lost(place, unreadable(error))

    def _member(self, file: IO[bytes], member: Member, place: _Place, budget: Budget) -> Iterator[_Opened]:
        inner = place.inside(member.name, member.mtime)
        try:
            blocks = member_blocks(file, member, self._password, self._limits, budget)
        except DamagedError as damage:
            yield _lost(inner, damage)
        else:
            yield from self._explore(BlockSource(blocks), inner, budget)


def _lost(place: _Place, damage: DamagedError) -> _Opened:
    """Return the report of a file (or container) of which nothing can be read."""
    report = FileReport(place.display)
    report.note(damage.kind, "byte 0", damage.detail)
    return report, iter(())
