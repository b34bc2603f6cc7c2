"""Members of zip archives that are protected by a password: WinZip's AES and the old ZipCrypto.

Input is untrusted. What ZipCrypto protects is not secret from anyone who wants to know; it is read
because archives with it are about.
"""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from haidang.events.blocks import BlockSource, DamagedError
from haidang.events.zip_directory import extra_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.zip_directory import Member

__all__ = ["decrypted"]

_AES = 99
_AES_FIELD = 0x9901
_AES_STRENGTHS = (1, 2, 3)
_AES_WITHOUT_CRC = 2
_SEAL_BYTES = 10
_STRONG = 1 << 6
_SIZES_BEHIND = 1 << 3
_HEADER_BYTES = 12
_NO_PASSWORD = "It is encrypted; give the password with --password-file."  # noqa: S105 - says so
_WRONG_PASSWORD = "The password is wrong; give another with --password-file."  # noqa: S105 - says so


def decrypted(
    blocks: Iterator[bytes], member: Member, password: bytes | None
) -> tuple[Iterator[bytes], int, bool]:
    """Return the decrypted blocks, the compression method beneath, and whether the checksum is of use.

    Raises:
        DamagedError: There is no password, or it is wrong.
    """
    if not password:
        raise DamagedError("encrypted", _NO_PASSWORD)
    if member.method == _AES:
        return _aes(blocks, member, password)
    if member.flags & _STRONG:
        raise DamagedError("encrypted", "It is encrypted by PKWARE's own way, which is not read.")
    return _zip_crypto(blocks, member, password), member.method, True


def _aes(blocks: Iterator[bytes], member: Member, password: bytes) -> tuple[Iterator[bytes], int, bool]:
    from pyzipper.zipfile_aes import AESZipDecrypter

    field = extra_field(member.extra, _AES_FIELD)
    if len(field) != 7:
        raise DamagedError("corrupt", "It does not say how it is encrypted.")
    version, strength, method = struct.unpack("<H2xBH", field)
    if strength not in _AES_STRENGTHS:
        raise DamagedError("corrupt", "It does not say how it is encrypted.")
    info = SimpleNamespace(filename=member.name, wz_aes_strength=strength)
    source = BlockSource(blocks)
    header = source.take(AESZipDecrypter.encryption_header_length(info))
    try:
        decrypter = AESZipDecrypter(info, password, header)
    except RuntimeError as error:
        raise DamagedError("encrypted", _WRONG_PASSWORD) from error
    except struct.error as error:
        raise DamagedError("truncated", "The archive ends too early.") from error
    size = max(0, member.compressed - len(header) - _SEAL_BYTES)
    return _unsealed(source, decrypter, size), method, version != _AES_WITHOUT_CRC


def _unsealed(source: BlockSource, decrypter: Any, size: int) -> Iterator[bytes]:
    from pyzipper import BadZipFile

    for block in source.blocks(size):
        yield decrypter.decrypt(block)
    try:
        decrypter.check_hmac(source.take(_SEAL_BYTES))
    except BadZipFile as error:
        raise DamagedError("corrupt", "What is encrypted was changed: its seal is broken.") from error


def _zip_crypto(blocks: Iterator[bytes], member: Member, password: bytes) -> Iterator[bytes]:
    """Decrypt by APPNOTE 6.1."""
    keys = _Keys(password)
    source = BlockSource(blocks)
    header = keys.decrypt(source.take(_HEADER_BYTES))
    late = member.flags & _SIZES_BEHIND or member.crc is None
    check = member.stamp >> 8 if late else (member.crc or 0) >> 24
    # One wrong password in 256 passes; then decompression or the checksum fails.
    if header[-1:] != bytes([check]):
        raise DamagedError("encrypted", _WRONG_PASSWORD)
    return map(keys.decrypt, source.blocks())


class _Keys:
    """The three keys of ZipCrypto, which each byte changes."""

    def __init__(self, password: bytes) -> None:
        self._table = [_crc_of(byte) for byte in range(256)]
        self._keys = (0x12345678, 0x23456789, 0x34567890)
        self._run(password, encrypted=False)

    def decrypt(self, data: bytes) -> bytes:
        """Return the plain bytes of the next encrypted ones."""
        return self._run(data, encrypted=True)

    def _run(self, data: bytes, *, encrypted: bool) -> bytes:
        # All in one loop: a call for each byte takes three times as long.
        table = self._table
        key0, key1, key2 = self._keys
        plain = bytearray(data)
        for index, byte in enumerate(data):
            if encrypted:
                mask = key2 | 2
                byte ^= (mask * (mask ^ 1)) >> 8 & 0xFF  # noqa: PLW2901 - the plain byte takes its place
                plain[index] = byte
            key0 = key0 >> 8 ^ table[(key0 ^ byte) & 0xFF]
            key1 = ((key1 + (key0 & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
            key2 = key2 >> 8 ^ table[(key2 ^ key1 >> 24) & 0xFF]
        self._keys = key0, key1, key2
        return bytes(plain)


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ 0xEDB88320 if byte & 1 else byte >> 1
    return byte
