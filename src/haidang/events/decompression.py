"""Compressed blocks to plain ones: gzip, bzip2, xz, zstd and the raw streams that zip holds.

Rules of this module:

- A decompressor is asked for no more than a block at a time, so that a bomb never unfolds in memory; one that
  wants more than ``limits.decoder_bytes`` for its window is refused.
- Several streams behind one another (``cat a.gz b.gz``) are one; zero bytes behind the last are padding.
- A stream that ends too early is ``truncated``, one that breaks is ``corrupt``; what came out before counts.

All input is untrusted.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from typing import TYPE_CHECKING, Protocol

from haidang.events.blocks import BlockSource, DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = ["compression_of", "decompress", "decompress_member"]

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED = b"\x2a\x4d\x18"
_ZSTD_FEED = 1024
"""Compressed bytes given to zstd at once: it bounds no output, and 4 bytes may become 128 KiB."""
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
_STORED = 0
_LZMA = 14
_WINDOWS = {"deflate": -zlib.MAX_WBITS, "zlib": zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}
_METHODS = {8: "deflate", 12: "bzip2", 14: "xz", 93: "zstd", 95: "xz"}


class _Decoder(Protocol):
    """What the decompressors of bz2 and lzma are; others are made alike."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zlib:
    """zlib's decompressor with the interface of the others."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        plain = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(plain) < max_length
        return plain


class _Zstd:
    """zstandard's decompressor with the interface of the others."""

    def __init__(self, window: int) -> None:
        import zstandard

        self._inner = zstandard.ZstdDecompressor(max_window_size=window).decompressobj()
        self._left = memoryview(b"")
        self.needs_input = True
        self.unused_data = b""
        self.eof = False

    def decompress(self, data: bytes, max_length: int) -> bytes:  # noqa: ARG002 - bounded by what it is fed
        if data:
            self._left = memoryview(data)
        plain = self._inner.decompress(self._left[:_ZSTD_FEED])
        self._left = self._left[_ZSTD_FEED:]
        self.eof = self._inner.eof
        if self.eof:
            self.unused_data = self._inner.unused_data + bytes(self._left)
        self.needs_input = not self._left
        return plain


def _new_decoder(name: str, memory: int) -> _Decoder:
    if name == "zstd":
        return _Zstd(memory)
    if name == "xz":
        return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=memory)
    if name == "bzip2":
        return bz2.BZ2Decompressor()
    return _Zlib(_WINDOWS[name])


def compression_of(head: bytes) -> str:
    """Return how a file that begins so is compressed: gzip, bzip2, xz, zstd or "" for not at all."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] in _BZIP2_BLOCKS:
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head.startswith(_ZSTD_MAGIC) or (head[1:4] == _ZSTD_SKIPPED and head[:1] and head[0] >> 4 == 5):
        return "zstd"
    return ""


def decompress(name: str, blocks: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield what ``blocks``, compressed as ``compression_of`` says (or ``deflate``, ``zlib``), unfold to.

    Raises:
        DamagedError: The stream is cut short, broken, or wants too much memory.
    """
    return _undamaged(name, _streams(name, blocks, limits))


def decompress_member(
    method: int, blocks: Iterator[bytes], limits: Limits, *, size: int, ended: bool
) -> Iterator[bytes]:
    """Yield what a member of a zip archive unfolds to, by its compression ``method`` (APPNOTE 4.4.5).

    Args:
        method: Number of the method.
        blocks: The compressed bytes.
        limits: Bounds.
        size: Size of the plain member, which LZMA without a mark at its end needs.
        ended: Whether LZMA has such a mark.

    Raises:
        DamagedError: The stream is cut short, broken, of an unknown method, or wants too much memory.
    """
    if method == _STORED:
        yield from blocks
        return
    if method == _LZMA:
        blocks = _lzma_alone(blocks, size, ended=ended)
    name = _METHODS.get(method)
    if name is None:
        raise DamagedError("unknown-format", f"Compressed by method {method} of zip, which cannot be read.")
    yield from _undamaged(name, _streams(name, blocks, limits))


def _streams(name: str, blocks: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    decoder: _Decoder | None = None
    # A raw deflate stream of what cannot be compressed begins with a zero byte, which is no padding.
    padded = name != "deflate"
    for block in blocks:
        data = block
        while data or (decoder is not None and not decoder.needs_input):
            if decoder is None:
                data = data.lstrip(b"\x00") if padded else data
                padded = True
                if not data:
                    break
                decoder = _new_decoder(name, limits.decoder_bytes)
            plain = decoder.decompress(data, limits.read_bytes)
            data = b""
            if plain:
                yield plain
            if decoder.eof:
                data = decoder.unused_data
                decoder = None
    if decoder is not None:
        raise DamagedError("truncated", f"The {name} stream ends too early.")


def _undamaged(name: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Turn the errors of the decompressors into ours."""
    try:
        yield from blocks
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise _damage(name, error) from error
    except Exception as error:
        # Only loaded when a zstd stream was opened, and then this is its only base class.
        if type(error).__name__ != "ZstdError":
            raise
        raise _damage(name, error) from error


def _damage(name: str, error: Exception) -> DamagedError:
    text = str(error)
    if "emory" in text:
        return DamagedError("archive-limit", f"The {name} stream wants more memory than is allowed.")
    return DamagedError("corrupt", f"The {name} stream is broken: {text}.")


def _lzma_alone(blocks: Iterator[bytes], size: int, *, ended: bool) -> Iterator[bytes]:
    """Give LZMA as zip holds it (APPNOTE 5.8.8) the header that the library reads."""
    source = BlockSource(blocks)
    header = source.take(9)
    if header[2:4] != b"\x05\x00":
        raise DamagedError("corrupt", "The LZMA header is broken.")
    yield header[4:] + struct.pack("<Q", (1 << 64) - 1 if ended else size)
    yield from source.blocks()
