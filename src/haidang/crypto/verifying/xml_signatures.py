"""XML signatures (XML Signature 1.1, XAdES of ETSI EN 319 132-1) that anyone made, into a verdict.

In a document (enveloped), around one (enveloping), beside a file (detached), and for
:mod:`haidang.crypto.verifying.asic` in a container. For each signature, in this order:

1. Its form is what the standard says, and what is signed can be told (:mod:`._xml_reading`).
2. It is a signature of the certificate that its signed properties name, over its SignedInfo.
3. What each reference leads to is what was signed (:mod:`._xml_references`).
4. The signer is believed, at a moment that a timestamp proves (:mod:`.cms`, :mod:`.chains`).

Then the document as a whole: what no signature covers is named, and the document does not hold.

The file is not trusted: what cannot be read is a verdict.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.files import read_bounded
from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict
from haidang.crypto.verifying._archive_stamps import doubts
from haidang.crypto.verifying._cms_evidence import Brought
from haidang.crypto.verifying._xades import read_properties
from haidang.crypto.verifying._xades_archive import XadesArchives
from haidang.crypto.verifying._xml_reading import (
    DS,
    LARGEST_XML,
    SIGNATURE,
    XmlRefusedError,
    is_comment,
    is_element,
)
from haidang.crypto.verifying._xml_references import Document, Surroundings, is_content, uncovered
from haidang.crypto.verifying._xml_signer import check_xml_signer, read_parts, weakness
from haidang.crypto.verifying.chains import chains_for
from haidang.crypto.verifying.cms import archive_timestamp_ignored, judge_signer
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options, with_needs
from haidang.crypto.verifying.signer_infos import PARSER_ERRORS, Failure, Signed, content_changed, unsound
from haidang.crypto.verifying.timestamps import verify_token
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.trust import Trust
    from haidang.crypto.verifying._xades import Properties, Stamp
    from haidang.crypto.verifying._xml_references import Covered
    from haidang.crypto.verifying._xml_signer import Parts
    from haidang.crypto.verifying.chains import Chains

__all__ = ["XmlVerdict", "is_xml", "judge_xml", "recognises", "verify_beside", "verify_file"]

KIND = "xml"
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""Marks of the encoding, and space."""
_NAMES = (DS.encode(), DS.encode("utf-16-le"), DS.encode("utf-16-be"))
_CHUNK = 1 << 20
MOST_SIGNATURES = 64
MOST_SHOWN = 5
"""Elements that no signature covers, and are named."""


class XmlVerdict(NamedTuple):
    """What holds of a document with signatures in XML."""

    signatures: tuple[SignatureVerdict, ...]
    reasons: tuple[Reason, ...]
    complete: bool = True
    """Whether it is known what all its signatures cover."""


def recognises(head: bytes, path: Path) -> int:
    """Return how sure it is that this is XML with a signature in it (0 or 85)."""
    if not is_xml(head):
        return 0
    try:
        with path.open("rb") as stream:
            before = b""
            while chunk := stream.read(_CHUNK):
                if any(name in before + chunk for name in _NAMES):
                    return 85
                before = chunk[-2 * len(DS) :]
    except OSError:
        pass  # Whoever reads it next says so.
    return 0


def is_xml(head: bytes) -> bool:
    """Return whether what begins with ``head`` may be XML."""
    return head.lstrip(_BEFORE_XML).startswith(b"<")


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of the signatures in ``path``, and of the file beside it where they are over one.

    Raises:
        InputError: It cannot be read, or is larger than any XML that is verified.
    """
    found = verify_beside(read_bounded(path, LARGEST_XML), path, options.content, trust, now=now)
    return with_needs(DocumentVerdict(str(path), KIND, found.signatures, found.reasons), options)


def verify_beside(
    octets: bytes, path: Path, content: Path | None, trust: Trust, *, now: dt.datetime
) -> XmlVerdict:
    """Return what holds of the XML ``octets`` of ``path``.

    Args:
        octets: the XML.
        path: its file; what it signs is looked for beside it.
        content: the file that it signs, where it is elsewhere.
        trust: what is believed.
        now: the present.
    """
    looked_at: list[str] = []
    files = _FilesBeside(path, content, looked_at)
    around = Surroundings(files.digest, _missing, lambda _: content_changed(), files.octets)
    verdict = judge_xml(octets, chains_for(trust), now=now, around=around)
    if content is None or looked_at:
        return verdict
    # It may be a good signature, but it is one of something else than the file that was named.
    failed = tuple(
        replace(
            one,
            indication="TOTAL-FAILED",
            subindication="HASH_FAILURE",
            reasons=(content_changed().reason, *one.reasons),
        )
        for one in verdict.signatures
    )
    return verdict._replace(signatures=failed)


class _FilesBeside:
    """The files beside ``path``; the names of those that were asked for go to ``looked_at``."""

    def __init__(self, path: Path, content: Path | None, looked_at: list[str]) -> None:
        self._path = path
        self._content = content
        self._looked_at = looked_at

    def digest(self, name: str, algorithm: str) -> bytes | None:
        """Return the digest of a file; None where it is not there."""
        from haidang.crypto.signing.cades import digest_of_file

        source = self._source(name)
        if source is None:
            return None
        self._looked_at.append(name)
        return digest_of_file(source, algorithm)

    def octets(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file."""
        source = self._source(name)
        if source is not None:
            with source.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk

    def _source(self, name: str) -> Path | None:
        # Another folder, or another host, is nobody's business here.
        plain = name not in {"", ".", ".."} and not set(name) & set("/\\:\0")
        beside = self._path.with_name(name) if plain else None
        source = self._content or beside
        return source if source is not None and source.is_file() else None


def _missing(_: str) -> Failure:
    reason = Reason(
        "content-missing",
        Message(N_("The file that was signed is not there.")),
        Message(N_("Put the signed file beside its signature, or name it.")),
    )
    return Failure("INDETERMINATE", "SIGNED_DATA_NOT_FOUND", reason)


def judge_xml(
    content: bytes, chains: Chains, *, now: dt.datetime, around: Surroundings, prefix: str = "XAdES"
) -> XmlVerdict:
    """Return what holds of each signature of a document, and of the document.

    Args:
        content: the document.
        chains: judges certificates.
        now: the present.
        around: the files that signatures may be over.
        prefix: what the level begins with, e.g. ``ASiC-E/XAdES``.
    """
    try:
        document = Document(content)
    except XmlRefusedError as refused:
        return XmlVerdict((_refused(refused.failure, prefix),), ())
    judged = [one for one in document.signatures if next(one.iterancestors(SIGNATURE), None) is None]
    if len(judged) > MOST_SIGNATURES:
        failure = unsound(f"more than {MOST_SIGNATURES} signatures")
        return XmlVerdict((_refused(failure, prefix),), ())
    if not judged:
        reason = Reason("no-signature", Message(N_("The document has no signature.")))
        return XmlVerdict((), (reason,))
    return _Judging(document, chains, now, around, prefix).all(judged)


class _Judging:
    """One document, and what it is held against."""

    def __init__(
        self, document: Document, chains: Chains, now: dt.datetime, around: Surroundings, prefix: str
    ) -> None:
        self.document = document
        self.chains = chains
        self.now = now
        self.around = around
        self.prefix = prefix
        self.covered: list[Covered] = []
        """What content all signatures lead to."""
        self.complete = True

    def all(self, judged: Sequence[Any]) -> XmlVerdict:
        """Return the verdicts on the signatures ``judged``, and on the document."""
        verdicts = tuple(self.one(element) for element in judged)
        return XmlVerdict(verdicts, tuple(self.whole(judged)), self.complete)

    def one(self, element: Any) -> SignatureVerdict:
        """Return the verdict on one signature."""
        signed = Signed()
        covers: tuple[str, ...] = ()
        try:
            parts = read_parts(element)
            number = self.document.signatures.index(element)
            found, wrong = self.document.check(parts.references, number, self.around)
            leading = list(zip(parts.references, found, strict=True))
            covers = tuple(where.file or one.uri or "/" for one, where in leading if is_content(where))
            self.covered += [one for one in found if is_content(one)]
            properties = read_properties(element, leading)
            signed = check_xml_signer(parts, properties, self.chains)
            failure = wrong or signed.failure or weakness(parts, signed.certificate)
            if not covers:
                failure = unsound("it covers no content")
        except XmlRefusedError as refused:
            failure = refused.failure
            # What a signature covers that cannot be judged is not known.
            self.complete = self.complete and (bool(covers) or failure.indication == "TOTAL-FAILED")
        except (RecursionError, *PARSER_ERRORS) as error:
            failure = unsound(str(error))
        if failure is not None:
            verdict = _refused(failure, self.prefix)
            facts = self.chains.facts(signed.certificate)
            return replace(verdict, signer=facts, claimed_time=signed.claimed, covers=covers)
        try:
            return replace(self.believed(parts, properties, signed, number), covers=covers)
        except XmlRefusedError as refused:
            return replace(_refused(refused.failure, self.prefix), covers=covers)

    def believed(self, parts: Parts, properties: Properties, signed: Signed, number: int) -> SignatureVerdict:
        """Return what follows for a signature that is one over what it should be over.

        Raises:
            XmlRefusedError: What an archive timestamp is over cannot be told.
        """
        certificates = (*parts.certificates, *properties.brought)
        brought = Brought(certificates, properties.crls, properties.ocsps)
        archives = XadesArchives(
            properties.archives,
            parts.element,
            lambda method: self.document.signed(parts.references, number, self.around, method),
            self.chains,
            now=self.now,
            brought=brought,
        )
        stamps = [self.stamp(one, archives.chains_of(one.element), brought) for one in properties.stamps]
        stamps += (one for one in archives.verdicts if one.indication != "INDETERMINATE")
        level = _level(self.prefix, signed, properties, archived=archives.proof is not None)
        verdict = judge_signer(signed, stamps, brought, self.chains, now=self.now, level=level)
        noted = (archive_timestamp_ignored(),) if properties.others_archived else ()
        return replace(verdict, reasons=(*verdict.reasons, *doubts(archives.verdicts), *noted))

    def stamp(self, stamp: Stamp, chains: Chains, brought: Brought) -> SignatureVerdict:
        """Return the verdict on a timestamp over a signature."""
        return verify_token(
            stamp.token,
            lambda name: hashlib.new(name, stamp.content).digest(),
            chains,
            now=self.now,
            others=brought.certificates,
            crls=brought.crls,
            ocsps=brought.ocsps,
        )

    def whole(self, judged: Sequence[Any]) -> Iterator[Reason]:
        """Yield what holds of the document as a whole."""
        root = self.document.root
        left = list(uncovered(root, self.covered, judged)) if self.complete else []
        for node in left[:MOST_SHOWN]:
            yield Reason(
                "element-not-covered",
                Message(N_("No signature covers the element {name}."), name=_name(node)),
                Message(N_("Do not rely on this element: anybody may have put it there.")),
            )
        parts = [one.element for one in self.covered if one.element is not None]
        if parts and self.complete and not left and root not in (*parts, *judged):
            yield Reason(
                "frame-not-covered",
                Message(
                    N_("Parts of the document are signed; the element {name} around them is not."),
                    name=_name(root),
                ),
                severity="warning",
            )
        nodes = (*root.itersiblings(preceding=True), *root.iter(), *root.itersiblings())
        if any(is_comment(one) for one in nodes):
            yield Reason(
                "comments-not-covered",
                Message(N_("The document has comments, which the signature does not cover.")),
                severity="warning",
            )


def _name(node: Any) -> str:
    """Return what people call an element or a processing instruction."""
    return node.tag.rpartition("}")[2] if is_element(node) else f"<?{node.target}?>"


def _level(prefix: str, signed: Signed, properties: Properties, *, archived: bool) -> str:
    """Return the level (EN 319 132-1, section 6)."""
    if not signed.has_certificate_reference:
        return _plain(prefix)
    if not properties.stamps:
        return f"{prefix}-B-B"
    if not (properties.crls or properties.ocsps):
        return f"{prefix}-B-T"
    return f"{prefix}-B-LTA" if archived else f"{prefix}-B-LT"


def _plain(prefix: str) -> str:
    return prefix.replace("XAdES", "XMLDSig")


def _refused(failure: Failure, prefix: str) -> SignatureVerdict:
    return SignatureVerdict(
        failure.indication, failure.subindication, level=_plain(prefix), reasons=(failure.reason,)
    )
