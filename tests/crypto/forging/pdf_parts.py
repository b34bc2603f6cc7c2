"""The parts of a signed PDF file, taken out or put in byte by byte."""

from __future__ import annotations

import re

__all__ = ["der_of", "object_of", "parts_of", "with_contents"]


def parts_of(signed: bytes) -> tuple[int, int, int]:
    """Return where the first part ends, where the second begins, and where it ends."""
    found = re.search(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)", signed)
    assert found is not None
    first, second, length = (int(one) for one in found.groups())
    return first, second, second + length


def der_of(signed: bytes) -> bytes:
    """Return the signature as it is in the file, with what pads it."""
    first, second, _ = parts_of(signed)
    return bytes.fromhex(signed[first + 1 : second - 1].decode())


def with_contents(signed: bytes, der: bytes) -> bytes:
    """Return the file with another signature in the place of its own."""
    first, second, _ = parts_of(signed)
    room = second - first - 2
    digits = der.hex().encode()
    assert len(digits.rstrip(b"0")) <= room
    return signed[: first + 1] + digits[:room].ljust(room, b"0") + signed[second - 1 :]


def object_of(content: bytes, number: int) -> bytes:
    """Return the last body of an object of a classic file."""
    start = content.rindex(b"\n%d 0 obj" % number)
    body = content[start:].split(b"obj", 1)[1]
    return body[: body.index(b"endobj")].strip()
