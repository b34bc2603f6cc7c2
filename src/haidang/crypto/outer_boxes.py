"""What the hash of content credentials leaves out of AVIF, HEIC and HEIF, in a digest of our own.

These pictures are a row of boxes (ISO 14496-12, section 4.2). The hash of the standard (C2PA 2, assertion
``c2pa.hash.bmff``) covers most of them, but not the file type, free space, the index of fragments, and the
box of the credentials itself. A claim of ours therefore has an assertion that states a SHA-256, over the
boxes of the file in their order, but for that of the credentials:

- the header of each;
- and its content, but for boxes whose offsets move when credentials are put in: those the hash covers.

The box of the credentials stands right behind the file type, and has one form. So no bit is left that could
be altered unseen. No picture of another program says so, and nothing of this is asked of one.

The picture is not trusted: the number of boxes is bounded, and none is held in memory.
"""

from __future__ import annotations

import hashlib
import struct
from typing import IO, NamedTuple

__all__ = ["BOXED_TYPES", "OUTER_BOXES", "OuterBoxes", "read_outer_boxes", "store_in_box"]

OUTER_BOXES = "vn.haidang.boxes"
"""The name of the assertion that states the digest, in hexadecimal, as ``sha256``."""
BOXED_TYPES = {"image/avif", "image/heic", "image/heif"}

_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# Version and flags, purpose, and no offset of a further box (C2PA 2, appendix A.5.1).
_BEFORE_STORE = b"uuid" + _CREDENTIALS + bytes(4) + b"manifest\0" + bytes(8)
_MOVING = {b"meta", b"mdat", b"moov"}
_MOST_BOXES = 10_000
_STRETCH = 1 << 20
"""Bytes."""


class OuterBoxes(NamedTuple):
    """What a picture has at its outermost level."""

    digest: str
    """As the assertion states it."""
    credentials: tuple[slice, ...]
    """Where boxes of credentials stand in the file."""
    behind_type: bool
    """Whether there is one such box, the second of all."""


def read_outer_boxes(picture: IO[bytes]) -> OuterBoxes | None:
    """Return what a picture has at its outermost level; None where boxes do not fill it, or are too many."""
    digest = hashlib.sha256()
    credentials: list[slice] = []
    numbers: list[int] = []
    whole = picture.seek(0, 2)
    at = number = 0
    while at < whole:
        header, size = _header(picture, at, whole)
        if size < len(header) or at + size > whole or number == _MOST_BOXES:
            return None
        kind, begin = header[4:8], at + len(header)
        if kind == b"uuid" and picture.read(16) == _CREDENTIALS:
            credentials.append(slice(at, at + size))
            numbers.append(number)
        else:
            digest.update(header)
            picture.seek(begin)
            for left in range(0 if kind in _MOVING else at + size - begin, 0, -_STRETCH):
                digest.update(picture.read(min(left, _STRETCH)))
        at += size
        number += 1
    return OuterBoxes(digest.hexdigest(), tuple(credentials), numbers == [1])


def store_in_box(box: bytes) -> bytes | None:
    """Return the manifest store in a box of credentials; None where the box has another form than ours."""
    begin = 4 + len(_BEFORE_STORE)
    store = box[begin:]
    if box[:begin] != struct.pack(">I", len(box)) + _BEFORE_STORE or store[:4] != struct.pack(
        ">I", len(store)
    ):
        return None
    return store


def _header(picture: IO[bytes], at: int, whole: int) -> tuple[bytes, int]:
    """Return the header of the box at ``at``, and the box's size; -1 where there is no header."""
    picture.seek(at)
    header = picture.read(8)
    size = int.from_bytes(header[:4], "big")
    if size == 1:
        header += picture.read(8)
        size = int.from_bytes(header[8:], "big")
    elif size == 0:  # up to the end of the file
        size = whole - at
    # Of a header that the file ends in, the size does not count.
    return header, size if len(header) in {8, 16} else -1
