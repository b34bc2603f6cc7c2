"""What an EVTX file says of itself, and a view of it that the library reads to its end.

The library leaves out a chunk that is cut off at the end of a file, and a record whose size lies, without a
word. So the chunks' own headers are asked how many records there are, and a chunk that is cut off is shown
with zeros behind it, so that the records in it are read.

Input is untrusted.
"""

from __future__ import annotations

import struct
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = ["CHUNK_BYTES", "HEADER_BYTES", "START_BYTES", "PaddedFile", "expected_records", "missing_bytes"]

HEADER_BYTES = 4096
CHUNK_BYTES = 65_536
_CHUNK_HEADER_BYTES = 24
START_BYTES = HEADER_BYTES + _CHUNK_HEADER_BYTES
"""What of the beginning of a file is looked at: its header and that of its first chunk."""
_SMALLEST_RECORD = 28
_MOST_RECORDS = CHUNK_BYTES // _SMALLEST_RECORD


def missing_bytes(size: int, start: bytes) -> int:
    """Return how many bytes a file is shorter than its header and its last chunk say."""
    # The number of chunks has two bytes; the file may have more, and a dirty header may name fewer.
    named = struct.unpack_from("<H", start, 42)[0] if len(start) >= 44 else 0
    whole = max(0, -(-(size - HEADER_BYTES) // CHUNK_BYTES))
    return HEADER_BYTES + max(named, whole) * CHUNK_BYTES - size


def expected_records(file: IO[bytes], size: int, start: bytes) -> int:
    """Return how many records the headers of the chunks name."""
    count = _named(start[HEADER_BYTES:])
    for at in range(HEADER_BYTES + CHUNK_BYTES, size, CHUNK_BYTES):
        file.seek(at)
        count += _named(file.read(_CHUNK_HEADER_BYTES))
    return count


def _named(header: bytes) -> int:
    """Return how many records the header of a chunk names."""
    if len(header) == _CHUNK_HEADER_BYTES and header.startswith(b"ElfChnk\x00"):
        first, last = struct.unpack_from("<2Q", header, 8)
        if first <= last and last - first < _MOST_RECORDS:
            return int(last - first + 1)
    return 0


class PaddedFile(RawIOBase):
    """A file, with zeros behind it up to the end of its last chunk."""

    def __init__(self, file: IO[bytes]) -> None:
        """Show ``file`` from its beginning."""
        self._file = file
        self._size = file.seek(0, SEEK_END)
        self._end = self._size + -(self._size - HEADER_BYTES) % CHUNK_BYTES
        self._position = 0

    def seekable(self) -> bool:
        """Say that it can be read in any order."""
        return True

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a position."""
        base = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._end}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, from the file or with zeros."""
        wanted = max(0, min(len(buffer), self._end - self._position))
        self._file.seek(self._position)
        data = self._file.read(wanted) if self._position < self._size else b""
        buffer[: len(data)] = data
        buffer[len(data) : wanted] = bytes(wanted - len(data))
        self._position += wanted
        return wanted
