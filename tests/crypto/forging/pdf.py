"""Damaged, expired, revoked and forged PDF files, each with the verdict that it must get.

Made anew from one small document each time: ``python -m tests.crypto.forging.pdf FOLDER`` writes them, for a
look at them with other programs. The attacks are those of the literature, which ``pdf_changes.py`` and
``pdf_signatures.py`` name; files made to exhaust whoever reads them are here.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crypto.forging.pdf_changes import changed_pdfs
from tests.crypto.forging.pdf_documents import encrypted_document, signed_base
from tests.crypto.forging.pdf_signatures import wrongly_signed_pdfs
from tests.crypto.forging.pdf_verdicts import Forged, failed
from tests.crypto.small_pdf import appended, classic_pdf, pages_of, stream
from tests.crypto.small_pki import small_pki

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["forged_pdfs"]


def forged_pdfs() -> Iterator[Forged]:
    """Yield all of them."""
    yield from changed_pdfs()
    yield from wrongly_signed_pdfs()
    yield from _exhausting()


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
    yield failed("pages-in-a-circle", appended(signed, circle), "HASH_FAILURE", "changed-after-signing")
    yield case("locked-with-a-password", encrypted_document(), "pdf-password")._replace(
        indication="INDETERMINATE"
    )


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


def main(folder: str) -> None:
    """Write all of them into ``folder``."""
    for one in forged_pdfs():
        Path(folder, f"{one.name}.pdf").write_bytes(one.content)


if __name__ == "__main__":
    main(sys.argv[1])
