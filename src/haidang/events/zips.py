"""Zip archives: what is in them, and the bytes of a member.

Rules of this module:

- The directory at the end says what is in an archive. Where it is missing or broken, members are found by
  their own headers, so that a download that was cut short still gives what it has.
- No more than ``limits.archive_members`` are looked at. Members that share bytes are a bomb and not read.
- A member is decompressed block by block, and its checksum compared; a wrong one is noted at its end.

All input is untrusted.
"""

from __future__ import annotations

import os
import struct
import zlib
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from haidang.events.blocks import DamagedError
from haidang.events.decompression import decompress_member
from haidang.events.zip_directory import (
    LOCAL,
    Member,
    directory_members,
    is_zip,
    read_at,
    region,
    scattered_members,
)
from haidang.events.zip_encryption import decrypted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.budget import Budget
    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["Listing", "Member", "is_zip", "list_file", "list_members", "member_blocks"]


class Note(NamedTuple):
    """Something that is wrong with an archive."""

    kind: str
    where: str
    detail: str


"""Kind, position and detail of a problem."""

_OFFICE = "[Content_Types].xml"
"""What each Office document, which is a zip archive, has."""
_ENCRYPTED = 1
_LZMA_ENDED = 1 << 1


class Listing(NamedTuple):
    """What is in an archive: its files by name, in the order of names, and what is wrong with it."""

    members: dict[str, Member]
    notes: tuple[Note, ...]

    def note_in(self, report: FileReport) -> None:
        """Put what is wrong with the archive into its report."""
        for note in self.notes:
            report.note(*note)


def list_members(file: IO[bytes], limits: Limits) -> Listing:
    """Return what is in an archive; a name that occurs again gets ``#2``, ``#3`` …."""
    notes: list[Note] = []
    try:
        members = _collect(directory_members(file, limits), limits, notes)
    except DamagedError as damage:
        detail = f"{damage.detail} Its members are read by their own headers."
        notes.append(Note(damage.kind, "byte 0", detail))
        members = _collect(scattered_members(file, limits), limits, notes)
    except OSError as error:
        return Listing({}, (Note("unreadable", "byte 0", f"{error.strerror or error}."),))
    if any(member.name == _OFFICE for member in members):
        return Listing({}, (Note("unknown-format", "byte 0", "This is an Office document."),))
    if not members and not notes:
        return Listing({}, (Note("empty", "byte 0", "The archive holds no file."),))
    return Listing(_named_apart(_lying_apart(members, notes)), tuple(notes))


def list_file(path: str, limits: Limits) -> Listing:
    """Return what is in the archive at ``path``.

    Raises:
        OSError: The file cannot be opened.
    """
    state = os.stat(path)  # noqa: PTH116 - the path may be bytes that are no text
    return _list_file(path, state.st_mtime_ns, state.st_size, limits)


@lru_cache(maxsize=1)
def _list_file(path: str, _mtime: int, _size: int, limits: Limits) -> Listing:
    # Members are opened one by one; the archive is listed once for all of them, unless it changes.
    with Path(path).open("rb") as file:
        return list_members(file, limits)


def member_blocks(
    file: IO[bytes], member: Member, password: bytes | None, limits: Limits, budget: Budget
) -> Iterator[bytes]:
    """Yield the plain bytes of a member.

    Raises:
        DamagedError: It is encrypted and the password is wrong or none, or it is damaged.
    """
    header = read_at(file, member.offset, 30)
    if len(header) < 30 or not header.startswith(LOCAL):
        raise DamagedError("corrupt", "The member's header is broken.")
    start = member.offset + 30 + sum(struct.unpack_from("<2H", header, 26))
    blocks = budget.taking(region(file, start, member.compressed, limits))
    method, crc = member.method, member.crc
    if member.flags & _ENCRYPTED:
        blocks, method, keeps_crc = decrypted(blocks, member, password)
        crc = crc if keeps_crc else None
    plain = decompress_member(
        method, blocks, limits, size=member.size, ended=bool(member.flags & _LZMA_ENDED)
    )
    return _checked(budget.giving(plain), crc)


def _checked(blocks: Iterator[bytes], crc: int | None) -> Iterator[bytes]:
    running = 0
    for block in blocks:
        running = zlib.crc32(block, running)
        yield block
    if crc is not None and running != crc:
        raise DamagedError("corrupt", "The member's checksum is wrong.")


def _collect(found: Iterator[Member], limits: Limits, notes: list[Note]) -> list[Member]:
    members: list[Member] = []
    for member in found:
        if len(members) >= limits.archive_members:
            detail = f"More than {limits.archive_members} members; the rest is not read."
            notes.append(Note("archive-limit", f"member {member.name}", detail))
            break
        members.append(member)
    return members


def _lying_apart(members: list[Member], notes: list[Note]) -> list[Member]:
    """Leave out members that share bytes with the one behind them, as those of bombs do."""
    members.sort(key=lambda member: member.offset)
    apart = members[-1:]
    for member, following in pairwise(members):
        if member.offset + 30 + member.compressed > following.offset:
            detail = "It shares bytes with another member."
            notes.append(Note("archive-limit", f"member {member.name}", detail))
        else:
            apart.append(member)
    return apart


def _named_apart(members: list[Member]) -> dict[str, Member]:
    """Return members by name, in that order, each with a name of its own."""
    members.sort(key=lambda member: (member.name, member.offset))
    named: dict[str, Member] = {}
    seen: dict[str, int] = {}
    for member in members:
        name = member.name
        while name in named:
            seen[member.name] = seen.get(member.name, 1) + 1
            name = f"{member.name}#{seen[member.name]}"
        named[name] = member._replace(name=name)
    return named
