"""CMS and CAdES files: ``report.csv.p7s`` beside ``report.csv``, or with the content inside (``.p7m``).

Whoever names the document gets its signatures found: ``NAME.p7s``, and ``NAME.pq.p7s`` with the second
signature that outlasts quantum computers. Whoever names the signature gets its document found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.crypto.files import read_bounded
from haidang.crypto.verdicts import DocumentVerdict, SignatureVerdict, marking_of
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options, with_needs

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["SECOND_SUFFIX", "SUFFIX", "recognises", "signatures_of", "verify_file"]

SUFFIX = ".p7s"
SECOND_SUFFIX = ".pq.p7s"
_SUFFIXES = (SECOND_SUFFIX, SUFFIX, ".p7m", ".p7b", ".p7", ".cms", ".sig", ".pkcs7")

# A SEQUENCE of any length form whose first element is the OID of signedData.
_DER = re.compile(
    rb"\x30(?:[\x00-\x7f\x80]|[\x81-\x84].{1,4})\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", re.DOTALL
)
_PEM = re.compile(rb"-----BEGIN (?:CMS|PKCS7|PKCS #7 SIGNED DATA)-----")


def recognises(head: bytes, path: Path) -> int:
    """Return how sure it is that this is a signature, or a file with one beside it."""
    if _DER.match(head) or _PEM.search(head[:1024]):
        return 90
    if path.name.endswith((SUFFIX, ".p7m")):
        return 60
    return 40 if signatures_of(path, DEFAULT_OPTIONS) else 0


def signatures_of(path: Path, options: Options) -> list[Path]:
    """Return the files with signatures over ``path``, named or beside it."""
    if options.signature is not None:
        return [options.signature]
    beside = (path.with_name(path.name + suffix) for suffix in (SUFFIX, SECOND_SUFFIX))
    return [one for one in beside if one.is_file()]


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of a signature, or of all those beside a document.

    Raises:
        InputError: A file cannot be read.
    """
    signatures = signatures_of(path, options)
    if signatures:
        found = [one for signature in signatures for one in _verify(signature, path, trust, now)]
        return with_needs(DocumentVerdict(str(path), "cms", tuple(found), marking=marking_of(found)), options)
    content = options.content or _signed_by(path)
    found = _verify(path, content, trust, now)
    return with_needs(DocumentVerdict(str(path), "cms", tuple(found), marking=marking_of(found)), options)


def _signed_by(signature: Path) -> Path | None:
    """Return the document beside a signature: its name without the last suffix."""
    for suffix in _SUFFIXES:
        if signature.name.endswith(suffix) and signature.name != suffix:
            document = signature.with_name(signature.name.removesuffix(suffix))
            if document.is_file():
                return document
    return None


def _verify(signature: Path, content: Path | None, trust: Trust, now: dt.datetime) -> list[SignatureVerdict]:
    from haidang.crypto.signing.cades import digest_of_file
    from haidang.crypto.verifying.cms import LARGEST_SIGNATURE, verify_signers
    from haidang.crypto.verifying.xml_signatures import is_xml, verify_beside

    octets = read_bounded(signature, LARGEST_SIGNATURE)
    if is_xml(octets):
        return list(verify_beside(octets, signature, content, trust, now=now).signatures)
    digest = None if content is None else lambda name: digest_of_file(content, name)
    return list(verify_signers(octets, digest, trust, now=now))
