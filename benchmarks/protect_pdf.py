"""``python -m benchmarks.protect_pdf``: what signing and verifying PDF files costs on this machine.

Signs 300 documents of one page with a timestamp each (B-T, an authority in this process, keys in memory), and
verifies one of them from the shell as a clerk would. Beside each figure stands what the same work costs without
us: that many ECDSA signatures, and a start of Python that loads the libraries alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import alternate
from haidang.crypto.certificates import write_certificates
from haidang.crypto.files import write_whole
from haidang.crypto.home import Home
from haidang.crypto.keys import make_key, sign
from haidang.crypto.pki.issuing import Issuer, Wanted, build_crl, issue_certificate, subject_name
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.signers import Signatory
from haidang.crypto.signing.pdf import sign_pdf
from haidang.crypto.timestamps.authority import TimestampAuthority

__all__ = ["main"]

DOCUMENTS = 300
BAR_SIGN, BAR_VERIFY = 60.0, 0.6
_LIBRARIES = "import cryptography.x509, pyhanko_certvalidator, pyhanko.pdf_utils.reader"


class _Authority(NamedTuple):
    root: Issuer
    person: Signatory
    stamping: Signatory


def main() -> int:
    """Measure, print, and return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.protect_pdf", description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS, metavar="N")
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    options = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load}")
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as scratch:
        folder = Path(scratch)
        authority = _authority(folder / "home")
        signing = _signing(folder, authority, options.documents)
        verifying = _verifying(folder, options.runs)
    return 0 if signing <= BAR_SIGN and verifying <= BAR_VERIFY else 1


def _authority(home: Path) -> _Authority:
    now = dt.datetime.now(dt.UTC)
    profiles = load_profiles()

    def issued(name: str, profile: str, issuer: Issuer | None) -> Signatory:
        key = make_key()
        subject = subject_name({"C": "VN", "O": "Bench", "OU": "Bench", "CN": name})
        wanted = Wanted(subject, key.public_key(), profiles[profile])
        own = key if issuer is None else None
        return Signatory(key, issue_certificate(issuer, wanted, now=now, own_key=own))

    top = issued("Root", "root", None)
    root = Issuer(top.certificate, top.key)
    trust = Home(home).trust
    for part in ("anchors", "revocation"):
        (trust / part).mkdir(parents=True)
    write_certificates([top.certificate], trust / "anchors" / "root.pem")
    from cryptography.hazmat.primitives.serialization import Encoding

    crl = build_crl(root, (), number=1, now=now)
    write_whole(trust / "revocation" / "root.crl", crl.public_bytes(Encoding.DER))
    return _Authority(root, issued("Person", "person", root), issued("Stamps", "timestamp", root))


def _signing(folder: Path, authority: _Authority, count: int) -> float:
    source = folder / "a.pdf"
    source.write_bytes(_one_page())
    stamper = TimestampAuthority(authority.stamping, clock=lambda: dt.datetime.now(dt.UTC)).timestamper()
    begin, cpu = time.perf_counter(), time.process_time()
    for index in range(count):
        now = dt.datetime.now(dt.UTC)
        target = folder / f"{index}.pdf"
        sign_pdf(source, target, authority.person, now=now, level="B-T", timestamper=stamper)
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    begin = time.process_time()
    for _ in range(2 * count):
        sign(authority.person.key, b"x")
    bare = time.process_time() - begin
    each = 1000 * wall / count
    print(f"sign {count} documents, B-T: {wall:.1f} s ({cpu:.1f} s of processor), {each:.0f} ms each")
    print(f"  {2 * count} ECDSA signatures alone: {bare:.2f} s; bar {BAR_SIGN:.0f} s for {DOCUMENTS}")
    return wall * DOCUMENTS / count


def _verifying(folder: Path, runs: int) -> float:
    ours = [sys.executable, "-m", "haidang", "verify", "--home", str(folder / "home"), str(folder / "0.pdf")]
    bare = [sys.executable, "-c", _LIBRARIES]
    found = alternate({"haidang": ours, "libraries": bare}, runs)
    mine, theirs = found["haidang"], found["libraries"]
    print(f"haidang verify, one file: {mine.wall:.2f} s ({mine.cpu:.2f} s of processor), bar {BAR_VERIFY} s")
    print(f"  Python with the libraries alone: {theirs.wall:.2f} s; ratio {mine.cpu / theirs.cpu:.2f}")
    return mine.wall


def _one_page() -> bytes:
    text = b"BT /F1 18 Tf 72 720 Td (One page) Tj ET"
    fonts = b"<< /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % one for one in offsets)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, rows)
    return out + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out)


if __name__ == "__main__":
    sys.exit(main())
