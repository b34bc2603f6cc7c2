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

import datetime as dt
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from haidang.crypto.containers.checksums import Crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Writable", "ZipWriter"]

_UTF8 = 0x0800
_SIZES_BEHIND = 0x0008
_STORED, _DEFLATED = 0, 8
_FULL = 0xFFFFFFFF
_MADE_BY_UNIX = 3 << 8 | 45
_LARGEST_BLOCK = 0xFFFF
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"


class Writable(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take all of ``data``."""

    def writelines(self, pieces: list[bytes | memoryview], /) -> None:
        """Take all of ``pieces``, one after the other."""


class _Record(NamedTuple):
    """One line of the directory at the end."""

    name: bytes
    flags: int
    method: int
    stamp: int
    seconds: int
    crc: int
    compressed: int
    size: int
    offset: int
    folder: bool


class ZipWriter:
    """Members are added in order; :meth:`close` writes the directory. The stream stays open."""

    def __init__(self, stream: Writable) -> None:
        """Write to ``stream`` from where it is; offsets count from there."""
        self._stream = stream
        self._offset = 0
        self._records: list[_Record] = []

    def add(self, name: str, content: bytes, modified: dt.datetime, *, plain: bool = False) -> None:
        """Add a member that is in memory.

        Args:
            name: its name; it is not checked here. One that ends with a slash is a folder.
            content: all of it.
            modified: its time.
            plain: write no extra field, as ASiC wants it of ``mimetype`` (EN 319 162-1, annex A.1).
        """
        record = _Record(
            name.encode(), _UTF8, _STORED, *_stamps(modified), zlib.crc32(content),
            len(content), len(content), self._offset, name.endswith("/"),
        )  # fmt: skip
        if name.isascii():
            record = record._replace(flags=0)
        self._write(_local(record, plain=plain))
        self._write(content)
        self._records.append(record)

    def stream(self, name: str, chunks: Iterable[bytes], modified: dt.datetime) -> int:
        """Add a member that comes in pieces, which must not change; return its size."""
        flags = _SIZES_BEHIND | (0 if name.isascii() else _UTF8)
        stamp, seconds = _stamps(modified)
        record = _Record(name.encode(), flags, _DEFLATED, stamp, seconds, 0, 0, 0, self._offset, folder=False)
        self._write(_local(record))
        begin, crc, size = self._offset, Crc32(), 0
        with crc.alongside() as update:
            for chunk in chunks:
                update(chunk)
                size += len(chunk)
                self._blocks(memoryview(chunk))
        self._write(_LAST_BLOCK)
        record = record._replace(crc=crc.value, compressed=self._offset - begin, size=size)
        self._write(struct.pack("<4sI2Q", b"PK\x07\x08", record.crc, record.compressed, size))
        self._records.append(record)
        return size

    def close(self) -> None:
        """Write the directory and the end."""
        begin = self._offset
        for record in self._records:
            self._write(_central(record))
        size, count = self._offset - begin, len(self._records)
        if count >= 0xFFFF or begin >= _FULL or size >= _FULL:
            self._write(
                struct.pack(
                    "<4sQ2H2I4Q", b"PK\x06\x06", 44, _MADE_BY_UNIX, 45, 0, 0, count, count, size, begin
                )
            )
            self._write(struct.pack("<4sIQI", b"PK\x06\x07", 0, begin + size, 1))
        count, size, begin = min(count, 0xFFFF), min(size, _FULL), min(begin, _FULL)
        self._write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, size, begin, 0))

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


def _local(record: _Record, *, plain: bool = False) -> bytes:
    extra = b""
    if record.flags & _SIZES_BEHIND:
        # That the field is there says that the sizes behind the data have 8 bytes (APPNOTE 4.3.9.2).
        extra = struct.pack("<2H2Q", 1, 16, 0, 0)
    if not plain:
        extra += struct.pack("<2HBI", 0x5455, 5, 1, record.seconds)
    sizes = (_FULL, _FULL) if record.flags & _SIZES_BEHIND else (record.compressed, record.size)
    version = 45 if record.flags & _SIZES_BEHIND else 20
    return (
        struct.pack(
            "<4s3H4I2H", b"PK\x03\x04", version, record.flags, record.method, record.stamp,
            *(record.crc, *sizes), len(record.name), len(extra),
        )
        + record.name
        + extra
    )  # fmt: skip


def _central(record: _Record) -> bytes:
    large = [n for n in (record.size, record.compressed, record.offset) if n >= _FULL]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    extra += struct.pack("<2HBI", 0x5455, 5, 1, record.seconds)
    attributes = (0o040755 << 16 | 0x10) if record.folder else 0o100644 << 16
    return (
        struct.pack(
            "<4s4H4I5H2I", b"PK\x01\x02", _MADE_BY_UNIX, 45, record.flags, record.method, record.stamp,
            record.crc, min(record.compressed, _FULL), min(record.size, _FULL),
            len(record.name), len(extra), 0, 0, 0, attributes, min(record.offset, _FULL),
        )
        + record.name
        + extra
    )  # fmt: skip


def _stamps(moment: dt.datetime) -> tuple[int, int]:
    """Return a moment as MS-DOS has it (in UTC, two seconds exact) and in seconds since 1970."""
    utc = moment.astimezone(dt.UTC)
    utc = min(max(utc, dt.datetime(1980, 1, 1, tzinfo=dt.UTC)), dt.datetime(2107, 12, 31, tzinfo=dt.UTC))
    date = utc.year - 1980 << 9 | utc.month << 5 | utc.day
    clock = utc.hour << 11 | utc.minute << 5 | utc.second // 2
    return date << 16 | clock, min(max(int(moment.timestamp()), 0), 0x7FFFFFFF)
