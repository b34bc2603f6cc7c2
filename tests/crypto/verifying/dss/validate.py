"""Has EU DSS say what it holds of what this project signs: ``python -m tests.crypto.verifying.dss.validate``.

By hand, not in CI. With the root of the test authority trusted, and nothing fetched: levels B-LT and B-LTA
must hold by what the documents bring along, the others with the authority's CRLs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from haidang.crypto.signing.asic import Item, write_container
from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.signing.pdf import LEVELS, sign_pdf_bytes
from tests.crypto.small_pdf import classic_pdf
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa
from tests.crypto.verifying.dss.running import run_java

CONTENT = "đơn vị,số vụ\nSở Y tế,3\n".encode()


def write_files(folder: Path) -> None:
    """Write what is validated, and what it is validated with."""
    pki = small_pki()
    stamper = small_tsa(MOMENT + dt.timedelta(minutes=1)).stamper
    (folder / "files").mkdir()
    (folder / "content").write_bytes(CONTENT)
    for name, issuer in (("root", pki.root), ("issuing", pki.issuing)):
        (folder / f"{name}.crt").write_bytes(issuer.certificate.public_bytes(Encoding.DER))
    for name, crl in zip(("root.crl", "issuing.crl"), pki.crls(), strict=True):
        (folder / name).write_bytes(crl)
    for key in ("ecdsa-p256", "rsa-3072"):
        person = pki.signatory(f"Người ký {key}", algorithm=key)
        for level in LEVELS:
            with_stamp = stamper if level != "B-B" else None
            signed = sign_pdf_bytes(
                classic_pdf(), person, now=MOMENT, level=level, timestamper=with_stamp, trust=pki.trust()
            )
            (folder / "files" / f"{key}-{level}.pdf").write_bytes(signed)
        for level, one in (("B-B", None), ("B-T", stamper)):
            digest = hashlib.new(person.digest, CONTENT).digest()
            signature = sign_digest(person, digest, person.digest, now=MOMENT, timestamper=one)
            (folder / "files" / f"{key}-{level}.p7s").write_bytes(signature)
            items = [Item("report.csv", CONTENT, MOMENT), Item("tài liệu/báo cáo.csv", CONTENT, MOMENT)]
            with (folder / "files" / f"{key}-{level}.asice").open("wb") as target:
                write_container(target, items, person, now=MOMENT, timestamper=one)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        write_files(Path(temporary))
        run_java(Path(temporary) / "build", "ValidateFiles", temporary)
