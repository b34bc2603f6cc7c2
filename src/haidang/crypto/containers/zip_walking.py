"""Reads a zip of anybody's in one forward pass, and refuses what two programs could read differently.

Rules:

- Every byte belongs to a member, to the directory or to the end, in this order: nothing is in front, between
  or behind. What the directory says of a member must be what stands at the member.
- Members are stored or deflated; encrypted ones, links and devices are refused; see
  :mod:`haidang.crypto.containers.member_names` for names.
- Size, number and expansion are bounded while reading, by :class:`Bounds`.
- The directory comes last: what is unpacked on the way must not be used before the walk has ended. Types
  (links, devices) are known only then, too.
"""

from __future__ import annotations

import stat
import struct
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple

from haidang.crypto.containers.checksums import BLOCK, Crc32
from haidang.crypto.containers.member_names import NameRegister
from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.containers.zip_source import Source, cut_off
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from haidang.crypto.containers.zip_source import Readable

__all__ = ["DEFAULT_BOUNDS", "Bounds", "Member", "stored_sizes", "walk"]

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64, _BEHIND = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_BEHIND, _PATCHED, _STRONG, _MASKED = 1, 8, 0x20, 0x40, 0x2000
_FULL = 0xFFFFFFFF
_UNIX_MAKERS = {3, 19}
_FOLDER_ATTRIBUTE = 0x10
_WINDOW = 1 << 15


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
    stream: Readable, *, bounds: Bounds = DEFAULT_BOUNDS, sizes: Mapping[int, int] | None = None
) -> Iterator[Member]:
    """Yield the members of the zip in ``stream``, which is read to its end.

    Args:
        stream: read from where it is.
        bounds: what it may take.
        sizes: packed sizes by offset, for members that are stored with their size behind them
            (:func:`stored_sizes` finds them in a file).

    Raises:
        ContainerError: It is not a zip, is damaged, or could be read differently.
    """
    source = Source(stream)
    walking = _Walking(source, bounds, sizes or {})
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
        if method == _STORED and packed != _FULL:
            found[struct.unpack_from("<I", data, position + 42)[0]] = packed
        position += 46 + sum(lengths)
    return found


class _Walking:
    """The members so far."""

    def __init__(self, source: Source, bounds: Bounds, sizes: Mapping[int, int]) -> None:
        self.source = source
        self.bounds = bounds
        self.sizes = sizes
        self.headers: dict[int, _Header] = {}
        self.names = NameRegister()
        self.expanded = 0

    def member(self) -> Member:
        """Read the header of a member, whose signature was read."""
        source = self.source
        offset = source.position - 4
        (
            _, flags, method, _, crc, compressed, size, name_size, extra_size,
        ) = struct.unpack("<3H4I2H", source.exactly(26))  # fmt: skip
        raw, extra = source.exactly(name_size), _extra(source.exactly(extra_size))
        name = _decoded(raw, extra)
        if len(self.headers) >= self.bounds.members:
            raise ContainerError(
                "too-many-members", N_("The container has more than {n} members."), n=self.bounds.members
            )
        self.names.add(name)
        _check_method(name, method, flags)
        if 1 in extra:
            size, compressed = _large(extra[1], [size, compressed])
        header = _Header(raw, method, flags, crc, compressed, size)
        behind = bool(flags & _SIZES_BEHIND)
        if behind and method == _STORED:
            packed = self.sizes.get(offset, compressed or None)
            if packed is None:
                raise ContainerError(
                    "size-unknown",
                    N_("{name} is stored and its size stands behind it, so that it cannot be read safely."),
                    name=name,
                )
            header = header._replace(compressed=packed)
        chunks = self._chunks(name, header, offset, large=1 in extra)
        return Member(name, chunks, modified=_modified(extra))

    def _chunks(self, name: str, header: _Header, offset: int, *, large: bool) -> Iterator[bytes]:
        begin, checksum, size = self.source.position, Crc32(), 0
        content = (
            self._inflated(name, header) if header.method == _DEFLATED else self._stored(header.compressed)
        )
        with checksum.alongside() as update:
            for chunk in content:
                update(chunk)
                size += len(chunk)
                self._count(name, len(chunk), size, self.source.position - begin)
                yield chunk
        crc = checksum.value
        found = header._replace(crc=crc, compressed=self.source.position - begin, size=size)
        if header.flags & _SIZES_BEHIND:
            self._descriptor(name, found, large=large)
            # In front there may be zeros, or the same (APPNOTE 4.4.4).
            told = (header.crc, header.size)
            if (told[0] and told[0] != crc) or (told[1] not in {0, _FULL, size}):
                raise _mismatch(name)
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
        known = not header.flags & _SIZES_BEHIND
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
            for form in (_BEHIND + body, body):
                ahead = self.source.peek(len(form) + 4)
                if ahead[:-4] == form and ahead[-4:] in {_LOCAL, _CENTRAL}:
                    self.source.exactly(len(form))
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
        (
            made_by, _, flags, method, _, crc, compressed, size,
            name_size, extra_size, comment_size, disk, _, attributes, offset,
        ) = struct.unpack("<4H4I5H2I", source.exactly(42))  # fmt: skip
        raw, extra = source.exactly(name_size), _extra(source.exactly(extra_size))
        source.exactly(comment_size)
        if 1 in extra:
            size, compressed, offset = _large(extra[1], [size, compressed, offset])
        name = raw.decode("utf-8", "replace")
        found = self.headers.pop(offset, None)
        told = _Header(raw, method, flags, crc, compressed, size)
        if found is None or disk not in {0, 0xFFFF} or found != told:
            raise _mismatch(name)
        _check_type(name, made_by >> 8, attributes)

    def _end(self, signature: bytes, count: int, size: int, begin: int) -> None:
        source = self.source
        told = (count, count, size, begin)
        if signature == _END64:
            end_at = source.position - 4
            record = struct.unpack("<Q2H2I4Q", source.exactly(52))
            locator = struct.unpack("<4sIQI", source.exactly(20))
            if record[0] != 44 or record[3:5] != (0, 0) or record[5:] != told:
                raise _bad_end()
            if locator != (_LOCATOR64, 0, end_at, 1):
                raise _bad_end()
            signature = source.exactly(4)
        if signature != _END:
            raise _bad_end()
        disk, start_disk, *numbers, comment_size = struct.unpack("<4H2IH", source.exactly(18))
        full = (0xFFFF, 0xFFFF, _FULL, _FULL)
        fits = all(number in {true, most} for number, true, most in zip(numbers, told, full, strict=True))
        if not fits or {disk, start_disk} - {0, 0xFFFF} or b"PK" in source.exactly(comment_size):
            raise _bad_end()
        if source.some(1):
            raise ContainerError("data-behind", N_("Something stands behind the end of the container."))


def _check_method(name: str, method: int, flags: int) -> None:
    if flags & (_ENCRYPTED | _PATCHED | _STRONG | _MASKED):
        raise ContainerError("member-encrypted", N_("{name} is encrypted inside the container."), name=name)
    if method not in {_STORED, _DEFLATED}:
        raise ContainerError(
            "method-not-accepted",
            N_("{name} is packed with method {method}; only stored and deflated are accepted."),
            name=name,
            method=method,
        )


def _check_type(name: str, maker: int, attributes: int) -> None:
    folder = name.endswith("/")
    kind = stat.S_IFMT(attributes >> 16) if maker in _UNIX_MAKERS else 0
    if kind == stat.S_IFLNK:
        raise ContainerError("member-link", N_("{name} is a link."), name=name)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ContainerError("member-device", N_("{name} is a device, a pipe or a socket."), name=name)
    wrong = kind == (stat.S_IFREG if folder else stat.S_IFDIR)
    if wrong or (attributes & _FOLDER_ATTRIBUTE and not folder):
        raise ContainerError(
            "member-type-unclear", N_("{name} is a file by its name and a folder by its type, or not."),
            name=name,
        )  # fmt: skip


def _decoded(raw: bytes, extra: Mapping[int, bytes]) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise ContainerError(
            "name-not-utf8", N_("The name {name} is not UTF-8."), name=ascii(raw.decode("latin-1"))
        ) from None
    # Info-ZIP's second spelling of a name (APPNOTE 4.6.9), which some programs use and others do not.
    if 0x7075 in extra and extra[0x7075][5:] != raw:
        raise _mismatch(name)
    return name


def _extra(data: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    position = 0
    while position + 4 <= len(data):
        kind, size = struct.unpack_from("<2H", data, position)
        body = data[position + 4 : position + 4 + size]
        if len(body) < size or (kind == 1 and kind in fields):
            raise _bad_extra()
        fields.setdefault(kind, body)
        position += 4 + size
    return fields


def _large(field: bytes, numbers: list[int]) -> list[int]:
    """Put in the numbers that did not fit their fields (APPNOTE 4.5.3)."""
    position = 0
    for index, number in enumerate(numbers):
        if number == _FULL:
            if position + 8 > len(field):
                raise _bad_extra()
            (numbers[index],) = struct.unpack_from("<Q", field, position)
            position += 8
    return numbers


def _modified(extra: Mapping[int, bytes]) -> int | None:
    stamp = extra.get(0x5455, b"")
    return int(struct.unpack_from("<i", stamp, 1)[0]) if len(stamp) >= 5 and stamp[0] & 1 else None


def _mismatch(name: str) -> ContainerError:
    return ContainerError(
        "directory-mismatch",
        N_("The directory of the container and {name} itself contradict each other."),
        name=name,
    )


def _bad_extra() -> ContainerError:
    return ContainerError("extra-field-damaged", N_("An extra field in the container is damaged."))


def _bad_end() -> ContainerError:
    return ContainerError("bad-end", N_("The end of the container is damaged or was put together by hand."))
