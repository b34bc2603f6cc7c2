"""Checksums beside the reading, and stored blocks without inflating: the same as one after the other."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import threading
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.containers import ContainerError
from haidang.crypto.containers.checksums import BLOCK, Crc32, alongside
from haidang.crypto.containers.zip_walking import walk
from haidang.crypto.containers.zip_writing import ZipWriter
from tests.crypto.small_pki import MOMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@pytest.mark.parametrize("sizes", [[], [0], [5], [BLOCK], [BLOCK] * 9 + [3], [10] * 40, [1, BLOCK, 7, BLOCK]])
def test_blocks_are_taken_in_their_order_and_all_of_them(sizes: Sequence[int]) -> None:
    blocks = [os.urandom(size) for size in sizes]
    digest, checksum = hashlib.sha256(), Crc32()
    with alongside(digest.update) as first, checksum.alongside() as second:
        for block in blocks:
            first(block)
            second(block)
    whole = b"".join(blocks)
    assert digest.digest() == hashlib.sha256(whole).digest()
    assert checksum.value == zlib.crc32(whole)


def passed(take: Callable[[bytes], object], blocks: Iterable[bytes]) -> None:
    with alongside(take) as put:
        for block in blocks:
            put(block)


@pytest.mark.parametrize("at", [0, 1, 5, 9])
def test_an_error_while_taking_is_not_lost_and_no_thread_is_left(at: int) -> None:
    blocks = [bytes([number]) * BLOCK for number in range(10)]

    def take(block: bytes) -> None:
        if block[0] == at:
            raise ValueError("no")

    before = threading.active_count()
    with pytest.raises(ValueError, match="no"):
        passed(take, blocks)
    assert threading.active_count() == before


def test_an_error_while_reading_ends_the_thread() -> None:
    def breaking() -> Iterator[bytes]:
        yield from [bytes(BLOCK)] * 3
        raise KeyError

    before = threading.active_count()
    with pytest.raises(KeyError):
        passed(len, breaking())
    assert threading.active_count() == before


# Pieces of a DEFLATE stream: content, whether it is compressed, and how the piece ends.
PIECES = st.lists(
    st.tuples(
        st.one_of(st.binary(max_size=200), st.binary(min_size=1, max_size=9).map(lambda some: some * 9000)),
        st.booleans(),
    ),
    max_size=6,
)


def deflated(pieces: Sequence[tuple[bytes, bool]]) -> bytes:
    """Return a stream whose blocks are stored and compressed in turns; what is compressed looks back."""
    out, window = b"", b""
    for content, compress in pieces:
        deflater = zlib.compressobj(9 if compress else 0, zlib.DEFLATED, -15, 9, 0, window)
        out += deflater.compress(content) + deflater.flush(zlib.Z_SYNC_FLUSH)
        window = (window + content)[-(1 << 15) :]
    return out + zlib.compressobj(0, zlib.DEFLATED, -15).flush()


def zipped(packed: bytes, content: bytes) -> bytes:
    """Return a zip whose one member streams ``packed``: header and directory of ours, put around it."""
    out = io.BytesIO()
    writer = ZipWriter(out)
    writer.stream("a", [content], MOMENT)
    own = len(out.getvalue())
    writer.close()
    whole = out.getvalue()
    header, tail = whole[: 30 + 1 + 20 + 9], bytearray(whole[own:])
    descriptor = struct.pack("<4sI2Q", b"PK\x07\x08", zlib.crc32(content), len(packed), len(content))
    struct.pack_into("<I", tail, 20, len(packed))
    end = tail.rindex(b"PK\x05\x06")
    struct.pack_into("<I", tail, end + 16, len(header) + len(packed) + len(descriptor))
    return header + packed + descriptor + bytes(tail)


class Dripping(io.BytesIO):
    """Gives at most so many bytes at a time."""

    most = 1 << 20

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.most if size is None or size < 0 else min(size, self.most))


@settings(max_examples=300, deadline=None)
@given(pieces=PIECES, most=st.sampled_from([1, 7, 1000, 1 << 20]))
def test_stored_blocks_are_read_as_zlib_reads_them(pieces: Sequence[tuple[bytes, bool]], most: int) -> None:
    packed = deflated(pieces)
    content = zlib.decompress(packed, -15)
    assert content == b"".join(one for one, _ in pieces)
    if most == 1 and len(packed) > 5000:
        most = 1000
    stream = Dripping(zipped(packed, content))
    stream.most = most
    (found,) = [b"".join(member.chunks()) for member in walk(stream)]
    assert found == content


@settings(max_examples=300, deadline=None)
@given(pieces=PIECES, data=st.data())
def test_an_altered_stream_is_refused_or_the_same(
    pieces: Sequence[tuple[bytes, bool]], data: st.DataObject
) -> None:
    packed = bytearray(deflated(pieces))
    content = zlib.decompress(packed, -15)
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        (found,) = [b"".join(member.chunks()) for member in walk(io.BytesIO(zipped(bytes(packed), content)))]
    except ContainerError:
        return
    # Bits that fill up before a stored block mean nothing, to zlib either.
    assert found == content == zlib.decompress(packed, -15)
