"""PDF files whose signature is not what it seems.

Signature wrapping and universal signature forgery (Mladenov et al., CCS 2019), and sound signatures of
signers who are not believed.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from haidang.crypto.trust import Trust
from tests.crypto.forging.pdf_documents import (
    OTHER,
    base_document,
    handmade,
    signed_base,
    signed_document,
    signer,
)
from tests.crypto.forging.pdf_parts import der_of, object_of, parts_of, with_contents
from tests.crypto.forging.pdf_verdicts import LATER, Forged, failed
from tests.crypto.small_pdf import appended, stream
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["wrongly_signed_pdfs"]


def wrongly_signed_pdfs() -> Iterator[Forged]:
    """Yield all of them."""
    yield from _wrapped()
    yield from _universal()
    yield from _disbelieved()


def _wrapped() -> Iterator[Forged]:
    """Signature wrapping: the ranges are not what they seem."""
    signed = signed_base()
    first, second, end = parts_of(signed)
    length = end - second

    def ranged(name: str, ranges: str, code: str) -> Forged:
        return failed(f"ranges-{name}", _with_ranges(signed, ranges), "FORMAT_FAILURE", code)

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
    yield failed("wrapped-and-moved", moved, "FORMAT_FAILURE", "byte-range-gap")
    double = handmade(extra=b"/Contents <30030201ff> ")
    yield failed("contents-twice", double, "", "pdf-broken")
    field = _signed_field(signed)
    value = int(re.findall(rb"/V (\d+) 0 R", object_of(signed, field))[0])
    copy = {value: object_of(signed, value)}
    yield failed("signature-in-other-object", appended(signed, copy), "FORMAT_FAILURE", "signature-elsewhere")


def _universal() -> Iterator[Forged]:
    """Universal signature forgery: the signature is there, and says nothing."""
    signed = signed_base()
    first, second, _ = parts_of(signed)

    def contents(name: str, words: bytes) -> Forged:
        filled = words + b" " * (second - first - len(words))
        return failed(
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
    yield failed("contents-missing", renamed, "FORMAT_FAILURE", "contents-missing")

    def ranges(name: str, words: bytes, code: str) -> Forged:
        found = re.search(rb"/ByteRange\s*\[[^\]]*\]", signed)
        assert found is not None
        filled = words + b" " * (found.end() - found.start() - len(words))
        return failed(
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
    number = {field: re.sub(rb"/V \d+ 0 R", b"/V 42", object_of(signed, field))}
    yield failed("value-is-a-number", appended(signed, number), "FORMAT_FAILURE", "signature-missing")
    alien = signed.replace(b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1 ", 1)
    yield failed("kind-unknown", alien, "SIG_CONSTRAINTS_FAILURE", "signature-kind-unknown")._replace(
        indication="INDETERMINATE"
    )


def _disbelieved() -> Iterator[Forged]:
    """Signatures that are sound, of signers who are not believed."""
    pki = small_pki()
    person = signer()

    def case(
        name: str, content: bytes, verdict: tuple[str, str, str], trust: Trust, now: dt.datetime = LATER
    ) -> Forged:
        return Forged(name, content, *verdict, trust, now)

    plain = signed_document(base_document(), level="B-B")
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
    server = signed_document(
        base_document(), level="B-B", signatory=pki.signatory("www.example.vn", "server", unit="")
    )
    usage = ("INDETERMINATE", "CHAIN_CONSTRAINTS_FAILURE", "certificate-usage")
    yield case("certificate-of-a-server", server, usage, pki.trust())
    # A timestamp over another signature, grafted on.
    one, other = (signed_base(), signed_document(base_document().replace(b"1 000", b"2 000"), level="B-T"))
    grafted = with_contents(one, _grafted(der_of(one), der_of(other)))
    stamp = ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "timestamp-not-believed")
    yield case("timestamp-of-another", grafted, stamp, pki.trust())


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
    first, second, end = parts_of(signed)
    tail = signed[second:end]
    table = int(tail[tail.rindex(b"startxref") + 9 :].split()[0])
    ranges = b"> /ByteRange [0 %010d ********** %010d] " % (first, len(tail))
    ranges += b"/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached >>\nendobj\n"
    body = signed[: second - 1] + ranges + b"5 0 obj\n" + stream(OTHER) + b"\nendobj\n"
    body = body.ljust(table)
    offsets = {int(one[1]): one.start() + 1 for one in re.finditer(rb"\n(\d+) 0 obj", body)}
    size = max(offsets) + 1
    rows = b"".join(
        b"%010d 00000 n \n" % offsets[n] if n in offsets else b"0000000000 65535 f \n" for n in range(size)
    )
    body += b"xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R >>\n" % (size, rows, size)
    return body.replace(b"**********", b"%010d" % len(body)) + tail


def _signed_field(signed: bytes) -> int:
    """Return the number of the object that is the field of the signature."""
    fields = [int(one) for one in re.findall(rb"\n(\d+) 0 obj\s*<<[^>]*?/FT\s*/Sig", signed)]
    return fields[-1]


def _grafted(one: bytes, other: bytes) -> bytes:
    """Return the signature ``one`` with the timestamp of ``other``."""
    from asn1crypto import cms

    mine, theirs = cms.ContentInfo.load(one), cms.ContentInfo.load(other)
    stamps = theirs["content"]["signer_infos"][0]["unsigned_attrs"].untag().dump()
    # Parsed anew: asn1crypto encodes nested values that were taken from another one in exponential time.
    mine["content"]["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes.load(stamps)
    grafted: bytes = mine.dump()
    return grafted
