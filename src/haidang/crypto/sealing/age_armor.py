"""The ASCII armour of age: strict PEM (RFC 7468) around the file, for mail. Only read, never written."""

from __future__ import annotations

import base64
import binascii
import io
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ARMOR", "ArmorError", "unarmored"]

ARMOR: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
"""What an armoured file begins with."""

_END: Final = b"-----END AGE ENCRYPTED FILE-----"
_COLUMNS: Final = 64
_LONGEST: Final = 1000
_WHITE: Final = b" \t\r\n"


class ArmorError(OSError):
    """The armour is not sound."""


def unarmored(source: IO[bytes]) -> io.BufferedReader:
    """Return what the armoured ``source`` holds; its reads raise :class:`ArmorError`."""
    return io.BufferedReader(_Unarmored(source), 1 << 16)


class _Unarmored(io.RawIOBase):
    def __init__(self, source: IO[bytes]) -> None:
        self._pieces = _decoded_lines(source)
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        held = self._held or next(self._pieces, b"")
        size = min(len(held), len(target))
        target[:size] = held[:size]
        self._held = held[size:]
        return size


def _decoded_lines(source: IO[bytes]) -> Iterator[bytes]:
    if _line(source) != ARMOR:
        raise ArmorError("no begin")
    short = False
    while (line := _line(source)) != _END:
        if short or not 0 < len(line) <= _COLUMNS:
            raise ArmorError("a line has another length")
        short = len(line) < _COLUMNS
        try:
            data = base64.b64decode(line, validate=True)
        except binascii.Error:
            raise ArmorError("malformed Base64") from None
        if base64.b64encode(data) != line:
            raise ArmorError("malformed Base64")
        short = short or line.endswith(b"=")
        yield data
    while rest := source.read(1 << 16):
        if rest.strip(_WHITE):
            raise ArmorError("something follows")


def _line(source: IO[bytes]) -> bytes:
    line = source.readline(_LONGEST)
    if not line.endswith(b"\n") and line.rstrip(b"\r") != _END:
        raise ArmorError("cut off")
    return line.removesuffix(b"\n").removesuffix(b"\r")
