"""Compressed files unfold block by block, and say what is wrong with them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.blocks import DamagedError
from haidang.events.decompression import compression_of, decompress, decompress_member
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.limits import Limits

TEXT = b"".join(b"%d: hello, hello\n" % number for number in range(2000))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
NAMES = sorted(COMPRESS)
SMALL = replace(DEFAULT_LIMITS, read_bytes=1000)


def unfold(name: str, data: bytes, limits: Limits = SMALL, size: int = 500) -> tuple[bytes, str]:
    """Return what came out, and the kind of damage that ended it."""
    plain = b""
    blocks = (data[start : start + size] for start in range(0, len(data), size))
    try:
        for block in decompress(name, blocks, limits):
            plain += block
    except DamagedError as damage:
        assert damage.detail.endswith(".")
        return plain, damage.kind
    return plain, ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 500, 10**6])
def test_what_was_compressed_comes_out(name: str, size: int) -> None:
    data = COMPRESS[name](TEXT)
    assert compression_of(data) == name
    assert unfold(name, data, size=size) == (TEXT, "")


def test_a_raw_stream_may_begin_with_a_zero_byte() -> None:
    # So begins what deflate stores because it cannot be compressed, such as an archive in an archive.
    data = random.Random(7).randbytes(200_000)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    raw = packer.compress(data) + packer.flush()
    assert raw[0] == 0
    for size in (1, 1000, len(raw)):
        blocks = (raw[start : start + size] for start in range(0, len(raw), size))
        assert b"".join(decompress_member(8, blocks, SMALL, size=len(data), ended=True)) == data


@pytest.mark.parametrize("name", NAMES)
def test_streams_behind_one_another_are_one(name: str) -> None:
    data = COMPRESS[name](TEXT) + COMPRESS[name](b"") + COMPRESS[name](b"more")
    assert unfold(name, data) == (TEXT + b"more", "")


@pytest.mark.parametrize("name", NAMES)
def test_zero_bytes_behind_the_end_are_padding(name: str) -> None:
    assert unfold(name, COMPRESS[name](TEXT) + bytes(3000)) == (TEXT, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_that_ends_too_early_gives_what_it_has(name: str) -> None:
    data = COMPRESS[name](TEXT)
    plain, kind = unfold(name, data[: len(data) - 10])
    assert kind == "truncated"
    assert TEXT.startswith(plain)
    assert plain or name in {"bzip2", "zstd"}  # These two give a block or nothing.


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_that_breaks_in_the_middle_is_corrupt(name: str) -> None:
    data = bytearray(COMPRESS[name](TEXT))
    data[len(data) // 2] ^= 0x5A
    _, kind = unfold(name, bytes(data))
    assert kind == "corrupt"


@pytest.mark.parametrize("name", NAMES)
def test_rubbish_behind_the_end_is_corrupt(name: str) -> None:
    assert unfold(name, COMPRESS[name](TEXT) + b"rubbish behind the end") == (TEXT, "corrupt")


@pytest.mark.parametrize("name", NAMES)
def test_a_bomb_unfolds_in_blocks(name: str) -> None:
    data = COMPRESS[name](bytes(50_000_000))
    limits = replace(DEFAULT_LIMITS, read_bytes=65_536)
    sizes = list(map(len, decompress(name, iter([data]), limits)))
    assert sum(sizes) == 50_000_000
    # zstd cannot be asked for less than a piece of its input gives: 1 KiB may become 32 MiB.
    assert max(sizes) <= (32 << 20 if name == "zstd" else 65_536)


def test_a_window_beyond_decoder_bytes_is_refused() -> None:
    limits = replace(SMALL, decoder_bytes=1 << 20)
    noise = bytes(range(256)) * 40_000
    xz = lzma.compress(noise, preset=6)
    assert unfold("xz", xz, limits) == (b"", "archive-limit")
    compressor = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=22)
    ).compressobj()
    zstd = compressor.compress(noise) + compressor.flush()
    assert unfold("zstd", zstd, limits) == (b"", "archive-limit")
    assert unfold("zstd", zstd) == (noise, "")


def test_frames_that_zstd_skips_are_skipped() -> None:
    skipped = struct.pack("<II", 0x184D2A53, 5) + b"abcde"
    data = skipped + COMPRESS["zstd"](TEXT)
    assert compression_of(data) == "zstd"
    assert unfold("zstd", data) == (TEXT, "")


@pytest.mark.parametrize("head", [b"", b"\x1f\x8b", b"BZh9 text", b"{", b"\xfd7z", b"P"])
def test_other_files_are_not_compressed(head: bytes) -> None:
    assert compression_of(head) == ""


@given(st.sampled_from(NAMES), st.data())
def test_damaged_streams_end_and_give_no_other_error(name: str, data: st.DataObject) -> None:
    stream = bytearray(COMPRESS[name](TEXT))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    unfold(name, bytes(stream[: data.draw(st.integers(0, len(stream)))]))


@given(st.sampled_from(NAMES), st.binary(max_size=100))
def test_random_bytes_end_and_give_no_other_error(name: str, rubbish: bytes) -> None:
    unfold(name, rubbish)
    unfold(name, COMPRESS[name](b"abc")[:6] + rubbish)
