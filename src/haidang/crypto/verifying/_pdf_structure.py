"""Whether a signature of a PDF stands where it must, and covers what it seems to cover.

A signature covers two ranges of bytes; between them is the signature itself, in hexadecimal, and nothing
else. Attacks change that: ranges that overlap, leave a gap or begin late (signature wrapping), a signature
or ranges that are missing (universal signature forgery), a signature that lies in another object than the
one the form names. None of it is left to the leniency of a reader: what is not exactly as it must be does
not hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.verdicts import Reason
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SUBFILTERS", "Placed", "place_of", "signature_fields", "signature_in", "unseen_after"]

SUBFILTERS = {
    "/adbe.pkcs7.detached": "CMS",
    "/ETSI.CAdES.detached": "PAdES",
    "/ETSI.RFC3161": "RFC3161",
}
"""Kinds of signatures in PDF files that are verified; others are from before 2008, or not known."""

MOST_SIGNATURES = 200
_HEX = re.compile(rb"<(?:[0-9a-f]*|[0-9A-F]*)>")
_REGULAR = re.compile(rb"/Contents(?![A-Za-z0-9_.#-])")
_HINT = Message(N_("Do not rely on it. Ask the signer for the document as it was signed."))


class Placed(NamedTuple):
    """Where a signature is, and what it covers."""

    first: int
    """Bytes of the first range, which begins at 0."""
    second: int
    """Where the second range begins."""
    end: int
    """Where it ends."""
    contents: bytes
    """The signature (DER), with its padding."""
    subfilter: str


class MisplacedError(Exception):
    """Why a signature does not stand where it must."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason.message))
        self.reason = reason


def signature_fields(reader: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and dictionary of every signature field that has a value, whatever the value is.

    Raises:
        MisplacedError: There are more than are looked at.
    """
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.form_tools import enumerate_fields_in

    try:
        fields = reader.root["/AcroForm"]["/Fields"]
    except KeyError:
        return
    # Not by way of pyhanko.sign.fields, which takes as long to load as everything else.
    every: Any = enumerate_fields_in
    found_fields = every(fields, refs_seen=set(), target_field_type="/Sig")
    for index, (name, _, field) in enumerate(found_fields):
        if index >= MOST_SIGNATURES:
            raise _misplaced(
                "too-many-signatures",
                N_("There are more than {most} signature fields."),
                most=MOST_SIGNATURES,
            )
        found = field.get_object()
        try:
            value = found.raw_get("/V")
        except KeyError:
            continue
        if not isinstance(value, generic.NullObject):
            yield name, found


def place_of(reader: Any, content: bytes, field: Any) -> Placed:
    """Return where the signature of ``field`` is.

    Raises:
        MisplacedError: It is not where it must be.
    """
    from pyhanko.pdf_utils import generic

    reference = field.raw_get("/V")
    value = reference.get_object()
    if not isinstance(value, generic.DictionaryObject):
        raise _misplaced("signature-missing", N_("A signature field has no signature, but something else."))
    contents = _contents(value)
    first, second, end = _ranges(value, len(content))
    gap = content[first:second]
    if not _HEX.fullmatch(gap):
        raise _misplaced(
            "byte-range-gap",
            N_("Part of the file is left out of the signature (signature wrapping)."),
        )
    if bytes.fromhex(gap[1:-1].decode()) != contents:
        raise _misplaced(
            "signature-elsewhere",
            N_("The signature that is shown is not the one that lies between the signed parts."),
        )
    _check_object(reader, content, reference, first, second)
    subfilter = value.get("/SubFilter", "")
    return Placed(first, second, end, contents, str(subfilter))


def signature_in(place: Placed) -> bytes:
    """Return the signature without its padding: zeros, and nothing else, after the end of its DER."""
    contents = place.contents
    if len(contents) > 2 and contents[1] & 0x80:
        octets = contents[1] & 0x7F
        length = 2 + octets + int.from_bytes(contents[2 : 2 + octets], "big")
    else:
        length = 2 + (contents[1] if len(contents) > 1 else 0)
    # With anything but zeros behind, the whole is handed on, and is not sound.
    return contents if contents[length:].strip(b"\0") else contents[:length]


def unseen_after(content: bytes, end: int) -> bool:
    """Return whether something other than white space follows the position ``end``."""
    return bool(content[end:].strip(b"\0\t\n\f\r "))


def _contents(value: Any) -> bytes:
    from pyhanko.pdf_utils import generic

    try:
        found = value.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW)
    except KeyError:
        found = None
    if isinstance(found, generic.IndirectObject):
        found = None
    contents = getattr(found, "original_bytes", b"")
    if not contents.strip(b"\0"):
        raise _misplaced(
            "contents-missing", N_("The signature itself is missing (universal signature forgery).")
        )
    return bytes(contents)


def _ranges(value: Any, size: int) -> tuple[int, int, int]:
    from pyhanko.pdf_utils import generic

    try:
        found = value.raw_get("/ByteRange")
    except KeyError:
        found = None
    if not isinstance(found, generic.ArrayObject) or not found:
        raise _misplaced(
            "byte-range-missing",
            N_("The signature does not say what it covers (universal signature forgery)."),
        )
    numbers = [int(one) if isinstance(one, generic.NumberObject) else -1 for one in found]
    if min(numbers) < 0 or len(numbers) % 2:
        raise _misplaced("byte-range-unsound", N_("What the signature says that it covers makes no sense."))
    start, first, *rest = numbers
    if start != 0 or first == 0:
        raise _misplaced(
            "byte-range-begins-late",
            N_("The signature does not cover the beginning of the file (signature wrapping)."),
        )
    if len(rest) != 2:
        raise _misplaced(
            "byte-range-parts",
            N_("The signature covers {count} parts of the file instead of two (signature wrapping)."),
            count=len(numbers) // 2,
        )
    second, length = rest
    if second <= first:
        raise _misplaced(
            "byte-range-overlaps", N_("The parts that the signature covers overlap (signature wrapping).")
        )
    if second + length > size or length == 0:
        raise _misplaced(
            "byte-range-beyond",
            N_("The signature covers more than there is: the file was cut, or its signature moved."),
        )
    return first, second, second + length


def _check_object(reader: Any, content: bytes, reference: Any, first: int, second: int) -> None:
    """Make sure that the gap lies in the object that the form names, and that it has one ``/Contents``."""
    from pyhanko.pdf_utils import generic

    elsewhere = _misplaced(
        "signature-elsewhere",
        N_("The signature that is shown is not the one that lies between the signed parts."),
    )
    if not isinstance(reference, generic.IndirectObject):
        raise elsewhere
    offset = reader.xrefs[reference.reference]
    if not isinstance(offset, int) or offset >= first:
        raise elsewhere
    before = content[offset:first]
    closing = content.find(b"endobj", second)
    if b"endobj" in before or closing < 0:
        raise elsewhere
    if len(_REGULAR.findall(before)) + len(_REGULAR.findall(content[second:closing])) != 1:
        raise _misplaced("contents-twice", N_("One signature has several contents (signature wrapping)."))


def _misplaced(code: str, template: str, **values: object) -> MisplacedError:
    return MisplacedError(Reason(code, Message(template, **values), _HINT))
