"""Damaged, expired, revoked and forged PDF files, each with the verdict that it must get.

Made anew from one small document each time: ``python -m tests.crypto.forging.pdf FOLDER`` writes them, for a
look at them with other programs. The attacks are those of the literature: incremental saving, signature
wrapping and universal signature forgery (Mladenov et al., CCS 2019), shadow attacks (Mainka et al., NDSS
2021), and files made to exhaust whoever reads them.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.signing.pdf import sign_pdf_bytes
from haidang.crypto.trust import Trust
from tests.crypto.small_pdf import appended, classic_pdf, pages_of, stream
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.crypto.signers import Signatory

__all__ = [
    "Forged",
    "base_document",
    "field_filled",
    "field_locked",
    "forged_pdfs",
    "layered",
    "signed_base",
]

LATER = MOMENT + dt.timedelta(days=1)
"""When most of them are verified."""
_PAID = b"BT /F1 18 Tf 72 720 Td (Pay 1 000 000 dong to So Y te) Tj ET"
_OTHER = b"BT /F1 18 Tf 72 720 Td (Pay 9 000 000 dong to Mallory) Tj ET"


class Forged(NamedTuple):
    """One file and the verdict that it must get."""

    name: str
    content: bytes
    indication: str
    subindication: str
    """Of the worst signature; empty where the document as a whole has a reason."""
    code: str
    """A reason that must be among those of the verdict."""
    trust: Trust
    now: dt.datetime = LATER


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
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 3 0 R >> >>"
    objects[11] = stream(b"BT /F1 12 Tf (1 000 000) Tj ET", form)
    objects[12] = (
        b"<< /Type /Annot /Subtype /Stamp /Rect [72 400 272 420] /AP << /N 13 0 R >> /P 4 0 R /F 4 >>"
    )
    objects[13] = stream(b"1 g 0 0 200 20 re f", form)
    objects[14] = stream(b"1 0 0 rg 0 0 50 50 re f", form)
    # Prepared by whoever made the document: nothing refers to it when it is signed.
    objects[20] = b"<< /Type /Catalog /Pages 21 0 R >>"
    objects[21] = b"<< /Type /Pages /Count 1 /Kids [22 0 R] >>"
    objects[22] = (
        b"<< /Type /Page /Parent 21 0 R /MediaBox [0 0 595 842] /Contents 23 0 R "
        b"/Resources << /Font << /F1 3 0 R >> >> >>"
    )
    objects[23] = stream(_OTHER)
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


def forged_pdfs() -> Iterator[Forged]:
    """Yield all of them."""
    yield from _damaged()
    yield from _added_to()
    yield from _shadows()
    yield from _wrapped()
    yield from _universal()
    yield from _disbelieved()
    yield from _forbidden()
    yield from _exhausting()


def _failed(name: str, content: bytes, subindication: str, code: str) -> Forged:
    return Forged(name, content, "TOTAL-FAILED", subindication, code, small_pki().trust())


def _damaged() -> Iterator[Forged]:
    signed = signed_base()
    at = signed.index(b"1 000 000 dong")
    yield _failed("content-altered", signed[:at] + b"9" + signed[at + 1 :], "HASH_FAILURE", "content-changed")
    last = signed.rindex(b"%%EOF")
    yield _failed("end-altered", signed[:last] + b"%%EOG\n", "", "pdf-broken")
    yield _failed("cut-in-half", signed[: len(signed) // 2], "", "pdf-broken")
    # The last octet of the last INTEGER of the ECDSA signature, before the unsigned attributes.
    first, second, _ = _parts(signed)
    der = bytes.fromhex(signed[first + 1 : second - 1].decode())
    value = _signature_value(der)
    spot = der.index(value) + len(value) - 1
    broken = bytearray(der)
    broken[spot] ^= 1
    yield _failed(
        "signature-altered", _with_contents(signed, bytes(broken)), "SIG_CRYPTO_FAILURE", "signature-wrong"
    )
    broken = bytearray(der)
    broken[-1] ^= 1
    yield _failed("padding-used", _with_contents(signed, bytes(broken)), "FORMAT_FAILURE", "format")
    yield _failed("no-cms", _with_contents(signed, b"\x30\x03\x02\x01\x05"), "FORMAT_FAILURE", "format")
    yield Forged("not-signed", base_document(), "INDETERMINATE", "", "no-signature", small_pki().trust())
    yield _failed("no-pdf", b"%PDF-1.7\n" + bytes(200), "", "pdf-broken")


def _added_to() -> Iterator[Forged]:
    """Incremental saving attacks, with and without the parts that make a revision."""
    signed = signed_base()
    page = b"5 0 obj\n" + stream(_OTHER) + b"\nendobj\n"
    content = {5: stream(_OTHER)}
    yield _failed("page-rewritten", appended(signed, content), "HASH_FAILURE", "page-content-changed")
    more = {
        2: b"<< /Type /Pages /Count 2 /Kids [4 0 R 30 0 R] >>",
        30: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 23 0 R /Resources << >> >>",
    }
    yield _failed("page-added", appended(signed, more), "HASH_FAILURE", "page-added")
    none = {2: b"<< /Type /Pages /Count 0 /Kids [] >>"}
    yield _failed("page-removed", appended(signed, none), "HASH_FAILURE", "page-removed")
    yield _failed("revision-without-table", signed + page, "HASH_FAILURE", "bytes-added")
    trailer = page + b"trailer\n<< /Size 60 /Root 1 0 R >>\n"
    yield _failed("revision-without-startxref", signed + trailer, "HASH_FAILURE", "bytes-added")
    start = signed[signed.rindex(b"startxref") :]
    yield _failed("revision-with-old-table", signed + page + start, "HASH_FAILURE", "bytes-added")
    yield _failed("words-behind-the-end", signed + b"\n% one more word\n", "HASH_FAILURE", "bytes-added")
    script = b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"
    yield _failed(
        "script-added", appended(signed, {1: _catalog(signed, script)}), "HASH_FAILURE", "document-changed"
    )
    note = {
        4: _object(signed, 4).replace(b"/Annots [", b"/Annots [31 0 R "),
        31: b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 99 99] /Contents (not signed) /DA (/F1 9 Tf) >>",
    }
    yield _failed("comment-added", appended(signed, note), "HASH_FAILURE", "annotation-added")
    cut = {4: re.sub(rb"/MediaBox *\[[^]]*\]", b"/MediaBox [0 800 595 842]", _object(signed, 4))}
    yield _failed("page-cut", appended(signed, cut), "HASH_FAILURE", "page-size-changed")


def _shadows() -> Iterator[Forged]:
    signed = signed_base()
    without = {4: _object(signed, 4).replace(b"12 0 R", b"")}
    yield _failed("shadow-hide-annotation", appended(signed, without), "HASH_FAILURE", "shadow-attack-hide")
    yield _failed("shadow-hide-freed", appended(signed, {}, free=[14]), "HASH_FAILURE", "shadow-attack-hide")
    clear = {14: stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]")}
    yield _failed("shadow-hide-picture", appended(signed, clear), "HASH_FAILURE", "shadow-attack-hide")
    font = {3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"}
    yield _failed("shadow-replace-letters", appended(signed, font), "HASH_FAILURE", "shadow-attack-replace")
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 3 0 R >> >>"
    look = {13: stream(b"BT /F1 12 Tf (9 000 000) Tj ET", form)}
    yield _failed("shadow-replace-stamp", appended(signed, look), "HASH_FAILURE", "shadow-attack-replace")
    yield _failed("shadow-exchange-catalog", appended(signed, {}, root=b"20 0 R"), "", "signature-taken-out")
    pages = appended(signed, {1: _object(signed, 1).replace(b"/Pages 2 0 R", b"/Pages 21 0 R")})
    yield _failed("shadow-exchange-pages", pages, "HASH_FAILURE", "changed-after-signing")
    offset = signed.index(b"23 0 obj")
    table = appended(signed, {}, at={5: offset})
    yield _failed("shadow-exchange-by-table", table, "HASH_FAILURE", "shadow-attack-hide-and-replace")
    twice = _signed(base_document().replace(b"%%EOF\n", b"%%EOF\n5 0 obj\n" + stream(_OTHER) + b"\nendobj\n"))
    hidden = twice.index(b"5 0 obj", twice.index(b"%%EOF"))
    table = appended(twice, {}, at={5: hidden})
    yield _failed("shadow-prepared-twin", table, "HASH_FAILURE", "shadow-attack-hide-and-replace")

    layers = _signed(layered(b"/OFF [30 0 R]"))
    catalog = _object(layers, 1)
    shown = catalog.replace(b"/OFF [ 30 0 R ]", b"")
    assert shown != catalog
    yield _failed("shadow-layer-shown", appended(layers, {1: shown}), "HASH_FAILURE", "document-changed")
    indirect = _signed(appended(layered(b"/OFF 31 0 R"), {31: b"[30 0 R]"}))
    yield _failed(
        "shadow-layer-shown-by-list", appended(indirect, {31: b"[]"}), "HASH_FAILURE", "document-changed"
    )
    renamed = appended(
        layers, {30: b"<< /Type /OCG /Name (Zeros) /Usage << /View << /ViewState /ON >> >> >>"}
    )
    yield _failed("shadow-layer-exchanged", renamed, "HASH_FAILURE", "changed-after-signing")


def _wrapped() -> Iterator[Forged]:
    """Signature wrapping: the ranges are not what they seem."""
    signed = signed_base()
    first, second, end = _parts(signed)
    length = end - second

    def ranged(name: str, ranges: str, code: str) -> Forged:
        return _failed(f"ranges-{name}", _with_ranges(signed, ranges), "FORMAT_FAILURE", code)

    yield ranged("overlap", f"0 {second} {first} {length}", "byte-range-overlaps")
    yield ranged("late", f"9 {first - 9} {second} {length}", "byte-range-begins-late")
    yield ranged("beyond", f"0 {first} {second} {length + 999}", "byte-range-beyond")
    yield ranged("three", f"0 9 9 {first - 9} {second} {length}", "byte-range-parts")
    yield ranged("one", f"0 {first}", "byte-range-parts")
    yield ranged("gap", f"0 {first - 40} {second} {length}", "byte-range-gap")
    yield ranged("gap-behind", f"0 {first} {second + 9} {length - 9}", "byte-range-gap")
    yield ranged("short", f"0 {first} {second} {length - 9}", "not-all-covered")
    # The classic form: what was signed behind the signature moves to the end, and other content in its place.
    moved = _moved(signed)
    yield _failed("wrapped-and-moved", moved, "FORMAT_FAILURE", "byte-range-gap")
    double = _handmade(extra=b"/Contents <30030201ff> ")
    yield _failed("contents-twice", double, "", "pdf-broken")
    field = _signed_field(signed)
    value = int(re.findall(rb"/V (\d+) 0 R", _object(signed, field))[0])
    copy = {value: _object(signed, value)}
    yield _failed(
        "signature-in-other-object", appended(signed, copy), "FORMAT_FAILURE", "signature-elsewhere"
    )


def _universal() -> Iterator[Forged]:
    """Universal signature forgery: the signature is there, and says nothing."""
    signed = signed_base()
    first, second, _ = _parts(signed)

    def contents(name: str, words: bytes) -> Forged:
        filled = words + b" " * (second - first - len(words))
        return _failed(
            f"contents-{name}",
            signed[:first] + filled + signed[second:],
            "FORMAT_FAILURE",
            "contents-missing",
        )

    yield contents("null", b"null")
    yield contents("empty", b"<>")
    yield contents("zero", b"<00>")
    yield contents("number", b"0")
    at = signed.rindex(b"/Contents", 0, first)
    renamed = signed[:at] + b"/Kontents" + signed[at + 9 :]
    yield _failed("contents-missing", renamed, "FORMAT_FAILURE", "contents-missing")

    def ranges(name: str, words: bytes, code: str) -> Forged:
        found = re.search(rb"/ByteRange\s*\[[^\]]*\]", signed)
        assert found is not None
        filled = words + b" " * (found.end() - found.start() - len(words))
        return _failed(
            f"ranges-{name}", signed[: found.start()] + filled + signed[found.end() :], "FORMAT_FAILURE", code
        )

    yield ranges("missing", b"", "byte-range-missing")
    yield ranges("null", b"/ByteRange null", "byte-range-missing")
    yield ranges("empty", b"/ByteRange []", "byte-range-missing")
    yield ranges("zeros", b"/ByteRange [0 0 0 0]", "byte-range-begins-late")
    yield ranges("negative", b"/ByteRange [0 -1 9 -1]", "byte-range-unsound")
    yield ranges("words", b"/ByteRange [/a (b) 0 1]", "byte-range-unsound")
    yield ranges("odd", b"/ByteRange [0 9 9]", "byte-range-unsound")
    field = _signed_field(signed)
    number = {field: re.sub(rb"/V \d+ 0 R", b"/V 42", _object(signed, field))}
    yield _failed("value-is-a-number", appended(signed, number), "FORMAT_FAILURE", "signature-missing")
    alien = signed.replace(b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1 ", 1)
    yield _failed("kind-unknown", alien, "SIG_CONSTRAINTS_FAILURE", "signature-kind-unknown")._replace(
        indication="INDETERMINATE"
    )


def _disbelieved() -> Iterator[Forged]:
    """Signatures that are sound, of signers who are not believed."""
    pki = small_pki()
    person = _person()

    def case(
        name: str, content: bytes, verdict: tuple[str, str, str], trust: Trust, now: dt.datetime = LATER
    ) -> Forged:
        return Forged(name, content, *verdict, trust, now)

    plain = _signed(base_document(), level="B-B")
    years = MOMENT + dt.timedelta(days=1200)
    expired = ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", "certificate-expired")
    yield case("expired-without-timestamp", plain, expired, pki.trust(), years)
    early = pki.trust([person.certificate], when=MOMENT - dt.timedelta(hours=1), now=MOMENT)
    revoked = ("TOTAL-FAILED", "REVOKED", "certificate-revoked")
    yield case("revoked-before-signing", plain, revoked, early)
    late = pki.trust(
        [person.certificate], when=MOMENT + dt.timedelta(hours=1), now=MOMENT + dt.timedelta(hours=2)
    )
    unproven = ("INDETERMINATE", "REVOKED_NO_POE", "certificate-revoked")
    yield case("revoked-without-timestamp", plain, unproven, late)
    unknown = ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "issuer-unknown")
    yield case("root-unknown", plain, unknown, Trust())
    silent = ("INDETERMINATE", "TRY_LATER", "revocation-unknown")
    yield case("revocation-unknown", plain, silent, pki.trust()._replace(crls=()))
    server = _signed(
        base_document(), level="B-B", signatory=pki.signatory("www.example.vn", "server", unit="")
    )
    usage = ("INDETERMINATE", "CHAIN_CONSTRAINTS_FAILURE", "certificate-usage")
    yield case("certificate-of-a-server", server, usage, pki.trust())
    # A timestamp over another signature, grafted on.
    one, other = (signed_base(), _signed(base_document().replace(b"1 000", b"2 000"), level="B-T"))
    grafted = _with_contents(one, _grafted(_der(one), _der(other)))
    stamp = ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "timestamp-not-believed")
    yield case("timestamp-of-another", grafted, stamp, pki.trust())


def _forbidden() -> Iterator[Forged]:
    """Changes of a kind that the signature itself forbids."""
    closed = _handmade(extra=b"", permission=1)
    filled = {10: _object(closed, 10).replace(b"/V (1 000 000)", b"/V (9 000 000)")}
    yield _failed("filled-although-closed", appended(closed, filled), "HASH_FAILURE", "changed-after-signing")
    open_form = _handmade(extra=b"", permission=2)
    page = {5: stream(_OTHER)}
    yield _failed(
        "page-rewritten-although-form", appended(open_form, page), "HASH_FAILURE", "page-content-changed"
    )

    locked = field_locked(b"All")
    yield _failed("filled-although-locked", field_filled(locked), "HASH_FAILURE", "changed-after-signing")
    named = field_locked(b"Include", b"/Fields [(Amount)]")
    yield _failed("filled-although-named", field_filled(named), "HASH_FAILURE", "field-filled")
    unclear = field_locked(b"Nothing")
    yield _failed("filled-although-unclear", field_filled(unclear), "", "pdf-broken")


def _exhausting() -> Iterator[Forged]:
    """Files that are made to wear out whoever reads them."""
    trust = small_pki().trust()

    def case(name: str, content: bytes, code: str) -> Forged:
        return Forged(name, content, "TOTAL-FAILED", "", code, trust)

    yield case("object-stream-bomb", _bomb(), "pdf-expands-too-far")
    loop = bytearray(classic_pdf(trailer=b"/Prev 0000000009"))
    start = int(loop[loop.rindex(b"startxref") + 9 :].split()[0])
    yield case("table-loop", bytes(loop).replace(b"/Prev 0000000009", b"/Prev %010d" % start), "pdf-broken")
    deep = b"[" * 100_000 + b"]" * 100_000
    objects = pages_of(catalog=b"/AcroForm << /Fields [30 0 R] >>")
    objects[30] = b"<< /FT /Sig /T (a) /V 31 0 R >>"
    objects[31] = b"<< /Type /Sig /Deep %s >>" % deep
    yield case("nested-too-deep", classic_pdf(objects), "pdf-too-deep")
    many = signed_base() + b"startxref\n9\n%%EOF\n" * 2000
    yield case("revisions-without-end", many, "pdf-too-many-revisions")
    huge = classic_pdf().replace(b"xref\n0 6", b"xref\n0 999999999")
    yield case("table-of-a-billion", huge, "pdf-broken")
    fields = b" ".join(b"30 0 R" for _ in range(300))
    objects = pages_of(catalog=b"/AcroForm << /Fields [%s] >>" % fields)
    objects[30] = b"<< /FT /Sig /T (a) /Kids [30 0 R] >>"
    yield case("fields-in-a-circle", classic_pdf(objects), "pdf-broken")
    signed = signed_base()
    circle = {2: b"<< /Type /Pages /Count 1 /Kids [4 0 R 2 0 R] >>"}
    yield _failed("pages-in-a-circle", appended(signed, circle), "HASH_FAILURE", "changed-after-signing")
    yield case("locked-with-a-password", _encrypted(), "pdf-password")._replace(indication="INDETERMINATE")


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
    return _handmade(extra=b"/Reference [%s] " % reference)


def field_filled(content: bytes) -> bytes:
    """Return the base document with its field ``Amount`` filled in anew, value and look."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 3 0 R >> >>"
    field = _object(content, 10).replace(b"/V (1 000 000)", b"/V (9 000 000)")
    return appended(content, {10: field, 11: stream(b"BT /F1 12 Tf (9 000 000) Tj ET", form)})


@cache
def _person() -> Signatory:
    return small_pki().signatory()


def _signed(document: bytes, *, level: Any = "B-B", signatory: Any = None) -> bytes:
    pki = small_pki()
    return sign_pdf_bytes(
        document,
        signatory or _person(),
        now=MOMENT,
        level=level,
        timestamper=small_tsa().stamper if level != "B-B" else None,
        trust=pki.trust(),
    )


def _parts(signed: bytes) -> tuple[int, int, int]:
    """Return where the first part ends, where the second begins, and where it ends."""
    found = re.search(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)", signed)
    assert found is not None
    first, second, length = (int(one) for one in found.groups())
    return first, second, second + length


def _der(signed: bytes) -> bytes:
    first, second, _ = _parts(signed)
    return bytes.fromhex(signed[first + 1 : second - 1].decode())


def _with_contents(signed: bytes, der: bytes) -> bytes:
    first, second, _ = _parts(signed)
    room = second - first - 2
    digits = der.hex().encode()
    assert len(digits.rstrip(b"0")) <= room
    return signed[: first + 1] + digits[:room].ljust(room, b"0") + signed[second - 1 :]


def _with_ranges(signed: bytes, ranges: str) -> bytes:
    found = re.search(rb"/ByteRange\s*\[[^\]]*\]\s*", signed)
    assert found is not None
    words = b"/ByteRange [" + ranges.encode() + b"] "
    room = found.end() - found.start()
    assert len(words) <= room
    return signed[: found.start()] + words.ljust(room) + signed[found.end() :]


def _moved(signed: bytes) -> bytes:
    """Return the file with what was behind the signature at the end, and other content in between.

    The ranges that count are now the attacker's, between the signed parts: the digest is still right. So is
    the table of cross-references, which the signed end names by its offset.
    """
    first, second, end = _parts(signed)
    tail = signed[second:end]
    table = int(tail[tail.rindex(b"startxref") + 9 :].split()[0])
    ranges = b"> /ByteRange [0 %010d ********** %010d] " % (first, len(tail))
    ranges += b"/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached >>\nendobj\n"
    body = signed[: second - 1] + ranges + b"5 0 obj\n" + stream(_OTHER) + b"\nendobj\n"
    body = body.ljust(table)
    offsets = {int(one[1]): one.start() + 1 for one in re.finditer(rb"\n(\d+) 0 obj", body)}
    size = max(offsets) + 1
    rows = b"".join(
        b"%010d 00000 n \n" % offsets[n] if n in offsets else b"0000000000 65535 f \n" for n in range(size)
    )
    body += b"xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R >>\n" % (size, rows, size)
    return body.replace(b"**********", b"%010d" % len(body)) + tail


def _object(content: bytes, number: int) -> bytes:
    """Return the last body of an object of a classic file."""
    start = content.rindex(b"\n%d 0 obj" % number)
    body = content[start:].split(b"obj", 1)[1]
    return body[: body.index(b"endobj")].strip()


def _catalog(signed: bytes, entries: bytes) -> bytes:
    catalog = _object(signed, 1)
    return catalog[: catalog.rindex(b">>")] + entries + b" >>"


def _signed_field(signed: bytes) -> int:
    """Return the number of the object that is the field of the signature."""
    fields = [int(one) for one in re.findall(rb"\n(\d+) 0 obj\s*<<[^>]*?/FT\s*/Sig", signed)]
    return fields[-1]


def _signature_value(der: bytes) -> bytes:
    from asn1crypto import cms

    value: bytes = cms.ContentInfo.load(der)["content"]["signer_infos"][0]["signature"].native
    return value


def _grafted(one: bytes, other: bytes) -> bytes:
    """Return the signature ``one`` with the timestamp of ``other``."""
    from asn1crypto import cms

    mine, theirs = cms.ContentInfo.load(one), cms.ContentInfo.load(other)
    stamps = theirs["content"]["signer_infos"][0]["unsigned_attrs"].untag().dump()
    # Parsed anew: asn1crypto encodes nested values that were taken from another one in exponential time.
    mine["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes.load(stamps)
    grafted: bytes = mine.dump()
    return grafted


def _handmade(*, extra: bytes, permission: int = 0) -> bytes:
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


def _bomb() -> bytes:
    """Return a file whose object stream is 600 MB of spaces."""
    packer = zlib.compressobj(9)
    data = packer.compress(b"1 0 ")
    for _ in range(600):
        data += packer.compress(b" " * (1 << 20))
    data += packer.flush()
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    holder = len(out)
    entries = b"/Type /ObjStm /Filter /FlateDecode /N 1 /First 4"
    out += b"2 0 obj\n%s\nendobj\n" % stream(data, entries)
    start = len(out)
    rows = b"\0\0\0\0\0\xff\xff" + b"\2" + (2).to_bytes(4, "big") + b"\0\0"
    rows += b"\1" + holder.to_bytes(4, "big") + b"\0\0" + b"\1" + start.to_bytes(4, "big") + b"\0\0"
    out += b"3 0 obj\n%s\nendobj\n" % stream(rows, b"/Type /XRef /W [1 4 2] /Size 4 /Root 1 0 R")
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def _encrypted(password: bytes = b"correct horse", *, code: bool = True) -> bytes:
    """Return the base document, encrypted with AES-256; with an authentication code, if wanted."""
    import io

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer: Any = copy_into_new_writer(PdfFileReader(io.BytesIO(base_document())))
    writer.encrypt(owner_pass=password.decode(), user_pass=password.decode(), pdf_mac=code)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def main(folder: str) -> None:
    """Write all of them into ``folder``."""
    for one in forged_pdfs():
        Path(folder, f"{one.name}.pdf").write_bytes(one.content)


if __name__ == "__main__":
    main(sys.argv[1])
