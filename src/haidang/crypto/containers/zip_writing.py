"""Writes a zip (APPNOTE 6.3.10) to a stream that need not seek, in one pass and constant memory.

Rules:

- What is in memory is stored, with its size and checksum in front of it.
- What streams is DEFLATE made of stored blocks (RFC 1951, section 3.2.4), with size and checksum behind it
  (APPNOTE 4.3.9). It costs nothing and ends by itself, so that it can be read in one pass, too; "stored"
  with an unknown size cannot.
- Zip64 wherever a size, an offset or a count needs it. Names are UTF-8, and said to be. Permissions are
  0644 and 0755 for everybody's; times are UTC in the extended timestamp (APPNOTE 4.6, id 0x5455).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, Protocol

from haidang.crypto.containers.checksums import Crc32
from haidang.crypto.containers.zip_headers import (
    DEFLATED,
    LAST_BLOCK,
    SIZES_BEHIND,
    STORED,
    Record,
    central_header,
    descriptor,
    end_of_directory,
    flags_for,
    local_header,
    stamps,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

__all__ = ["Writable", "ZipWriter"]

_LARGEST_BLOCK = 0xFFFF


class Writable(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take all of ``data``."""

    def writelines(self, pieces: list[bytes | memoryview], /) -> None:
        """Take all of ``pieces``, one after the other."""


class ZipWriter:
    """Members are added in order; :meth:`close` writes the directory. The stream stays open."""

    def __init__(self, stream: Writable) -> None:
        """Write to ``stream`` from where it is; offsets count from there."""
        self._stream = stream
        self._offset = 0
        self._lines: list[bytes] = []
        self._digest = hashlib.sha256()

    def add(self, name: str, content: bytes, modified: dt.datetime, *, plain: bool = False) -> None:
        """Add a member that is in memory.

        Args:
            name: its name; it is not checked here. One that ends with a slash is a folder.
            content: all of it.
            modified: its time.
            plain: write no extra field, as ASiC wants it of ``mimetype`` (EN 319 162-1, annex A.1).
        """
        record = Record(
            name.encode(), flags_for(name), STORED, *stamps(modified), zlib.crc32(content),
            len(content), len(content), self._offset,
        )  # fmt: skip
        self._write(local_header(record, plain=plain))
        self._write(content)
        self._list(record)

    def stream(self, name: str, chunks: Iterable[bytes], modified: dt.datetime) -> int:
        """Add a member that comes in pieces, which must not change; return its size."""
        flags = flags_for(name) | SIZES_BEHIND
        record = Record(name.encode(), flags, DEFLATED, *stamps(modified), 0, 0, 0, self._offset)
        self._write(local_header(record))
        begin, crc, size = self._offset, Crc32(), 0
        with crc.alongside() as update:
            for chunk in chunks:
                update(chunk)
                size += len(chunk)
                self._blocks(memoryview(chunk))
        self._write(LAST_BLOCK)
        record = record._replace(crc=crc.value, compressed=self._offset - begin, size=size)
        self._write(descriptor(record))
        self._list(record)
        return size

    def listed(self) -> bytes:
        """Return the SHA-256 of the directory's lines of all members so far (see :mod:`.zip_form`)."""
        return self._digest.digest()

    def close(self) -> None:
        """Write the directory and the end."""
        begin = self._offset
        for line in self._lines:
            self._write(line)
        self._write(end_of_directory(len(self._lines), self._offset - begin, begin))

    def _list(self, record: Record) -> None:
        line = central_header(record)
        self._lines.append(line)
        self._digest.update(line)

    def _blocks(self, data: memoryview) -> None:
        pieces: list[bytes | memoryview] = []
        for begin in range(0, len(data), _LARGEST_BLOCK):
            block = data[begin : begin + _LARGEST_BLOCK]
            pieces += (struct.pack("<B2H", 0, len(block), len(block) ^ 0xFFFF), block)
        self._stream.writelines(pieces)
        self._offset += sum(map(len, pieces))

    def _write(self, data: bytes | memoryview) -> None:
        self._stream.write(data)
        self._offset += len(data)
