"""The records of a zip archive that say where its members are (APPNOTE 4.3).

The directory is read piece by piece: it may be as large as the archive, and what it states may be lies.

All input is untrusted.
"""

from __future__ import annotations

import struct
import time
from typing import IO, TYPE_CHECKING, NamedTuple

from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = [
    "LOCAL",
    "Member",
    "directory_members",
    "extra_field",
    "is_zip",
    "read_at",
    "region",
    "scattered_members",
]

LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"
_SPANNED = b"PK\x07\x08"
_HEADER = expression(rb"PK(?:\x03\x04|\x07\x08|\x01\x02|\x05\x06)")
_TAIL = (1 << 16) + 22
"""The end record and the longest comment behind it."""
_FULL = 0xFFFF_FFFF
"""What stands where a number is too large for its field."""
_LONGEST_NAME = 4096
_SIZES_BEHIND, _UTF8 = 1 << 3, 1 << 11


class Member(NamedTuple):
    """One file in an archive; numbers as the archive states them."""

    name: str
    offset: int
    compressed: int
    size: int
    method: int
    flags: int
    crc: int | None
    """None where the archive does not say."""
    mtime: float | None
    """Seconds since the epoch, taken as local time, for zip does not say which."""
    stamp: int
    """Time of day as written; encryption uses it."""
    extra: bytes


def is_zip(head: bytes) -> bool:
    """Return whether a file that begins so is a zip archive."""
    return head.startswith((LOCAL, _END, _SPANNED + LOCAL))


def read_at(file: IO[bytes], offset: int, size: int) -> bytes:
    """Return ``size`` bytes, fewer at the end."""
    file.seek(offset)
    return file.read(size)


def region(file: IO[bytes], offset: int, size: int, limits: Limits) -> Iterator[bytes]:
    """Yield ``size`` bytes in blocks.

    Raises:
        DamagedError: The file ends before, or cannot be read.
    """
    while size > 0:
        try:
            block = read_at(file, offset, min(size, limits.read_bytes))
        except OSError as error:
            raise DamagedError("unreadable", f"{error.strerror or error}.") from error
        if not block:
            raise DamagedError("truncated", "The archive ends too early.")
        offset += len(block)
        size -= len(block)
        yield block


def directory_members(file: IO[bytes], limits: Limits) -> Iterator[Member]:
    """Yield the files that the directory at the end names.

    Raises:
        DamagedError: There is none, or it is broken.
    """
    start, size, shift = _find_directory(file)
    source = BlockSource(region(file, start, size, limits))
    while header := source.take(46):
        if len(header) < 46 or not header.startswith(_CENTRAL):
            raise DamagedError("corrupt", "The directory is broken.")
        flags, method, stamp, day, crc, compressed, plain = struct.unpack_from("<4H3I", header, 8)
        name_size, extra_size, comment_size = struct.unpack_from("<3H", header, 28)
        (offset,) = struct.unpack_from("<I", header, 42)
        name = _name(source.take(name_size), flags)
        extra = source.take(extra_size)
        source.skip(comment_size)
        plain, compressed, offset = _large(extra, [plain, compressed, offset])
        if not name.endswith("/"):
            yield Member(
                name, offset + shift, compressed, plain, method, flags, crc, _mtime(day, stamp), stamp, extra
            )


def _find_directory(file: IO[bytes]) -> tuple[int, int, int]:
    """Return where the directory is, its size, and how far all offsets are shifted."""
    length = file.seek(0, 2)
    tail = read_at(file, max(0, length - _TAIL), _TAIL)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise DamagedError("truncated", "The archive has no directory at its end.")
    size, offset = struct.unpack_from("<2I", tail, at + 12)
    end = max(0, length - _TAIL) + at
    locator = read_at(file, max(0, end - 20), 20)
    if locator.startswith(_LOCATOR64):
        end = struct.unpack_from("<Q", locator, 8)[0]
        record = read_at(file, end, 56) if end < length else b""
        if len(record) < 56 or not record.startswith(_END64):
            raise DamagedError("corrupt", "The end record of the archive is broken.")
        size, offset = struct.unpack_from("<2Q", record, 40)
    start = end - size
    if start < 0:
        raise DamagedError("corrupt", "The end record of the archive is broken.")
    return start, size, start - offset


def scattered_members(file: IO[bytes], limits: Limits) -> Iterator[Member]:
    """Yield the files whose own headers are found, for an archive without a directory."""
    length = file.seek(0, 2)
    position = 0
    while (position := _find_header(file, position, limits)) < length:
        header = read_at(file, position, 30)
        if len(header) < 30 or not header.startswith(LOCAL):
            position += 4
            continue
        flags, method, stamp, day, crc, compressed, size = struct.unpack_from("<4H3I", header, 6)
        name_size, extra_size = struct.unpack_from("<2H", header, 26)
        name = _name(read_at(file, position + 30, name_size), flags)
        extra = read_at(file, position + 30 + name_size, extra_size)
        size, compressed = _large(extra, [size, compressed])
        start = position + 30 + name_size + extra_size
        known = compressed or not flags & _SIZES_BEHIND
        if not known:
            compressed = _find_header(file, start, limits) - start
        if not name.endswith("/"):
            yield Member(
                name, position, compressed, size, method, flags, crc if known else None,
                _mtime(day, stamp), stamp, extra,
            )  # fmt: skip
        position = start + compressed


def _find_header(file: IO[bytes], position: int, limits: Limits) -> int:
    """Return where the next record of the archive begins, or where the file ends."""
    while block := read_at(file, position, limits.read_bytes):
        match = _HEADER.search(block)
        if match:
            return position + match.start()
        position += max(1, len(block) - 3)
        if len(block) <= 3:
            return position + len(block)
    return position


def _large(extra: bytes, numbers: list[int]) -> list[int]:
    """Put in the numbers that did not fit their fields (APPNOTE 4.5.3)."""
    field = extra_field(extra, 1)
    position = 0
    for index, number in enumerate(numbers):
        if number == _FULL and position + 8 <= len(field):
            (numbers[index],) = struct.unpack_from("<Q", field, position)
            position += 8
    return numbers


def extra_field(extra: bytes, wanted: int) -> bytes:
    """Return the body of an extra field (APPNOTE 4.5.1), b"" where there is none of that kind."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, position)
        position += 4
        if kind == wanted:
            return extra[position : position + size]
        position += size
    return b""


def _name(data: bytes, flags: int) -> str:
    # Most tools write UTF-8 whether they say so or not.
    try:
        name = data.decode()
    except UnicodeDecodeError:
        name = data.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    return name[:_LONGEST_NAME]


def _mtime(day: int, stamp: int) -> float | None:
    date = ((day >> 9) + 1980, day >> 5 & 15, day & 31)
    clock = (stamp >> 11, stamp >> 5 & 63, (stamp & 31) * 2)
    try:
        return time.mktime((*date, *clock, 0, 0, -1))
    except (OverflowError, ValueError):
        return None
