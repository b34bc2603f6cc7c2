"""The headers of a zip (APPNOTE 6.3.10) as :mod:`haidang.crypto.containers.zip_writing` writes them.

What a member's headers say follows from its :class:`Record`, so that whoever reads a zip can tell whether
they are, byte for byte, those that would have been written.
"""

from __future__ import annotations

import datetime as dt
import struct
from typing import NamedTuple

__all__ = [
    "DEFLATED",
    "LAST_BLOCK",
    "SIZES_BEHIND",
    "STORED",
    "Record",
    "central_header",
    "descriptor",
    "end_of_directory",
    "flags_for",
    "local_header",
    "stamps",
]

STORED, DEFLATED = 0, 8
SIZES_BEHIND = 0x0008
"""The flag that says that size and checksum stand behind the data."""
LAST_BLOCK = b"\x01\x00\x00\xff\xff"
"""The stored block, of no bytes, that ends a stream of DEFLATE."""

_UTF8 = 0x0800
_FULL = 0xFFFFFFFF
_MADE_BY_UNIX = 3 << 8 | 45


class Record(NamedTuple):
    """One line of the directory at the end."""

    name: bytes
    flags: int
    method: int
    stamp: int
    """MS-DOS date and time."""
    seconds: int
    """Since 1970, in UTC."""
    crc: int
    compressed: int
    size: int
    offset: int


def local_header(record: Record, *, plain: bool = False) -> bytes:
    """Return what stands in front of a member; ``plain`` has no extra field."""
    behind = bool(record.flags & SIZES_BEHIND)
    extra = b""
    if behind:
        # That the field is there says that the sizes behind the data have 8 bytes (APPNOTE 4.3.9.2).
        extra = struct.pack("<2H2Q", 1, 16, 0, 0)
    if not plain:
        extra += struct.pack("<2HBI", 0x5455, 5, 1, record.seconds)
    numbers = (0, _FULL, _FULL) if behind else (record.crc, record.compressed, record.size)
    return (
        struct.pack(
            "<4s3H4I2H", b"PK\x03\x04", 45 if behind else 20, record.flags, record.method, record.stamp,
            *numbers, len(record.name), len(extra),
        )
        + record.name
        + extra
    )  # fmt: skip


def descriptor(record: Record) -> bytes:
    """Return what stands behind a member whose size was not known in front."""
    return struct.pack("<4sI2Q", b"PK\x07\x08", record.crc, record.compressed, record.size)


def central_header(record: Record) -> bytes:
    """Return the line of the directory."""
    large = [n for n in (record.size, record.compressed, record.offset) if n >= _FULL]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    extra += struct.pack("<2HBI", 0x5455, 5, 1, record.seconds)
    attributes = (0o040755 << 16 | 0x10) if record.name.endswith(b"/") else 0o100644 << 16
    return (
        struct.pack(
            "<4s4H4I5H2I", b"PK\x01\x02", _MADE_BY_UNIX, 45, record.flags, record.method, record.stamp,
            record.crc, min(record.compressed, _FULL), min(record.size, _FULL),
            len(record.name), len(extra), 0, 0, 0, attributes, min(record.offset, _FULL),
        )
        + record.name
        + extra
    )  # fmt: skip


def end_of_directory(count: int, size: int, begin: int) -> bytes:
    """Return what stands behind the ``count`` lines of a directory of ``size`` bytes from ``begin`` on."""
    end64 = b""
    if count >= 0xFFFF or begin >= _FULL or size >= _FULL:
        end64 = struct.pack(
            "<4sQ2H2I4Q", b"PK\x06\x06", 44, _MADE_BY_UNIX, 45, 0, 0, count, count, size, begin
        ) + struct.pack("<4sIQI", b"PK\x06\x07", 0, begin + size, 1)
    count, size, begin = min(count, 0xFFFF), min(size, _FULL), min(begin, _FULL)
    return end64 + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, size, begin, 0)


def flags_for(name: str) -> int:
    """Return the flag that says that a name is UTF-8, where it says anything."""
    return 0 if name.isascii() else _UTF8


def stamps(moment: dt.datetime) -> tuple[int, int]:
    """Return a moment as MS-DOS has it (in UTC, two seconds exact) and in seconds since 1970."""
    utc = moment.astimezone(dt.UTC)
    utc = min(max(utc, dt.datetime(1980, 1, 1, tzinfo=dt.UTC)), dt.datetime(2107, 12, 31, tzinfo=dt.UTC))
    date = utc.year - 1980 << 9 | utc.month << 5 | utc.day
    clock = utc.hour << 11 | utc.minute << 5 | utc.second // 2
    return date << 16 | clock, min(max(int(moment.timestamp()), 0), 0x7FFFFFFF)
