"""Whether the content credentials of a picture have nothing beside what is signed, down to the last bit.

The signature covers the claim, and the claim the picture and each assertion. Between them lie the headers of
boxes, names, padding and the container of the file, over which the library c2pa reads generously. Here they
are read again, and must be what the standards say (C2PA 2, sections 11 and 13; ISO 19566-5; RFC 9052):

- boxes fill what they lie in, and those with names of the standard have its identifiers, and the reverse;
- padding is zeros;
- the segments of a JPEG and the chunk of a PNG or WebP that hold the boxes are sound;
- the outer boxes of AVIF, HEIC and HEIF are those that the claim states (:mod:`haidang.crypto.outer_boxes`).

What this project itself writes has fewer forms than the standard allows: a claim that names this project as
its maker, and is signed, is held to them. The picture is not trusted; what is not sound is an answer.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from haidang.crypto.outer_boxes import read_outer_boxes, store_in_box

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["unsound_store"]

_REST = bytes.fromhex("00110010800000aa00389b71")
"""How the identifiers end (ISO 19566-5); they begin with a name of four letters."""
_STORE = re.compile(rb"....jumb....jumdc2pa" + re.escape(_REST), re.DOTALL)
_KINDS = {
    b"c2pa.assertions": b"c2as",
    b"c2pa.claim": b"c2cl",
    b"c2pa.claim.v2": b"c2cl",
    b"c2pa.signature": b"c2cs",
    b"c2pa.credentials": b"c2vc",
    b"c2pa.databoxes": b"c2db",
}
_MANIFESTS = {b"c2ma", b"c2um", b"c2cm"}
_OURS = {b"c2pa.assertions", b"c2pa.claim.v2", b"c2pa.signature"}
_OUR_MANIFEST = re.compile(rb"urn:c2pa:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OUR_INSTANCE = b"\x02\x11"
_PADDING = {b"\x63pad", b"\x64pad2"}
"""Names of fields of a signature, as CBOR writes them, whose content is a byte string of zeros."""
_MOST_BOXES = 10_000
_DEEPEST = 8


class _UnsoundError(Exception):
    """Something is not as it must be; the text names it."""


class _Box(NamedTuple):
    kind: bytes
    body: bytes


class _Described(NamedTuple):
    """A superbox: its description, and the boxes that follow it."""

    identifier: bytes
    """The four letters that it begins with."""
    name: bytes
    boxes: list[_Box]


def unsound_store(
    content: bytes, mime: str, active: str, *, ours: bool, outer_boxes: str | None = None
) -> str:
    """Return what is unsound about credentials in which c2pa found nothing wrong; "" where nothing is.

    Args:
        content: the picture.
        mime: its type.
        active: the name of the manifest that speaks for it.
        ours: whether it names this project as its maker.
        outer_boxes: what it states of the outer boxes of the picture, where it states anything.
    """
    try:
        if outer_boxes is None:
            store = _store_in(content, mime, ours=ours)
        else:
            store = _store_in_box(content, outer_boxes)
        _check(store, active.encode(), ours=ours)
    except _UnsoundError as error:
        return str(error)
    return ""


def _store_in(content: bytes, mime: str, *, ours: bool) -> bytes:
    if mime == "image/jpeg":
        return _store_in_segments(content, ours=ours)
    found = _STORE.search(content)
    if found is None:
        raise _UnsoundError("manifest store")
    begin = found.start()
    length = int.from_bytes(content[begin : begin + 4], "big")
    end = begin + length
    if mime == "image/png":
        header = length.to_bytes(4, "big") + b"caBX"
        checked = zlib.crc32(content[begin - 4 : end]).to_bytes(4, "big")
        if content[begin - 8 : begin] != header or content[end : end + 4] != checked:
            raise _UnsoundError("chunk")
    if mime == "image/webp":
        padding = content[end : end + length % 2]
        if content[begin - 8 : begin] != b"C2PA" + length.to_bytes(4, "little") or padding.strip(b"\0"):
            raise _UnsoundError("chunk")
    return content[begin:end]


def _store_in_box(content: bytes, stated: str) -> bytes:
    """Return the boxes that the one box of credentials of an AVIF, HEIC or HEIF holds."""
    outer = read_outer_boxes(io.BytesIO(content))
    if outer is None or outer.digest != stated or not outer.behind_type:
        raise _UnsoundError("outer boxes")
    store = store_in_box(content[outer.credentials[0]])
    if store is None:
        raise _UnsoundError("box of the credentials")
    return store


def _store_in_segments(content: bytes, *, ours: bool) -> bytes:
    """Return the boxes that the APP11 segments of a JPEG hold (ISO 19566-5, annex D)."""
    parts: dict[bytes, list[bytes]] = {}
    for segment in _segments(content):
        parts.setdefault(segment[2:4], []).append(segment[4:])
    for instance, numbered in parts.items():
        first = numbered[0][4:]
        if not _STORE.match(first):
            continue
        if ours and instance != _OUR_INSTANCE:
            raise _UnsoundError("segments")
        for number, one in enumerate(numbered, 1):
            if one[:4] != number.to_bytes(4, "big") or one[4:12] != first[:8]:
                raise _UnsoundError("segments")
        return first + b"".join(one[12:] for one in numbered[1:])
    raise _UnsoundError("manifest store")


def _segments(content: bytes) -> Iterator[bytes]:
    """Yield what the APP11 segments with boxes hold, up to the picture itself."""
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] not in {b"\xda", b"\xd9", b""}:
        if content[at + 1 : at + 2] == b"\xff":  # filling
            at += 1
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : at + 2 + length]
        if content[at + 1] == 0xEB and segment[:2] == b"JP":
            yield segment
        at += 2 + max(length, 2)


def _boxes(data: bytes) -> list[_Box]:
    found: list[_Box] = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8 or at + length > len(data) or len(found) == _MOST_BOXES:
            raise _UnsoundError("box")
        found.append(_Box(data[at + 4 : at + 8], data[at + 8 : at + length]))
        at += length
    return found


def _described(box: _Box) -> _Described:
    boxes = _boxes(box.body) if box.kind == b"jumb" else []
    if not boxes or boxes[0].kind != b"jumd":
        raise _UnsoundError("box")
    identifier, toggles, name = boxes[0].body[:16], boxes[0].body[16:17], boxes[0].body[17:]
    # Of the toggles, three are reserved; a box of credentials has a name (C2PA 2, section 11.1.4).
    if not toggles or toggles[0] & 0xE2 != 2 or b"\0" not in name:
        raise _UnsoundError("name of a box")
    return _Described(identifier, name.split(b"\0", 1)[0], boxes[1:])


def _check(store: bytes, active: bytes, *, ours: bool) -> None:
    boxes = _boxes(store)
    if len(boxes) != 1:
        raise _UnsoundError("manifest store")
    whole = _named(boxes[0], {b"c2pa"})
    if whole.name != b"c2pa" or not whole.boxes:
        raise _UnsoundError("manifest store")
    manifests = [_named(one, _MANIFESTS) for one in whole.boxes]
    speaking = manifests[-1]
    if speaking.name != active or (ours and not _OUR_MANIFEST.fullmatch(active)):
        raise _UnsoundError("name of the manifest")
    parts = [_described(one) for one in speaking.boxes]
    for part in parts:
        _check_part(part)
    if ours and (sorted(one.name for one in parts) != sorted(_OURS) or speaking.identifier[:4] != b"c2ma"):
        raise _UnsoundError("parts of the manifest")
    for part, box in zip(parts, speaking.boxes, strict=True):
        if part.name in _KINDS:
            _named(box, {_KINDS[part.name]})
        if part.name == b"c2pa.signature":
            _check_signature(part, ours=ours)
        if part.name == b"c2pa.assertions":
            for one in part.boxes:
                _described(one)


def _named(box: _Box, kinds: set[bytes]) -> _Described:
    """Return a superbox of the standard: one of ``kinds``, with a name and no more."""
    found = _described(box)
    if found.identifier[4:] != _REST or found.identifier[:4] not in kinds:
        raise _UnsoundError("kind of a box")
    description = _boxes(box.body)[0].body
    # A name that others may ask for; behind it, no further field.
    if description[16:] != b"\x03" + found.name + b"\0":
        raise _UnsoundError("name of a box")
    return found


def _check_part(part: _Described) -> None:
    known = {identifier + _REST for identifier in _KINDS.values()}
    if part.identifier in known and part.name not in _KINDS:
        raise _UnsoundError("name of a box")
    if part.name in {b"c2pa.claim", b"c2pa.claim.v2", b"c2pa.signature"} and [
        one.kind for one in part.boxes
    ] != [b"cbor"]:
        raise _UnsoundError("kind of a box")


def _check_signature(part: _Described, *, ours: bool) -> None:
    """Make sure that the signature is a COSE_Sign1 whose unprotected header has nothing but what is known."""
    reading = _Cbor(part.boxes[0].body)
    if reading.head() != (6, 18) or reading.head() != (4, 4):
        raise _UnsoundError("signature")
    reading.string()
    kind, fields = reading.head()
    if kind != 5 or (ours and fields != 1):
        raise _UnsoundError("unprotected header")
    for _ in range(fields):
        begin = reading.at
        reading.item()
        padding = reading.data[begin : reading.at] in _PADDING
        if not padding and not ours:
            reading.item()
        elif not padding or reading.string().strip(b"\0"):
            raise _UnsoundError("padding")
    nothing = reading.take(1)
    reading.string()
    if nothing != b"\xf6" or reading.at != len(reading.data):
        raise _UnsoundError("signature")


class _Cbor:
    """Reads the little of CBOR (RFC 8949) that a signature has: no lengths that are left open."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        if count > len(self.data) - self.at:
            raise _UnsoundError("CBOR")
        self.at += count
        return self.data[self.at - count : self.at]

    def head(self) -> tuple[int, int]:
        """Return the major type of the next item and its argument."""
        first = self.take(1)[0]
        short = first & 0x1F
        if short > 27:
            raise _UnsoundError("CBOR")
        return first >> 5, short if short < 24 else int.from_bytes(self.take(1 << (short - 24)), "big")

    def string(self) -> bytes:
        """Return the next item, which must be a byte string."""
        kind, length = self.head()
        if kind != 2:
            raise _UnsoundError("CBOR")
        return self.take(length)

    def item(self, depth: int = 0) -> None:
        """Pass over the next item, whatever it is."""
        kind, argument = self.head()
        if kind in {2, 3}:
            self.take(argument)
        inside = {4: argument, 5: 2 * argument, 6: 1}.get(kind, 0)
        if inside > len(self.data) or depth == _DEEPEST:
            raise _UnsoundError("CBOR")
        for _ in range(inside):
            self.item(depth + 1)
