"""Small pictures in boxes (ISO 14496-12): AVIF, HEIC, HEIF. Only the boxes are sound; none can be shown."""

from __future__ import annotations

import struct

__all__ = ["box", "boxed_picture", "outer_boxes", "with_all_boxes"]

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CODINGS = {b"avif": b"av01", b"heic": b"hvc1", b"mif1": b"hvc1"}


def box(kind: bytes, body: bytes) -> bytes:
    """Return a box with a size of 32 bits."""
    return struct.pack(">I", 8 + len(body)) + kind + body


def boxed_picture(brand: bytes = b"avif", *, before: bytes = b"", behind: bytes = b"") -> bytes:
    """Return a picture, with further boxes behind the file type and at the end."""
    kind = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
    data = bytes(range(44))
    begin = len(kind) + len(before) + len(_meta(brand, 0, len(data))) + 8
    return kind + before + _meta(brand, begin, len(data)) + box(b"mdat", data) + behind


def with_all_boxes() -> bytes:
    """Return a picture with boxes of each kind that the hash of credentials leaves out, and others."""
    others = (
        box(b"skip", b"abc") + box(b"uuid", _XMP + b"<x/>") + struct.pack(">I4sQ", 1, b"free", 24) + bytes(8)
    )
    fragments = box(b"mfra", _full(b"mfro", struct.pack(">I", 24)))
    return boxed_picture(before=box(b"free", bytes(8)), behind=others + fragments)


def outer_boxes(picture: bytes) -> list[tuple[bytes, slice]]:
    """Return the kinds of the outermost boxes, and where they stand."""
    found: list[tuple[bytes, slice]] = []
    at = 0
    while at < len(picture):
        size = int.from_bytes(picture[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(picture[at + 8 : at + 16], "big")
        found.append((picture[at + 4 : at + 8], slice(at, at + size)))
        at += size
    return found


def _full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]) + body)


def _meta(brand: bytes, begin: int, size: int) -> bytes:
    item = _full(b"infe", b"\0\1\0\0" + _CODINGS[brand] + b"\0", version=2)
    properties = box(b"ipco", _full(b"ispe", struct.pack(">II", 8, 8)))
    parts = (
        _full(b"hdlr", bytes(4) + b"pict" + bytes(13)),
        _full(b"pitm", b"\0\1"),
        _full(b"iloc", b"\x44\0\0\1\0\1\0\0\0\1" + struct.pack(">II", begin, size)),
        _full(b"iinf", b"\0\1" + item),
        box(b"iprp", properties + _full(b"ipma", b"\0\0\0\1\0\1\1\1")),
    )
    return _full(b"meta", b"".join(parts))
