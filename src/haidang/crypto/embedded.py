"""CMS signatures inside other files: in PDFs, in ASiC containers, or by themselves.

Files come from anybody: sizes and counts are bounded, and what cannot be parsed is passed over; whether a
signature holds is for :mod:`haidang.crypto.verifying`.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["UNSOUND", "certificates_of", "signatures_in"]

_LARGEST = 256 << 20
_LARGEST_SIGNATURE = 4 << 20
_MOST = 1000
_DEEPEST = 2
"""Timestamps inside signatures inside timestamps: more than that is nobody's."""
_PDF_CONTENTS = re.compile(rb"/Contents\s*<([0-9A-Fa-f\s]{256,8388608})>")
UNSOUND = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What asn1crypto raises for input that is not sound."""


def signatures_in(path: Path) -> list[Any]:
    """Return every CMS SignedData in a PDF, a container or a signature file, as ``asn1crypto`` ContentInfo.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(5)
        if head.startswith(b"PK\x03\x04"):
            return list(_in_container(path))
        content = head + stream.read(_LARGEST)
    if head == b"%PDF-":
        return [one for one in map(_parsed, _in_pdf(content)) if one is not None]
    found = _parsed(content)
    return [] if found is None else [found]


def certificates_of(info: Any, depth: int = 0) -> list[Any]:
    """Return the certificates in a ContentInfo and in the timestamps of its signers (``asn1crypto``)."""
    found: list[Any] = []
    try:
        signed = info["content"]
        found += [one.chosen for one in signed["certificates"] or () if one.name == "certificate"]
        for signer in signed["signer_infos"]:
            for attribute in signer["unsigned_attrs"] or ():
                if attribute["type"].native == "signature_time_stamp_token" and depth < _DEEPEST:
                    for token in attribute["values"]:
                        found += certificates_of(token, depth + 1)
    except UNSOUND:
        # What is not sound brings nothing; whether the signature holds is not judged here.
        return found[:_MOST]
    return found[:_MOST]


def _in_pdf(content: bytes) -> Iterator[bytes]:
    for number, match in enumerate(_PDF_CONTENTS.finditer(content)):
        if number == _MOST:
            return
        if len(match[1]) <= 2 * _LARGEST_SIGNATURE:
            digits = re.sub(rb"\s+", b"", match[1])
            yield bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _in_container(path: Path) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                one for one in archive.infolist()[:_MOST] if one.filename.lower().endswith((".p7s", ".tst"))
            ]
            for member in members:
                if member.file_size <= _LARGEST_SIGNATURE:
                    with archive.open(member) as stream:
                        found = _parsed(stream.read(_LARGEST_SIGNATURE))
                    if found is not None:
                        yield found
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, *UNSOUND):
        # Damaged or locked: the verifier says so.
        return


def _parsed(content: bytes) -> Any:
    """Return a SignedData; zeros behind it (the place kept for it in a PDF) do not matter."""
    with needs_extra():
        from asn1crypto import cms, pem
    try:
        if content.startswith(b"-----BEGIN"):
            content = pem.unarmor(content)[2]
        info = cms.ContentInfo.load(content)
        return info if info["content_type"].native == "signed_data" else None
    except UNSOUND:
        return None
