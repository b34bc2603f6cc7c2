"""The corpus of damaged, expired, revoked and forged documents, each with the verdict that it must get.

``python -m tests.crypto.forging FOLDER`` writes it: a folder for each document with its files, with what to
trust (``home/``, for ``--home``) and with ``expected.json``, and over all of them ``index.json``. Everything
is made anew from keys that live for the run. Sealed files, which are opened and not verified, are in
``containers.py``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding

from tests.crypto.forging.cms import cases
from tests.crypto.forging.containers import containers
from tests.crypto.forging.pdf import forged_pdfs
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["Document", "documents", "write_corpus"]


class Document(NamedTuple):
    """One document, and what verification must say of it."""

    name: str
    files: dict[str, bytes]
    """By name; ``verified`` is verified, the others lie beside it."""
    verified: str
    indication: str
    code: str
    """A reason that must be given; "" where everything holds."""
    trust: Trust
    now: dt.datetime


def documents() -> Iterator[Document]:
    """Yield the corpus, part by part."""
    for pdf in forged_pdfs():
        verdict = (pdf.indication, pdf.code)
        if pdf.code == "no-signature":
            verdict = ("TOTAL-FAILED", "unsigned")  # As every file without a signature, whatever its kind.
        name = "document.pdf"
        yield Document(f"pdf-{pdf.name}", {name: pdf.content}, name, *verdict, pdf.trust, pdf.now)
    for case in cases():
        # A token says itself what it is of; a signature is found beside its document.
        name = next((one for one in case.files if one.endswith(".tsr")), "doc")
        verdict = (case.indication, case.code)
        yield Document(f"cms-{case.name}", case.files, name, *verdict, case.trust, case.now)
    trust = small_pki().trust()
    for one in containers():
        name, verdict = f"container{one.suffix}", (one.indication, one.code)
        yield Document(f"container-{one.name}", {name: one.content}, name, *verdict, trust, MOMENT)


def write_corpus(folder: Path) -> list[dict[str, Any]]:
    """Write every document below ``folder``; return the index."""
    index = []
    for one in documents():
        place = folder / one.name
        place.mkdir(parents=True)
        for name, content in one.files.items():
            (place / name).write_bytes(content)
        _write_trust(one.trust, place / "home" / "trust")
        expected = {
            "name": one.name,
            "file": one.verified,
            "at": one.now.isoformat(),
            "indication": one.indication,
            "code": one.code or None,
        }
        (place / "expected.json").write_text(json.dumps(expected, indent=1))
        index.append(expected)
    (folder / "index.json").write_text(json.dumps(index, indent=1))
    return index


def _write_trust(trust: Trust, folder: Path) -> None:
    for name in ("anchors", "authorities", "revocation"):
        (folder / name).mkdir(parents=True)
    for name, certificates in (("anchors", trust.anchors), ("authorities", trust.authorities)):
        for number, certificate in enumerate(certificates):
            (folder / name / f"{number}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    for number, crl in enumerate(trust.crls):
        (folder / "revocation" / f"{number}.crl").write_bytes(crl)
    for number, answer in enumerate(trust.ocsps):
        (folder / "revocation" / f"{number}.ocsp").write_bytes(answer)
