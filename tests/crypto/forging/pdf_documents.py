"""The small PDF documents that are forged: unsigned, signed, with layers, with locked fields, encrypted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.signing.pdf import sign_pdf_bytes
from tests.crypto.forging.pdf_parts import object_of
from tests.crypto.small_pdf import appended, classic_pdf, pages_of, stream
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from haidang.crypto.signers import Signatory

__all__ = [
    "FORM",
    "OTHER",
    "base_document",
    "encrypted_document",
    "field_filled",
    "field_locked",
    "handmade",
    "layered",
    "signed_base",
    "signed_document",
    "signer",
]

_PAID = b"BT /F1 18 Tf 72 720 Td (Pay 1 000 000 dong to So Y te) Tj ET"
OTHER = b"BT /F1 18 Tf 72 720 Td (Pay 9 000 000 dong to Mallory) Tj ET"
FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 3 0 R >> >>"
"""The entries of what a field or a stamp looks like."""


def base_document() -> bytes:
    """Return a page with a field, a picture that covers something, and content that nobody sees yet."""
    objects = pages_of((_PAID,), catalog=b"/AcroForm << /Fields [10 0 R] >>")
    objects[4] = objects[4].replace(b"/Font <<", b"/XObject << /Seal 14 0 R >> /Font <<")
    objects[4] = objects[4].replace(b"/MediaBox", b"/Annots [10 0 R 12 0 R] /MediaBox")
    objects[5] = stream(_PAID + b" q 1 0 0 1 72 600 cm /Seal Do Q")
    objects[10] = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (Amount) /V (1 000 000) /Rect [72 500 272 520] "
        b"/DA (/F1 12 Tf 0 g) /AP << /N 11 0 R >> /P 4 0 R /F 4 >>"
    )
    objects[11] = stream(b"BT /F1 12 Tf (1 000 000) Tj ET", FORM)
    objects[12] = (
        b"<< /Type /Annot /Subtype /Stamp /Rect [72 400 272 420] /AP << /N 13 0 R >> /P 4 0 R /F 4 >>"
    )
    objects[13] = stream(b"1 g 0 0 200 20 re f", FORM)
    objects[14] = stream(b"1 0 0 rg 0 0 50 50 re f", FORM)
    # Prepared by whoever made the document: nothing refers to it when it is signed.
    objects[20] = b"<< /Type /Catalog /Pages 21 0 R >>"
    objects[21] = b"<< /Type /Pages /Count 1 /Kids [22 0 R] >>"
    objects[22] = (
        b"<< /Type /Page /Parent 21 0 R /MediaBox [0 0 595 842] /Contents 23 0 R "
        b"/Resources << /Font << /F1 3 0 R >> >> >>"
    )
    objects[23] = stream(OTHER)
    return classic_pdf(objects)


@cache
def signed_base(level: Any = "B-T") -> bytes:
    """Return the base document, signed."""
    pki = small_pki()
    return sign_pdf_bytes(
        base_document(),
        pki.signatory(),
        now=MOMENT,
        level=level,
        timestamper=small_tsa().stamper,
        trust=pki.trust(),
    )


def layered(settings: bytes, *, group: bytes = b"") -> bytes:
    """Return a document whose second text is on a layer, object 30; ``settings`` go into its ``/D``."""
    properties = b"/OCProperties << /OCGs [30 0 R] /D << %s >> >>" % settings
    text = b"BT /F1 18 Tf 72 720 Td (Pay 1) Tj ET /OC /L BDC BT /F1 18 Tf 72 700 Td (000) Tj ET EMC"
    objects = pages_of((text,), catalog=properties)
    objects[4] = objects[4].replace(b"/Resources <<", b"/Resources << /Properties << /L 30 0 R >>")
    objects[30] = b"<< /Type /OCG /Name (Zeros) %s >>" % group
    return classic_pdf(objects)


def field_locked(action: bytes, fields: bytes = b"") -> bytes:
    """Return the base document with a signature that locks fields (FieldMDP)."""
    parameters = b"<< /Type /TransformParams /V /1.2 /Action /%s %s >>" % (action, fields)
    reference = b"<< /Type /SigRef /TransformMethod /FieldMDP /Data 1 0 R /TransformParams %s >>" % parameters
    return handmade(extra=b"/Reference [%s] " % reference)


def field_filled(content: bytes) -> bytes:
    """Return the base document with its field ``Amount`` filled in anew, value and look."""
    field = object_of(content, 10).replace(b"/V (1 000 000)", b"/V (9 000 000)")
    return appended(content, {10: field, 11: stream(b"BT /F1 12 Tf (9 000 000) Tj ET", FORM)})


@cache
def signer() -> Signatory:
    return small_pki().signatory()


def signed_document(document: bytes, *, level: Any = "B-B", signatory: Any = None) -> bytes:
    pki = small_pki()
    return sign_pdf_bytes(
        document,
        signatory or signer(),
        now=MOMENT,
        level=level,
        timestamper=small_tsa().stamper if level != "B-B" else None,
        trust=pki.trust(),
    )


def handmade(*, extra: bytes, permission: int = 0) -> bytes:
    """Return the base document with a signature that was put in by hand, byte by byte."""
    reference = b""
    perms = b""
    if permission:
        reference = (
            b"/Reference [<< /Type /SigRef /TransformMethod /DocMDP "
            b"/TransformParams << /Type /TransformParams /V /1.2 /P %d >> >>] " % permission
        )
        perms = b"/Perms << /DocMDP 41 0 R >>"
    room = 8192
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /SigFlags 3 /Fields [10 0 R 40 0 R] >> "
        b"%s >>" % perms,
        40: b"<< /FT /Sig /T (Handmade) /V 41 0 R /Type /Annot /Subtype /Widget /Rect [0 0 0 0] "
        b"/F 132 /P 4 0 R >>",
        41: b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached "
        b"/M (D:20261101080000Z) %s%s/ByteRange [0 ********** ********** **********] "
        b"/Contents <%s> >>" % (reference, extra, b"0" * room),
    }
    prepared = appended(base_document(), objects)
    first = prepared.rindex(b"<" + b"0" * room)
    second = first + room + 2
    for value in (first, second, len(prepared) - second):
        prepared = prepared.replace(b"**********", str(value).encode().ljust(10), 1)
    import hashlib

    digest = hashlib.sha256(prepared[:first] + prepared[second:]).digest()
    der = sign_digest(small_pki().signatory(), digest, "sha256", now=MOMENT)
    return prepared[: first + 1] + der.hex().encode().ljust(room, b"0") + prepared[second - 1 :]


def encrypted_document(password: bytes = b"correct horse", *, code: bool = True) -> bytes:
    """Return the base document, encrypted with AES-256; with an authentication code, if wanted."""
    import io

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer: Any = copy_into_new_writer(PdfFileReader(io.BytesIO(base_document())))
    writer.encrypt(owner_pass=password.decode(), user_pass=password.decode(), pdf_mac=code)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
