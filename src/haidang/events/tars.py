"""Tar archives, read as they come: the header of each file, then its bytes.

Rules of this module:

- The formats of POSIX (ustar, pax) and GNU are read. Headers are as long as ``limits.line_bytes`` at most,
  so that a name of gigabytes does no harm.
- Folders, links and devices hold no log and are passed over; a sparse file is named as not read.
- An archive that ends too early gives what it has.

All input is untrusted.
"""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, NamedTuple

from haidang.events.blocks import DamagedError
from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.blocks import BlockSource
    from haidang.limits import Limits

__all__ = ["HEADER_BYTES", "TarMember", "is_tar", "tar_members"]

HEADER_BYTES = 512
_CHECKSUM = expression(rb"[ 0]*[0-7]+[ \x00]")
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LONG_NAME = tarfile.GNUTYPE_LONGNAME
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_HAS_BYTES = (
    *_FILES, *_PAX, _LONG_NAME, tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE, tarfile.GNUTYPE_SPARSE,
)  # fmt: skip


class TarMember(NamedTuple):
    """One file in an archive."""

    name: str
    mtime: float
    size: int
    sparse: bool
    """Whether the file has holes, and its bytes are only those between them."""


def is_tar(head: bytes) -> bool:
    """Return whether a file that begins so is a tar archive, by the checksum of its first header."""
    if len(head) < HEADER_BYTES or not head[0] or not _CHECKSUM.match(head, 148):
        return False
    try:
        tarfile.TarInfo.frombuf(head[:HEADER_BYTES], "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def tar_members(source: BlockSource, limits: Limits) -> Iterator[TarMember]:
    """Yield each file when its bytes are next in ``source``; take none, some or all of them.

    Raises:
        DamagedError: The archive ends too early or is broken.
    """
    named: dict[str, str] = {}
    while header := _next_header(source):
        size = int(named.get("size", header.size)) if named.get("size", "0").isdecimal() else header.size
        begin = source.position
        padding = -size % HEADER_BYTES
        if header.type == _LONG_NAME:
            named["path"] = _read(source, size, limits).rstrip(b"\x00").decode("utf-8", "replace")
        elif header.type in _PAX:
            named |= pax_records(_read(source, size, limits))
        elif header.type in _FILES or header.type == tarfile.GNUTYPE_SPARSE:
            sparse = header.type == tarfile.GNUTYPE_SPARSE or any("GNU.sparse" in key for key in named)
            yield TarMember(named.get("path", header.name), header.mtime, size, sparse)
            named = {}
        elif header.type not in _HAS_BYTES:
            size = padding = 0
            named = {}
        left = begin + size + padding - source.position
        if source.skip(left) < left - padding:
            raise DamagedError("truncated", "The archive ends too early.")


def _next_header(source: BlockSource) -> tarfile.TarInfo | None:
    """Return the next header, None at the end of the archive."""
    block = source.take(HEADER_BYTES)
    if block and not block.strip(b"\x00"):
        return None
    # Blocks of zeros end an archive; where there are none, files may be missing.
    if len(block) < HEADER_BYTES:
        raise DamagedError("truncated", "The archive ends too early.")
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError) as error:
        raise DamagedError("corrupt", "A header of the archive is broken.") from error
    if header.type == tarfile.GNUTYPE_SPARSE:
        # Byte 482 says whether more of the map follows, and byte 504 of each further block.
        more = block[482]
        while more:
            block = source.take(HEADER_BYTES)
            more = block[504] if len(block) == HEADER_BYTES else 0
    if header.size < 0:
        raise DamagedError("corrupt", "A header of the archive is broken.")
    return header


def _read(source: BlockSource, size: int, limits: Limits) -> bytes:
    if size > limits.line_bytes:
        raise DamagedError("archive-limit", f"A header of more than {limits.line_bytes} bytes.")
    return source.take(size)


def pax_records(data: bytes) -> dict[str, str]:
    """Return the records of an extended header (POSIX pax): ``LENGTH KEY=VALUE`` and a line end."""
    records: dict[str, str] = {}
    position = 0
    while position < len(data):
        length, blank, _ = data[position : position + 20].partition(b" ")
        if not blank or not length.isdigit() or int(length) <= len(length) + 1:
            break
        record = data[position + len(length) + 1 : position + int(length)].rstrip(b"\n")
        key, _, value = record.decode("utf-8", "replace").partition("=")
        records[key] = value
        position += int(length)
    return records
