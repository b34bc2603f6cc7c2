"""age v1 files as streams: ChaCha20-Poly1305 over pieces of 64 KiB, each in its place, the last one marked.

Rules:

- Memory stays the same at any size; a piece is handed out only when it is authentic.
- Whether a file is whole is known at its end: the last piece says that it is the last (C2SP, "Payload").
- OpenSSL encrypts outside the interpreter's lock, so that digests are taken meanwhile.
"""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING, Final

from haidang.crypto.extra import needs_extra
from haidang.crypto.sealing.age_armor import ARMOR, ArmorError, unarmored
from haidang.crypto.sealing.keys import key_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedReader

__all__ = ["DecryptionFailedError", "NoKeyFitsError", "decrypting", "encrypting"]

_PIECE: Final = 1 << 16
_TAG: Final = 16
_SEALED: Final = _PIECE + _TAG
_AT_ONCE: Final = 16
"""Pieces that are read or written together."""


class DecryptionFailedError(Exception):
    """The file is damaged, cut off, or not an age file."""


class NoKeyFitsError(DecryptionFailedError):
    """It is encrypted to other keys."""


class _Encrypting:
    """Takes plaintext, writes pieces."""

    def __init__(self, descriptor: int, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._cipher = ChaCha20Poly1305(key)
        self._descriptor = descriptor
        self._plain = memoryview(bytearray(_AT_ONCE * _PIECE))
        self._sealed = memoryview(bytearray(_AT_ONCE * _SEALED))
        self._filled = 0
        self._count = 0

    def write(self, data: bytes | memoryview, /) -> int:
        """Take all of ``data``."""
        view = memoryview(data)
        while view:
            if self._filled == len(self._plain):
                self._put(last=False)
            size = min(len(view), len(self._plain) - self._filled)
            self._plain[self._filled : self._filled + size] = view[:size]
            self._filled += size
            view = view[size:]
        return len(data)

    def finish(self) -> None:
        """Write what is left, and mark the last piece."""
        self._put(last=True)

    def _put(self, *, last: bool) -> None:
        end = 0
        # An empty file is one empty piece.
        for begin in range(0, max(self._filled, 1), _PIECE):
            piece = self._plain[begin : min(begin + _PIECE, self._filled)]
            target = self._sealed[end : end + len(piece) + _TAG]
            nonce = _nonce(self._count, last=last and begin + _PIECE >= self._filled)
            self._cipher.encrypt_into(nonce, piece, None, target)
            self._count += 1
            end += len(target)
        self._filled = 0
        _write_all(self._descriptor, self._sealed[:end])


class _Decrypting:
    """Reads pieces, hands out plaintext."""

    def __init__(self, source: BufferedReader, key: bytes) -> None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._invalid = InvalidTag
        self._cipher = ChaCha20Poly1305(key)
        self._source = source
        self._sealed = memoryview(bytearray(_AT_ONCE * _SEALED))
        self._plain = memoryview(bytearray(_AT_ONCE * _PIECE))
        self._count = 0
        self._begin = self._end = 0
        self._over = False

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        if self._begin == self._end and not self._over:
            self._fill()
        data = bytes(self._plain[self._begin : min(self._begin + size, self._end)])
        self._begin += len(data)
        return data

    def _fill(self) -> None:
        size = self._source.readinto(self._sealed)
        self._over = size < len(self._sealed) or not self._source.peek(1)
        self._begin = self._end = 0
        if not size:
            raise DecryptionFailedError("cut off")
        for begin in range(0, size, _SEALED):
            piece = self._sealed[begin : min(begin + _SEALED, size)]
            last = self._over and begin + _SEALED >= size
            length = len(piece) - _TAG
            if length < 0 or (length == 0 and self._count):
                raise DecryptionFailedError("cut off")
            target = self._plain[self._end : self._end + length]
            try:
                self._cipher.decrypt_into(_nonce(self._count, last=last), piece, None, target)
            except self._invalid:
                raise DecryptionFailedError("a piece is damaged") from None
            self._count += 1
            self._end += length


@contextlib.contextmanager
def encrypting(target: IO[bytes], recipients: Sequence[str]) -> Iterator[_Encrypting]:
    """Yield a stream; what is written to it is in ``target``, encrypted, when the block ends.

    Args:
        target: a file, written from where it is; nothing of it may be waiting in its buffer.
        recipients: public keys, ``age1…``, that were checked.
    """
    with needs_extra():
        from haidang.crypto.sealing.age_header import FILE_KEY_SIZE, derive, wrap
    file_key, nonce = os.urandom(FILE_KEY_SIZE), os.urandom(16)
    _write_all(target.fileno(), memoryview(wrap(file_key, [key_bytes(one) for one in recipients]) + nonce))
    stream = _Encrypting(target.fileno(), derive(file_key, nonce, b"payload"))
    yield stream
    stream.finish()


@contextlib.contextmanager
def decrypting(source: BufferedReader, secrets: Sequence[str]) -> Iterator[_Decrypting]:
    """Yield a stream of what ``source`` holds, decrypted; read it to its end.

    What was read is authentic, but whether it is all is known only when the block has ended.

    Args:
        source: read from where it is; armour is taken off.
        secrets: secret keys, ``AGE-SECRET-KEY-1…``, that were checked.

    Raises:
        NoKeyFitsError: None of the keys opens it.
        DecryptionFailedError: The file is damaged or cut off.
    """
    with needs_extra():
        from haidang.crypto.sealing.age_header import HeaderError, NoMatchError, derive, read_header
    try:
        if source.peek(len(ARMOR)).startswith(ARMOR):
            source = unarmored(source)
        file_key = read_header(source, [key_bytes(one) for one in secrets])
        nonce = source.read(16)
        if len(nonce) < 16:
            raise DecryptionFailedError("cut off")
        stream = _Decrypting(source, derive(file_key, nonce, b"payload"))
        yield stream
        if stream.read(1):
            raise DecryptionFailedError("something follows")
    except NoMatchError as error:
        raise NoKeyFitsError(str(error)) from error
    except (HeaderError, ArmorError) as error:
        raise DecryptionFailedError(str(error)) from error


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
