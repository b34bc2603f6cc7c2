"""PDF files that were changed after they were signed.

Incremental saving (Mladenov et al., CCS 2019), shadow attacks (Mainka et al., NDSS 2021), damage, and what
the signature itself forbids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.crypto.forging.pdf_documents import (
    FORM,
    OTHER,
    base_document,
    field_filled,
    field_locked,
    handmade,
    layered,
    signed_base,
    signed_document,
)
from tests.crypto.forging.pdf_parts import object_of, parts_of, with_contents
from tests.crypto.forging.pdf_verdicts import Forged, failed
from tests.crypto.small_pdf import appended, stream
from tests.crypto.small_pki import small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["changed_pdfs"]


def changed_pdfs() -> Iterator[Forged]:
    """Yield all of them."""
    yield from _damaged()
    yield from _added_to()
    yield from _shadows()
    yield from _forbidden()


def _damaged() -> Iterator[Forged]:
    signed = signed_base()
    at = signed.index(b"1 000 000 dong")
    yield failed("content-altered", signed[:at] + b"9" + signed[at + 1 :], "HASH_FAILURE", "content-changed")
    last = signed.rindex(b"%%EOF")
    yield failed("end-altered", signed[:last] + b"%%EOG\n", "", "pdf-broken")
    yield failed("cut-in-half", signed[: len(signed) // 2], "", "pdf-broken")
    # The last octet of the last INTEGER of the ECDSA signature, before the unsigned attributes.
    first, second, _ = parts_of(signed)
    der = bytes.fromhex(signed[first + 1 : second - 1].decode())
    value = _signature_value(der)
    spot = der.index(value) + len(value) - 1
    broken = bytearray(der)
    broken[spot] ^= 1
    yield failed(
        "signature-altered", with_contents(signed, bytes(broken)), "SIG_CRYPTO_FAILURE", "signature-wrong"
    )
    broken = bytearray(der)
    broken[-1] ^= 1
    yield failed("padding-used", with_contents(signed, bytes(broken)), "FORMAT_FAILURE", "format")
    yield failed("no-cms", with_contents(signed, b"\x30\x03\x02\x01\x05"), "FORMAT_FAILURE", "format")
    yield Forged("not-signed", base_document(), "INDETERMINATE", "", "no-signature", small_pki().trust())
    yield failed("no-pdf", b"%PDF-1.7\n" + bytes(200), "", "pdf-broken")


def _added_to() -> Iterator[Forged]:
    """Incremental saving attacks, with and without the parts that make a revision."""
    signed = signed_base()
    page = b"5 0 obj\n" + stream(OTHER) + b"\nendobj\n"
    content = {5: stream(OTHER)}
    yield failed("page-rewritten", appended(signed, content), "HASH_FAILURE", "page-content-changed")
    more = {
        2: b"<< /Type /Pages /Count 2 /Kids [4 0 R 30 0 R] >>",
        30: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 23 0 R /Resources << >> >>",
    }
    yield failed("page-added", appended(signed, more), "HASH_FAILURE", "page-added")
    none = {2: b"<< /Type /Pages /Count 0 /Kids [] >>"}
    yield failed("page-removed", appended(signed, none), "HASH_FAILURE", "page-removed")
    yield failed("revision-without-table", signed + page, "HASH_FAILURE", "bytes-added")
    trailer = page + b"trailer\n<< /Size 60 /Root 1 0 R >>\n"
    yield failed("revision-without-startxref", signed + trailer, "HASH_FAILURE", "bytes-added")
    start = signed[signed.rindex(b"startxref") :]
    yield failed("revision-with-old-table", signed + page + start, "HASH_FAILURE", "bytes-added")
    yield failed("words-behind-the-end", signed + b"\n% one more word\n", "HASH_FAILURE", "bytes-added")
    script = b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"
    yield failed(
        "script-added",
        appended(signed, {1: _catalog_with(signed, script)}),
        "HASH_FAILURE",
        "document-changed",
    )
    note = {
        4: object_of(signed, 4).replace(b"/Annots [", b"/Annots [31 0 R "),
        31: b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 99 99] /Contents (not signed) /DA (/F1 9 Tf) >>",
    }
    yield failed("comment-added", appended(signed, note), "HASH_FAILURE", "annotation-added")
    cut = {4: re.sub(rb"/MediaBox *\[[^]]*\]", b"/MediaBox [0 800 595 842]", object_of(signed, 4))}
    yield failed("page-cut", appended(signed, cut), "HASH_FAILURE", "page-size-changed")


def _shadows() -> Iterator[Forged]:
    signed = signed_base()
    without = {4: object_of(signed, 4).replace(b"12 0 R", b"")}
    yield failed("shadow-hide-annotation", appended(signed, without), "HASH_FAILURE", "shadow-attack-hide")
    yield failed("shadow-hide-freed", appended(signed, {}, free=[14]), "HASH_FAILURE", "shadow-attack-hide")
    clear = {14: stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]")}
    yield failed("shadow-hide-picture", appended(signed, clear), "HASH_FAILURE", "shadow-attack-hide")
    font = {3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"}
    yield failed("shadow-replace-letters", appended(signed, font), "HASH_FAILURE", "shadow-attack-replace")
    look = {13: stream(b"BT /F1 12 Tf (9 000 000) Tj ET", FORM)}
    yield failed("shadow-replace-stamp", appended(signed, look), "HASH_FAILURE", "shadow-attack-replace")
    yield failed("shadow-exchange-catalog", appended(signed, {}, root=b"20 0 R"), "", "signature-taken-out")
    pages = appended(signed, {1: object_of(signed, 1).replace(b"/Pages 2 0 R", b"/Pages 21 0 R")})
    yield failed("shadow-exchange-pages", pages, "HASH_FAILURE", "changed-after-signing")
    offset = signed.index(b"23 0 obj")
    table = appended(signed, {}, at={5: offset})
    yield failed("shadow-exchange-by-table", table, "HASH_FAILURE", "shadow-attack-hide-and-replace")
    twice = signed_document(
        base_document().replace(b"%%EOF\n", b"%%EOF\n5 0 obj\n" + stream(OTHER) + b"\nendobj\n")
    )
    hidden = twice.index(b"5 0 obj", twice.index(b"%%EOF"))
    table = appended(twice, {}, at={5: hidden})
    yield failed("shadow-prepared-twin", table, "HASH_FAILURE", "shadow-attack-hide-and-replace")

    layers = signed_document(layered(b"/OFF [30 0 R]"))
    catalog = object_of(layers, 1)
    shown = catalog.replace(b"/OFF [ 30 0 R ]", b"")
    assert shown != catalog
    yield failed("shadow-layer-shown", appended(layers, {1: shown}), "HASH_FAILURE", "document-changed")
    indirect = signed_document(appended(layered(b"/OFF 31 0 R"), {31: b"[30 0 R]"}))
    yield failed(
        "shadow-layer-shown-by-list", appended(indirect, {31: b"[]"}), "HASH_FAILURE", "document-changed"
    )
    renamed = appended(
        layers, {30: b"<< /Type /OCG /Name (Zeros) /Usage << /View << /ViewState /ON >> >> >>"}
    )
    yield failed("shadow-layer-exchanged", renamed, "HASH_FAILURE", "changed-after-signing")


def _forbidden() -> Iterator[Forged]:
    """Changes of a kind that the signature itself forbids."""
    closed = handmade(extra=b"", permission=1)
    filled = {10: object_of(closed, 10).replace(b"/V (1 000 000)", b"/V (9 000 000)")}
    yield failed("filled-although-closed", appended(closed, filled), "HASH_FAILURE", "changed-after-signing")
    open_form = handmade(extra=b"", permission=2)
    page = {5: stream(OTHER)}
    yield failed(
        "page-rewritten-although-form", appended(open_form, page), "HASH_FAILURE", "page-content-changed"
    )

    locked = field_locked(b"All")
    yield failed("filled-although-locked", field_filled(locked), "HASH_FAILURE", "changed-after-signing")
    named = field_locked(b"Include", b"/Fields [(Amount)]")
    yield failed("filled-although-named", field_filled(named), "HASH_FAILURE", "field-filled")
    unclear = field_locked(b"Nothing")
    yield failed("filled-although-unclear", field_filled(unclear), "", "pdf-broken")


def _catalog_with(signed: bytes, entries: bytes) -> bytes:
    catalog = object_of(signed, 1)
    return catalog[: catalog.rindex(b">>")] + entries + b" >>"


def _signature_value(der: bytes) -> bytes:
    from asn1crypto import cms

    value: bytes = cms.ContentInfo.load(der)["content"]["signer_infos"][0]["signature"].native
    return value
