r"""Damaged EVTX: the records of chunks that the library gives up on, and of files without a header.

An EVTX file is a header of 4 KiB and chunks of 64 KiB, each with a header of its own; a record is
``**\0\0``, its size, its number, its time, binary XML, and its size again. What is in a record refers to
names and templates by their place in the chunk, so that a record can only be read where it stands. Therefore
a damaged chunk is repaired, not taken apart: its header is written anew, and what is no record is covered by
an empty one.

Rules of this module:

- Chunks are where the first one is, and every 64 KiB from there; where one begins early (bytes of the file
  are missing), the next are where it begins.
- A record counts when its two sizes agree. In a chunk that does not say where its records end, only those
  count whose numbers go on from the one before as far as what lies between can hold: behind the last may be
  records of the chunk's earlier life.
- Records that were read before are not handed over again.

Input is untrusted. Memory is bounded by two chunks.
"""

from __future__ import annotations

import struct
import zlib
from io import SEEK_END, BytesIO
from typing import IO, TYPE_CHECKING, Any

from haidang.events.readers._evtx_chunks import CHUNK_BYTES, HEADER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHUNK_SIGNATURE", "carve"]

CHUNK_SIGNATURE = b"ElfChnk\x00"
_FILE_SIGNATURE = b"ElfFile\x00"
_RECORD_SIGNATURE = b"**\x00\x00"
_FIRST_RECORD = 512
_SMALLEST_RECORD = 28
_FILLER = 0
"""Number of an empty record that covers what is none; those of real records begin at 1."""
_RECORD = struct.Struct("<4sIQQ")
_SIZE = struct.Struct("<I")
_Record = tuple[int, int, int]
"""Place in the chunk, size and number."""


def carve(file: IO[bytes], *, whole: bool) -> Iterator[dict[str, Any]]:
    """Yield what is left in a damaged log, as the library gives its records.

    Args:
        file: The log.
        whole: Whether nothing of it was read; else only records that the library did not give are yielded.
    """
    for position, chunk in _chunks(file):
        if not chunk.strip(b"\x00"):
            continue
        # Where bytes are missing before a chunk, the library did not find it.
        unseen = whole or bool((position - HEADER_BYTES) % CHUNK_BYTES)
        if not unseen and _is_sound(chunk):
            continue
        given = set() if unseen else {record["event_record_id"] for record in _read(chunk)}
        for record in _read(_repaired(chunk)):
            number = record["event_record_id"]
            if number != _FILLER and number not in given:
                given.add(number)
                yield record


def _chunks(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the chunks of a file, whole ones or what is left of them, with their positions."""
    size = file.seek(0, SEEK_END)
    position = _first_chunk(file, size)
    while position < size:
        file.seek(position)
        chunk = file.read(CHUNK_BYTES)
        early = chunk.find(CHUNK_SIGNATURE, 1)
        if early > 0:
            chunk = chunk[:early]
        yield position, chunk
        position += len(chunk) or CHUNK_BYTES


def _first_chunk(file: IO[bytes], size: int) -> int:
    """Return where the chunks begin."""
    file.seek(0)
    begin = file.read(HEADER_BYTES + CHUNK_BYTES)
    if begin.startswith(_FILE_SIGNATURE) or begin.startswith(CHUNK_SIGNATURE, HEADER_BYTES):
        return HEADER_BYTES
    at = begin.find(CHUNK_SIGNATURE)
    if at >= 0:
        return at
    return HEADER_BYTES if size > HEADER_BYTES else 0


def _is_sound(chunk: bytes) -> bool:
    """Return whether the records of a chunk follow one another up to where it says."""
    if not chunk.startswith(CHUNK_SIGNATURE) or len(chunk) < _FIRST_RECORD:
        return False
    end: int = _SIZE.unpack_from(chunk, 48)[0]
    at = _FIRST_RECORD
    while at + _SMALLEST_RECORD <= min(end, len(chunk)):
        signature, size, _, _ = _RECORD.unpack_from(chunk, at)
        if signature != _RECORD_SIGNATURE or size < _SMALLEST_RECORD:
            return False
        at += size
    return at == end


def _records(chunk: bytes) -> list[_Record]:
    """Return the records that can be found in a chunk, in order."""
    says_its_end = _says_its_end(chunk)
    end = min(len(chunk), _SIZE.unpack_from(chunk, 48)[0]) if says_its_end else len(chunk)
    found: list[_Record] = []
    at = chunk.find(_RECORD_SIGNATURE, _FIRST_RECORD)
    while 0 <= at <= end - _SMALLEST_RECORD:
        _, size, number, _ = _RECORD.unpack_from(chunk, at)
        stop = at + size
        is_record = size >= _SMALLEST_RECORD and stop <= end and chunk[stop - 4 : stop] == _SIZE.pack(size)
        if is_record and number and (says_its_end or _goes_on(found, at, number)):
            found.append((at, size, number))
            at = chunk.find(_RECORD_SIGNATURE, stop)
        else:
            at = chunk.find(_RECORD_SIGNATURE, at + 1)
    return found


def _goes_on(found: list[_Record], at: int, number: int) -> bool:
    """Return whether a record may come next: as many are missing as the bytes between can hold."""
    if not found:
        return True
    start, size, last = found[-1]
    return 0 < number - last <= 1 + (at - start - size) // _SMALLEST_RECORD


def _says_its_end(chunk: bytes) -> bool:
    """Return whether a chunk's header is as it was written."""
    if len(chunk) < _FIRST_RECORD or not chunk.startswith(CHUNK_SIGNATURE):
        return False
    written: int = _SIZE.unpack_from(chunk, 124)[0]
    return zlib.crc32(chunk[:120] + chunk[128:_FIRST_RECORD]) == written


def _repaired(chunk: bytes) -> bytes:
    """Return a chunk whose records follow one another from the beginning to the end."""
    records = _records(chunk)
    if not records:
        return b""
    image = bytearray(chunk.ljust(CHUNK_BYTES, b"\x00"))
    end = _FIRST_RECORD
    for at, size, _ in records:
        _cover(image, end, at)
        end = at + size
    if not _says_its_end(chunk):
        image[128:_FIRST_RECORD] = bytes(_FIRST_RECORD - 128)
    numbers = (records[0][2], records[-1][2])
    struct.pack_into("<8s4Q4I", image, 0, CHUNK_SIGNATURE, *numbers, *numbers, 128, records[-1][0], end, 0)
    image[end:] = bytes(len(image) - end)
    return bytes(image)


def _cover(image: bytearray, start: int, end: int) -> None:
    """Write an empty record over what lies between two records."""
    size = end - start
    if size >= _SMALLEST_RECORD:
        # Names and templates that other records refer to may stand there: only the frame is written.
        _RECORD.pack_into(image, start, _RECORD_SIGNATURE, size, _FILLER, 0)
        image[start + 24] = 0
        _SIZE.pack_into(image, end - 4, size)


def _read(chunk: bytes) -> Iterator[dict[str, Any]]:
    """Yield what the library reads in one chunk; what it says of the rest was said before."""
    from evtx import PyEvtxParser

    if not chunk:
        return
    numbers = (0, 0, 1, 128, 1, 3, HEADER_BYTES, 1)
    header = struct.pack("<8s3QI4H", _FILE_SIGNATURE, *numbers).ljust(120, b"\x00")
    header = (header + struct.pack("<2I", 0, zlib.crc32(header))).ljust(HEADER_BYTES, b"\x00")
    try:
        records = iter(PyEvtxParser(BytesIO(header + chunk.ljust(CHUNK_BYTES, b"\x00")), 1).records_json())
    except (RuntimeError, OSError, ValueError):
        return
    while True:
        try:
            yield from records
        except (RuntimeError, OSError, ValueError):
            continue
        return
