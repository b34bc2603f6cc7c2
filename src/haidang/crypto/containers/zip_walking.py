"""Reads a zip of anybody's in one forward pass, and refuses what two programs could read differently.

Rules:

- Every byte belongs to a member, to the directory or to the end, in this order: nothing is in front, between
  or behind. What the directory says of a member, its MS-DOS time too, must be what stands at the member. The
  extended timestamps may differ: programs that make zips reproducible set the one and leave the other.
- Members are stored or deflated; encrypted ones, links and devices are refused; see
  :mod:`haidang.crypto.containers.member_names` for names.
- Size, number and expansion are bounded while reading, by :class:`Bounds`.
- The directory comes last: what is unpacked on the way must not be used before the walk has ended. Types
  (links, devices) are known only then, too.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple

from haidang.crypto.containers.checksums import BLOCK, Crc32
from haidang.crypto.containers.member_names import NameRegister
from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.containers.zip_fields import (
    check_method,
    check_type,
    decoded_name,
    extra_fields,
    mismatch,
    modified_in,
    put_large,
)
from haidang.crypto.containers.zip_form import ZipForm
from haidang.crypto.containers.zip_headers import DEFLATED, SIZES_BEHIND, STORED, Record
from haidang.crypto.containers.zip_source import Source, cut_off
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from haidang.crypto.containers.zip_source import Readable

__all__ = ["DEFAULT_BOUNDS", "Bounds", "Member", "stored_sizes", "walk"]

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64, _BEHIND = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_FULL = 0xFFFFFFFF
_WINDOW = 1 << 15
_LONGEST_DESCRIPTOR = 24
"""Bytes; of its four forms, the one that zip_writing writes."""


class Bounds(NamedTuple):
    """What one container may take."""

    members: int = 100_000
    expanded_bytes: int = 1 << 42
    """Bytes of all members together, unpacked."""
    expansion_ratio: int = 200
    """Largest unpacked : packed ratio of a member, looked at once ``expansion_floor`` bytes came out."""
    expansion_floor: int = 16 << 20


DEFAULT_BOUNDS = Bounds()


class _Header(NamedTuple):
    """What a member and the directory must say alike."""

    name: bytes
    method: int
    flags: int
    crc: int
    compressed: int
    size: int
    stamp: int
    """MS-DOS date and time."""


class Member:
    """One member, as the walk comes by. Read its :meth:`chunks` before the next one, or they are skipped."""

    def __init__(self, name: str, chunks: Iterator[bytes], *, modified: int | None) -> None:
        """Name a member whose content ``chunks`` yields."""
        self.name = name
        self.modified = modified
        """Seconds since 1970 in UTC, where the extended timestamp says so."""
        self._chunks = chunks

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.name.endswith("/")

    def chunks(self) -> Iterator[bytes]:
        """Yield the content; the last step checks size and checksum."""
        return self._chunks


def walk(
    stream: Readable,
    *,
    bounds: Bounds = DEFAULT_BOUNDS,
    sizes: Mapping[int, int] | None = None,
    form: ZipForm | None = None,
) -> Iterator[Member]:
    """Yield the members of the zip in ``stream``, which is read to its end.

    Args:
        stream: read from where it is.
        bounds: what it may take.
        sizes: packed sizes by offset, for members that are stored with their size behind them
            (:func:`stored_sizes` finds them in a file).
        form: is told of all that is read.

    Raises:
        ContainerError: It is not a zip, is damaged, or could be read differently.
    """
    source = Source(stream)
    walking = _Walking(source, bounds, sizes or {}, form or ZipForm())
    signature = source.exactly(4)
    if signature not in {_LOCAL, _END}:
        raise ContainerError(
            "not-a-container",
            N_("It does not begin as a container does; something may stand in front of it."),
        )
    while signature == _LOCAL:
        member = walking.member()
        yield member
        for _ in member.chunks():
            pass
        signature = source.exactly(4)
    walking.directory(signature)


def stored_sizes(file: IO[bytes]) -> dict[int, int]:
    """Return the packed sizes that the directory of a file names for stored members, by offset.

    Only a hint for :func:`walk`, which checks them against the members: a directory that cannot be found or
    read gives none.
    """
    length = file.seek(0, 2)
    tail_size = min(length, 66_000)
    file.seek(length - tail_size)
    tail = file.read(tail_size)
    end = tail.rfind(_END)
    found: dict[int, int] = {}
    if end < 0 or len(tail) < end + 22:
        return found
    _, count, size, start = struct.unpack_from("<2H2I", tail, end + 8)
    if count == 0xFFFF or _FULL in {size, start} or size > 64 << 20 or start + size > length:
        return found
    file.seek(start)
    data, position = file.read(size), 0
    while data[position : position + 4] == _CENTRAL and len(data) >= position + 46:
        method = struct.unpack_from("<H", data, position + 10)[0]
        packed = struct.unpack_from("<I", data, position + 20)[0]
        lengths = struct.unpack_from("<3H", data, position + 28)
        if method == STORED and packed != _FULL:
            found[struct.unpack_from("<I", data, position + 42)[0]] = packed
        position += 46 + sum(lengths)
    return found


class _Walking:
    """The members so far."""

    def __init__(self, source: Source, bounds: Bounds, sizes: Mapping[int, int], form: ZipForm) -> None:
        self.source = source
        self.bounds = bounds
        self.sizes = sizes
        self.form = form
        self.headers: dict[int, _Header] = {}
        self.names = NameRegister()
        self.expanded = 0

    def member(self) -> Member:
        """Read the header of a member, whose signature was read."""
        source = self.source
        offset = source.position - 4
        fixed = source.exactly(26)
        (
            _, flags, method, stamp, crc, compressed, size, name_size, extra_size,
        ) = struct.unpack("<3H4I2H", fixed)  # fmt: skip
        raw, more = source.exactly(name_size), source.exactly(extra_size)
        self.form.local(_LOCAL + fixed + raw + more)
        extra = extra_fields(more)
        name = decoded_name(raw, extra)
        if len(self.headers) >= self.bounds.members:
            raise ContainerError(
                "too-many-members", N_("The container has more than {n} members."), n=self.bounds.members
            )
        self.names.add(name)
        check_method(name, method, flags)
        if 1 in extra:
            size, compressed = put_large(extra[1], [size, compressed])
        header = _Header(raw, method, flags, crc, compressed, size, stamp)
        behind = bool(flags & SIZES_BEHIND)
        if behind and method == STORED:
            packed = self.sizes.get(offset, compressed or None)
            if packed is None:
                raise ContainerError(
                    "size-unknown",
                    N_("{name} is stored and its size stands behind it, so that it cannot be read safely."),
                    name=name,
                )
            header = header._replace(compressed=packed)
        chunks = self._chunks(name, header, offset, large=1 in extra)
        return Member(name, chunks, modified=modified_in(extra))

    def _chunks(self, name: str, header: _Header, offset: int, *, large: bool) -> Iterator[bytes]:
        begin, checksum, size = self.source.position, Crc32(), 0
        content = (
            self._inflated(name, header) if header.method == DEFLATED else self._stored(header.compressed)
        )
        with checksum.alongside() as update:
            for chunk in content:
                update(chunk)
                size += len(chunk)
                self._count(name, len(chunk), size, self.source.position - begin)
                yield chunk
        crc = checksum.value
        found = header._replace(crc=crc, compressed=self.source.position - begin, size=size)
        if header.flags & SIZES_BEHIND:
            self._descriptor(name, found, large=large)
            # In front there may be zeros, or the same (APPNOTE 4.4.4).
            told = (header.crc, header.size)
            if (told[0] and told[0] != crc) or (told[1] not in {0, _FULL, size}):
                raise mismatch(name)
        elif found != header:
            raise ContainerError(
                "member-damaged", N_("{name} is damaged: its size or checksum is another."), name=name
            )
        if name.endswith("/") and size:
            raise ContainerError("folder-with-content", N_("The folder {name} has content."), name=name)
        self.headers[offset] = found

    def _stored(self, size: int) -> Iterator[bytes]:
        while size:
            chunk = self.source.some(size)
            if not chunk:
                raise cut_off()
            size -= len(chunk)
            yield chunk

    def _inflated(self, name: str, header: _Header) -> Iterator[bytes]:
        known = not header.flags & SIZES_BEHIND
        left = header.compressed
        window, last = b"", False
        # Stored blocks, of which zip_writing makes all of a member, need no inflating.
        while not known and not last:
            chunk, last = self.source.stored_blocks()
            if not chunk:
                break
            yield chunk
            window = (window + chunk if len(chunk) < _WINDOW else chunk)[-_WINDOW:]
        if last:
            return
        self.form.broken()
        inflater = zlib.decompressobj(-15, zdict=window) if window else zlib.decompressobj(-15)
        while not inflater.eof:
            packed = inflater.unconsumed_tail
            if not packed:
                packed = self.source.some(min(left, BLOCK) if known else BLOCK)
                left -= len(packed)
                if not packed:
                    raise cut_off()
            try:
                chunk = inflater.decompress(packed, BLOCK)
            except zlib.error as error:
                raise ContainerError(
                    "member-damaged", N_("{name} is damaged: its size or checksum is another."), name=name
                ) from error
            if chunk:
                yield chunk
        if inflater.unused_data:
            self.source.put_back(len(inflater.unused_data))

    def _count(self, name: str, chunk: int, size: int, packed: int) -> None:
        bounds = self.bounds
        self.expanded += chunk
        if self.expanded > bounds.expanded_bytes:
            raise ContainerError(
                "too-large", N_("The container unpacks to more than {n} bytes."), n=bounds.expanded_bytes
            )
        if size > bounds.expansion_floor and size > packed * bounds.expansion_ratio:
            raise ContainerError(
                "expands-too-much",
                N_("{name} unpacks to more than {n} times its size."),
                name=name,
                n=bounds.expansion_ratio,
            )

    def _descriptor(self, name: str, found: _Header, *, large: bool) -> None:
        """Read sizes and checksum behind a member, in whichever of its forms they are (APPNOTE 4.3.9)."""
        shapes = ["<I2Q", "<I2I"] if large else ["<I2I", "<I2Q"]
        for shape in shapes:
            try:
                body = struct.pack(shape, found.crc, found.compressed, found.size)
            except struct.error:
                continue
            for octets in (_BEHIND + body, body):
                ahead = self.source.peek(len(octets) + 4)
                if ahead[:-4] == octets and ahead[-4:] in {_LOCAL, _CENTRAL}:
                    self.source.exactly(len(octets))
                    if len(octets) != _LONGEST_DESCRIPTOR:
                        self.form.broken()
                    return
        raise ContainerError(
            "member-damaged", N_("{name} is damaged: its size or checksum is another."), name=name
        )

    def directory(self, signature: bytes) -> None:
        """Read the directory, whose first signature was read, and compare it with the members."""
        source = self.source
        begin = source.position - 4
        seen = 0
        while signature == _CENTRAL:
            self._entry()
            seen += 1
            signature = source.exactly(4)
        size = source.position - 4 - begin
        if self.headers:
            raise ContainerError(
                "directory-mismatch", N_("The directory of the container does not name all its members.")
            )
        self._end(signature, seen, size, begin)

    def _entry(self) -> None:
        source = self.source
        fixed = source.exactly(42)
        (
            made_by, _, flags, method, stamp, crc, compressed, size,
            name_size, extra_size, comment_size, disk, _, attributes, offset,
        ) = struct.unpack("<4H4I5H2I", fixed)  # fmt: skip
        raw, more, comment = (source.exactly(n) for n in (name_size, extra_size, comment_size))
        extra = extra_fields(more)
        if 1 in extra:
            size, compressed, offset = put_large(extra[1], [size, compressed, offset])
        name = raw.decode("utf-8", "replace")
        found = self.headers.pop(offset, None)
        told = _Header(raw, method, flags, crc, compressed, size, stamp)
        if found is None or disk not in {0, 0xFFFF} or found != told:
            raise mismatch(name)
        check_type(name, made_by >> 8, attributes)
        self.form.central(
            Record(raw, flags, method, stamp, modified_in(extra) or 0, crc, compressed, size, offset),
            _CENTRAL + fixed + raw + more + comment,
        )

    def _end(self, signature: bytes, count: int, size: int, begin: int) -> None:
        source = self.source
        told = (count, count, size, begin)
        whole = b""
        if signature == _END64:
            end_at = source.position - 4
            octets = source.exactly(72)
            record = struct.unpack("<Q2H2I4Q", octets[:52])
            locator = struct.unpack("<4sIQI", octets[52:])
            if record[0] != 44 or record[3:5] != (0, 0) or record[5:] != told:
                raise _bad_end()
            if locator != (_LOCATOR64, 0, end_at, 1):
                raise _bad_end()
            whole, signature = signature + octets, source.exactly(4)
        if signature != _END:
            raise _bad_end()
        fixed = source.exactly(18)
        disk, start_disk, *numbers, comment_size = struct.unpack("<4H2IH", fixed)
        comment = source.exactly(comment_size)
        full = (0xFFFF, 0xFFFF, _FULL, _FULL)
        fits = all(number in {true, most} for number, true, most in zip(numbers, told, full, strict=True))
        if not fits or {disk, start_disk} - {0, 0xFFFF} or b"PK" in comment:
            raise _bad_end()
        if source.some(1):
            raise ContainerError("data-behind", N_("Something stands behind the end of the container."))
        self.form.end(whole + signature + fixed + comment, size, begin)


def _bad_end() -> ContainerError:
    return ContainerError("bad-end", N_("The end of the container is damaged or was put together by hand."))
