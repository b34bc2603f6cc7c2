"""PDF files for tests, written byte by byte: what a program of thirty years ago, or of today, would write."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["appended", "classic_pdf", "hybrid_pdf", "linear_pdf", "pages_of", "stream", "stream_pdf"]

TEXT = b"BT /F1 18 Tf 72 720 Td (So Y te tinh Mau - Bao cao) Tj ET"


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream object's body."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def pages_of(texts: Sequence[bytes] = (TEXT,), catalog: bytes = b"") -> dict[int, bytes]:
    """Return the objects of a document with a page for each text: catalog, pages, font, then the pages."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    kids = []
    for index, text in enumerate(texts):
        page, content = 4 + 2 * index, 5 + 2 * index
        kids.append(b"%d 0 R" % page)
        objects[page] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % content
        )
        objects[content] = stream(text)
    objects[2] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(texts), b" ".join(kids))
    return objects


def classic_pdf(objects: Mapping[int, bytes] | None = None, trailer: bytes = b"") -> bytes:
    """Return a PDF 1.4 with a table of cross-references."""
    objects = pages_of() if objects is None else objects
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for number in sorted(objects):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 00000 f \n"
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


def stream_pdf(objects: Mapping[int, bytes] | None = None) -> bytes:
    """Return a PDF 1.5 with an object stream and a stream of cross-references."""
    objects = dict(pages_of() if objects is None else objects)
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    packed = [n for n in sorted(objects) if b"stream" not in objects[n]]
    holder, table = max(objects) + 1, max(objects) + 2
    rows = {0: (0, 0, 65535)}
    for number in sorted(set(objects) - set(packed)):
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    heads, bodies = [], b""
    for index, number in enumerate(packed):
        heads.append(b"%d %d" % (number, len(bodies)))
        bodies += objects[number] + b"\n"
        rows[number] = (2, holder, index)
    head = b" ".join(heads) + b"\n"
    rows[holder] = (1, len(out), 0)
    entries = b"/Type /ObjStm /Filter /FlateDecode /N %d /First %d" % (len(packed), len(head))
    out += b"%d 0 obj\n%s\nendobj\n" % (holder, stream(zlib.compress(head + bodies), entries))
    start = len(out)
    rows[table] = (1, start, 0)
    data = b"".join(
        bytes([rows.get(n, (0, 0, 0))[0]])
        + rows.get(n, (0, 0, 0))[1].to_bytes(4, "big")
        + rows.get(n, (0, 0, 0))[2].to_bytes(2, "big")
        for n in range(table + 1)
    )
    entries = b"/Type /XRef /W [1 4 2] /Size %d /Root 1 0 R /Filter /FlateDecode" % (table + 1)
    out += b"%d 0 obj\n%s\nendobj\n" % (table, stream(zlib.compress(data), entries))
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def linear_pdf() -> bytes:
    """Return a PDF made for the web (linearised, ISO 32000-1, annex F): its first page comes first.

    The table at the front is for what that page needs, and leads to the one at the end; the end of the file
    leads to the one at the front.
    """
    objects = pages_of()
    front, rear = (1, 3, 4, 5), (2,)
    size = 8
    head = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"

    def laid(end_of_first: int, main: int, length: int) -> tuple[bytes, int, int]:
        parameters = (
            b"7 0 obj\n<< /Linearized 1 /L %010d /H [%010d 10] /O 4 /E %010d /N 1 /T %010d >>\nendobj\n"
        )
        out = bytearray(head + parameters % (length, end_of_first, end_of_first, main))
        table = len(out)
        room = len(b"xref\n0 1\n") + 20 + sum(len(b"%d 1\n" % n) + 20 for n in (*front, 7))
        tail = b"trailer\n<< /Size %d /Root 1 0 R /Prev %010d >>\nstartxref\n0\n%%%%EOF\n" % (size, main)
        offsets = {7: len(head)}
        body = bytearray()
        start = table + room + len(tail)
        for number in front:
            offsets[number] = start + len(body)
            body += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
        out += b"xref\n0 1\n0000000000 65535 f \n"
        for number in (*front, 7):
            out += b"%d 1\n%010d 00000 n \n" % (number, offsets[number])
        out += tail + body
        end_of_first = len(out)
        for number in rear:
            offsets[number] = len(out)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
        main = len(out)
        out += b"xref\n0 1\n0000000000 65535 f \n"
        for number in rear:
            out += b"%d 1\n%010d 00000 n \n" % (number, offsets[number])
        out += b"trailer\n<< /Size %d >>\nstartxref\n%d\n%%%%EOF\n" % (size, table)
        return bytes(out), end_of_first, main

    first, end, main = laid(0, 0, 0)
    return laid(end, main, len(first))[0]


def hybrid_pdf() -> bytes:
    """Return a PDF with a table of cross-references and, beside it, a stream of them for newer programs."""
    objects = pages_of()
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for number in sorted(objects):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    hidden = b"<< /Title (seen by newer programs) >>"
    head = b"6 0\n"
    holder = len(out)
    entries = b"/Type /ObjStm /N 1 /First %d" % len(head)
    out += b"7 0 obj\n%s\nendobj\n" % stream(head + hidden, entries)
    table = len(out)
    rows = b"\x02" + (7).to_bytes(4, "big") + b"\0\0" + b"\x01" + holder.to_bytes(4, "big") + b"\0\0"
    entries = b"/Type /XRef /W [1 4 2] /Index [6 2] /Size 9 /Root 1 0 R"
    out += b"8 0 obj\n%s\nendobj\n" % stream(rows, entries)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(
        b"%010d 00000 n \n" % offsets[n] for n in range(1, 6)
    )
    out += b"trailer\n<< /Size 9 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (table, start)
    return bytes(out)


def appended(
    content: bytes,
    objects: Mapping[int, bytes],
    *,
    free: Sequence[int] = (),
    at: Mapping[int, int] | None = None,
    trailer: bytes = b"",
    root: bytes = b"1 0 R",
) -> bytes:
    """Return ``content`` with one more revision, as an attacker would write it.

    Args:
        content: the document so far.
        objects: new or exchanged objects.
        free: objects that are no more.
        at: objects that are somewhere in the file already, by offset.
        trailer: more entries of the trailer.
        root: the catalog.
    """
    out = bytearray(content if content.endswith(b"\n") else content + b"\n")
    previous = int(content[content.rindex(b"startxref") + 9 :].split()[0])
    size = int(content[content.rindex(b"/Size") + 5 :].split()[0].strip(b"/>"))
    offsets = dict(at or {})
    for number in sorted(objects):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number in sorted({*offsets, *free}):
        row = b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 00001 f \n"
        out += b"%d 1\n%s" % (number, row)
    size = max(size, *(number + 1 for number in (*offsets, *free, 0)))
    parts = (size, root, previous, trailer, start)
    out += b"trailer\n<< /Size %d /Root %s /Prev %d %s >>\nstartxref\n%d\n%%%%EOF\n" % parts
    return bytes(out)
