"""One file (or member) as readers see it: bytes or lines from the beginning, damage noted and never raised.

All input is untrusted.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.encodings import encoding_of, to_utf8
from haidang.events.lines import line_batches, raw_line_batches
from haidang.events.recognition import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["Stream"]

_MEMORY = "/proc/self/fd/"
"""Where Linux shows the open files of a process, those in memory as well."""


class Stream:
    """The decompressed bytes of one file; whatever damages it is noted in its report."""

    def __init__(
        self,
        source: BlockSource,
        report: FileReport,
        *,
        mtime: float | None = None,
        path: str = "",
        begins: bool = True,
    ) -> None:
        """Read from ``source``.

        Args:
            source: The bytes.
            report: Where damage is noted and bytes are counted.
            mtime: See the attribute.
            path: The real path, when that holds the very same bytes.
            begins: Whether it is the beginning of a file, which may have a byte order mark.
        """
        self._begins = begins
        self._source = source
        self._report = report
        self._path = path
        self.name = report.path
        """The file as the user would name it."""
        self.mtime = mtime
        """When it was last written, in seconds since the epoch; None where unknown."""

    @property
    def position(self) -> int:
        """How many bytes were read."""
        return self._source.position

    def head(self) -> bytes:
        """Return the first bytes that are still to be read, at most 64 KiB, without reading them."""
        return self._source.peek(HEAD_BYTES)

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes; fewer only at the end, or where damage begins."""
        try:
            data = self._source.take(size)
        except DamagedError as damage:
            self._note(damage)
            return b""
        self._report.size += len(data)
        return data

    def blocks(self) -> Iterator[bytes]:
        """Yield what is left in blocks of any size."""
        report = self._report
        try:
            for block in self._source.blocks():
                report.size += len(block)
                yield block
        except DamagedError as damage:
            self._note(damage)

    def text_blocks(self) -> Iterator[bytes]:
        """Yield what is left as UTF-8 without a byte order mark; UTF-16 and UTF-32 are transcoded."""
        head = self.head()
        if not self._begins or encoding_of(head) == ("utf-8", 0):
            return self.blocks()
        return to_utf8(self.blocks(), head, self._note_replaced)

    def line_batches(self, report: FileReport, limits: Limits) -> Iterator[tuple[int, list[bytes]]]:
        """Yield batches of lines: the 1-based number of the first, and all of them without their ends."""
        return line_batches(self.text_blocks(), report, limits)

    def raw_line_batches(self, report: FileReport, limits: Limits) -> Iterator[tuple[int, Sequence[bytes]]]:
        """Do the same at half the price: the lines keep their ends."""
        return raw_line_batches(self.text_blocks(), report, limits)

    @contextmanager
    def seekable_file(self, limits: Limits) -> Iterator[str]:
        """Give the path of a file that holds the whole, for libraries that read nothing else.

        Bytes that are not on disk as such are copied to a file that only this user can open and that is gone
        afterwards; up to ``limits.spool_bytes`` of them stay in memory, where the system can do that.
        """
        if self._path:
            self._report.size += os.stat(self._path).st_size  # noqa: PTH116 - pathlib takes ten times as long
            yield self._path
            return
        with ExitStack() as files:
            file, path = _memory_file(files) or _temporary_file(files)
            for block in self.blocks():
                if file.tell() + len(block) > limits.spool_bytes and path.startswith(_MEMORY):
                    memory = file
                    file, path = _temporary_file(files)
                    memory.seek(0)
                    copyfileobj(memory, file)
                    memory.truncate(0)
                file.write(block)
            file.flush()
            yield path

    def _note(self, damage: DamagedError) -> None:
        self._report.note(damage.kind, f"byte {self.position}", damage.detail)

    def _note_replaced(self, encoding: str) -> None:
        detail = f"not {encoding.upper()}; read with replacement characters"
        self._report.note("invalid-utf8", f"byte {self.position}", detail)


def _memory_file(files: ExitStack) -> tuple[IO[bytes], str] | None:
    """Open a file in memory and return it with its path; None where the system has no such thing."""
    if not hasattr(os, "memfd_create") or not Path(_MEMORY).is_dir():
        return None
    file = files.enter_context(os.fdopen(os.memfd_create("haidang"), "w+b"))
    return file, f"{_MEMORY}{file.fileno()}"


def _temporary_file(files: ExitStack) -> tuple[IO[bytes], str]:
    file = files.enter_context(NamedTemporaryFile(prefix="haidang-"))  # noqa: SIM115 - it is
    return file, file.name
