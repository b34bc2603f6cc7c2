"""Verifies archive packages: the chain of timestamps from the newest back, then each document at its time.

- The newest timestamp must hold now. Each one before it must hold at the time of the one after, which proves
  that it was there; the evidence for that is in the package, covered by the one after.
- Every timestamp covers every file that was there before it, with digests that match.
- Where the newest manifest says of which form the zip is, as ours do, it must be of that form to the bit.
- A document's signature must hold at the time of the first timestamp, with the evidence of the package.

A package is not trusted: it is read in one forward pass with the bounds of all containers, and its documents
are verified in a folder that nobody else can read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from haidang.crypto.archiving.packages import INDEX, NEWEST, ArchiveIndex, Kept
from haidang.crypto.containers.manifest import Manifest, read_manifest
from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.containers.zip_form import ZipForm
from haidang.crypto.containers.zip_walking import stored_sizes, walk
from haidang.crypto.extra import needs_extra
from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict
from haidang.crypto.verifying._zip_form import altered_form
from haidang.crypto.verifying.chains import Chains
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options
from haidang.crypto.verifying.timestamps import verify_token
from haidang.errors import HaidangError, InputError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from haidang.crypto.trust import Trust

__all__ = ["Step", "read_steps", "recognises", "verify_file"]

_META: Final = "META-INF/"
_FIRST: Final = "META-INF/ASiCManifest001.xml"
_OLDER = re.compile(r"META-INF/ASiCArchiveManifest\d{3,6}\.xml")
_MOST_KEPT = 256 << 20
"""Bytes of manifests, timestamps and evidence together."""
_DIGESTS: Final = ("sha256", "sha384", "sha512")


class Step(NamedTuple):
    """One timestamp of a package, with the manifest that it is over."""

    name: str
    manifest_name: str
    manifest: Manifest
    content: bytes
    """The manifest as it is."""
    token: bytes


class _Read(NamedTuple):
    kept: dict[str, bytes]
    digests: dict[str, dict[str, bytes]]
    form: ZipForm


def recognises(head: bytes, path: Path | None = None) -> int:
    """Return how sure it is that a file that begins with ``head`` is an archive package (0 or 95)."""
    del path
    begins = head.startswith(b"PK\x03\x04") and head[30:38] == b"mimetype"
    return 95 if begins and INDEX.encode() in head[38:200] else 0


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of the package in ``path``: its timestamps, then its documents' signatures.

    Raises:
        InputError: It cannot be read.
    """
    del options
    try:
        with tempfile.TemporaryDirectory(prefix="haidang-") as folder:
            read = _read(path, Path(folder))
            steps = _steps(read)
            index = _index(read)
            judging = _Judging(read, trust, now)
            stamps = judging.timestamps(steps)
            reasons = (*_uncovered(read, steps), *_unlisted(read, index))
            if not reasons and stamps[-1].holds:
                reasons = (*altered_form(read.form, steps[-1].manifest_name, steps[-1].manifest),)
            proven = stamps[0].proven_time if stamps and all(one.holds for one in stamps) else None
            documents = judging.documents(index, Path(folder), proven)
            return DocumentVerdict(str(path), "archive", (*documents, *stamps), reasons)
    except ContainerError as error:
        return DocumentVerdict(str(path), "archive", reasons=(error.reason(),))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error


def read_steps(path: Path) -> list[Step]:
    """Return the timestamps of a package, the first one first; nothing is judged.

    Raises:
        ContainerError: It is damaged.
        OSError: It cannot be read.
    """
    return _steps(_read(path, None))


def _read(path: Path, folder: Path | None) -> _Read:
    """Read a package once: keep what proves, take digests of all, write the documents into ``folder``."""
    read = _Read({}, {}, ZipForm())
    left = _MOST_KEPT
    with path.open("rb") as stream:
        sizes = stored_sizes(stream)
        stream.seek(0)
        for member in walk(stream, sizes=sizes, form=read.form):
            if member.folder or member.name == "mimetype":
                continue
            hashes = [hashlib.new(name) for name in _DIGESTS]
            document = member.name.startswith("documents/")
            parts: list[bytes] = []
            with contextlib.ExitStack() as stack:
                take: Callable[[bytes], object] = parts.append
                if document:
                    target = _place(folder, member.name) if folder else Path(os.devnull)
                    take = stack.enter_context(target.open("wb")).write
                for chunk in member.chunks():
                    for one in hashes:
                        one.update(chunk)
                    left -= 0 if document else len(chunk)
                    if left < 0:
                        raise ContainerError(
                            "metadata-too-large", N_("{name} is larger than is accepted."), name=member.name
                        )
                    take(chunk)
            if not document:
                read.kept[member.name] = b"".join(parts)
            read.digests[member.name] = {
                name: one.digest() for name, one in zip(_DIGESTS, hashes, strict=True)
            }
    return read


def _place(folder: Path, name: str) -> Path:
    """Return where a document is written to; its own name could be anything."""
    return folder / hashlib.sha256(name.encode()).hexdigest()


def _steps(read: _Read) -> list[Step]:
    names = [_FIRST, *sorted(name for name in read.kept if _OLDER.fullmatch(name)), NEWEST]
    steps = []
    for name in names:
        if name in read.kept:
            manifest = read_manifest(read.kept[name], name)
            token = read.kept.get(manifest.signature, b"")
            steps.append(Step(manifest.signature, name, manifest, read.kept[name], token))
    if not steps:
        raise ContainerError("archive-no-timestamp", N_("The archive package has no timestamp."))
    return steps


def _index(read: _Read) -> ArchiveIndex:
    try:
        return msgspec.json.decode(read.kept[INDEX], type=ArchiveIndex)
    except (KeyError, msgspec.MsgspecError):
        raise ContainerError("archive-index", N_("The archive package does not say what is in it.")) from None


def _uncovered(read: _Read, steps: list[Step]) -> Iterator[Reason]:
    """Yield the files that the newest timestamp neither covers nor consists of."""
    newest = steps[-1]
    covered = {one.name for one in newest.manifest.references} | {newest.name, newest.manifest_name}
    for name in read.digests:
        if name not in covered:
            yield Reason(
                "file-not-covered",
                Message(N_("No signature covers the file {name}."), name=name),
                Message(N_("Do not rely on it: anybody may have put it there.")),
            )


def _unlisted(read: _Read, index: ArchiveIndex) -> Iterator[Reason]:
    """Yield what the index does not account for: a timestamp alone does not say that anybody signed."""
    listed = {name for kept in index.documents for name in (kept.name, kept.signature)}
    for name in read.digests:
        if name.startswith("documents/") and name not in listed:
            yield Reason(
                "archive-unlisted",
                Message(N_("The archive package does not say whose signature is on {name}."), name=name),
                Message(N_("Do not rely on it: anybody may have put it there.")),
            )
    if not index.documents:
        yield Reason("archive-empty", Message(N_("The archive package names no document.")))


class _Judging:
    """One package, and what it is held against."""

    def __init__(self, read: _Read, trust: Trust, now: dt.datetime) -> None:
        self.read = read
        self.now = now
        self.trust = _with_evidence(trust, read)
        self.chains = Chains(self.trust)

    def timestamps(self, steps: list[Step]) -> list[SignatureVerdict]:
        """Return the verdict of each timestamp, the first one first."""
        verdicts: list[SignatureVerdict] = []
        proven: dt.datetime | None = None
        later: SignatureVerdict | None = None
        for number, step in reversed(list(enumerate(steps))):
            verdict = self.timestamp(step, steps[:number], proven)
            if later is not None and not later.holds:
                verdict = _undermined(verdict)
            elif later is not None and verdict.claimed_time and proven and verdict.claimed_time > proven:
                verdict = _out_of_order(verdict)
            verdicts.append(verdict)
            later, proven = verdict, verdict.proven_time
        return verdicts[::-1]

    def timestamp(self, step: Step, before: list[Step], proven: dt.datetime | None) -> SignatureVerdict:
        """Return the verdict of one timestamp, at ``proven`` where a later one proves it."""
        verdict = verify_token(
            step.token,
            lambda name: hashlib.new(name, step.content).digest(),
            self.chains,
            now=self.now,
            proven=proven,
        )
        covers = tuple(one.name for one in step.manifest.references)
        wrong = [*self.altered(step.manifest)]
        for one in before:
            for name in (one.name, one.manifest_name):
                if name not in covers:
                    message = Message(
                        N_("The timestamp {name} does not cover {file}."), name=step.name, file=name
                    )
                    wrong.append(Reason("archive-chain-broken", message))
        if wrong:
            return replace(
                verdict,
                indication="TOTAL-FAILED",
                subindication="HASH_FAILURE",
                proven_time=None,
                covers=covers,
                reasons=(*wrong, *verdict.reasons),
            )
        return replace(verdict, covers=covers)

    def altered(self, manifest: Manifest) -> Iterator[Reason]:
        """Yield the files that are not what the manifest says."""
        for one in manifest.references:
            found = self.read.digests.get(one.name)
            if found is None:
                message = Message(N_("The file {name} is missing from the archive."), name=one.name)
                yield Reason("file-missing", message)
            elif found[one.algorithm] != one.digest:
                message = Message(N_("The file {name} was altered after it was archived."), name=one.name)
                yield Reason("file-altered", message)

    def documents(
        self, index: ArchiveIndex, folder: Path, proven: dt.datetime | None
    ) -> list[SignatureVerdict]:
        """Return the verdicts of the documents' signatures, at the time that the first timestamp proves."""
        found: list[SignatureVerdict] = []
        for kept in index.documents:
            for verdict in self.document(kept, folder, proven or self.now):
                if proven is None and verdict.holds:
                    found.append(replace(_undermined(verdict), covers=(kept.name,)))
                else:
                    found.append(replace(verdict, covers=(kept.name,)))
        return found

    def document(self, kept: Kept, folder: Path, moment: dt.datetime) -> tuple[SignatureVerdict, ...]:
        """Return the verdicts of one document's signatures at ``moment``."""
        from haidang.crypto.verifying import verify

        names = [name for name in (kept.name, kept.signature) if name]
        paths = [_place(folder, name) for name in names]
        if not all(path.is_file() for path in paths):
            reason = Reason(
                "file-missing", Message(N_("The file {name} is missing from the archive."), name=kept.name)
            )
            return (SignatureVerdict("TOTAL-FAILED", "SIGNED_DATA_NOT_FOUND", reasons=(reason,)),)
        try:
            options = Options(signature=paths[1]) if kept.signature else DEFAULT_OPTIONS
            verdict = verify(paths[0], self.trust, now=moment, options=options)
        except HaidangError as error:
            reason = Reason("document-unreadable", Message(N_("{reason}"), reason=error.message))
            return (SignatureVerdict("INDETERMINATE", "SIGNED_DATA_NOT_FOUND", reasons=(reason,)),)
        if not verdict.signatures:
            return (SignatureVerdict("INDETERMINATE", "SIGNED_DATA_NOT_FOUND", reasons=verdict.reasons),)
        if any(one.severity == "error" for one in verdict.reasons):
            return tuple(
                replace(one, indication="TOTAL-FAILED", reasons=(*verdict.reasons, *one.reasons))
                for one in verdict.signatures
            )
        return verdict.signatures


def _with_evidence(trust: Trust, read: _Read) -> Trust:
    """Return the trust with what the package brings: certificates and revocation data, never anchors."""
    with needs_extra():
        from cryptography import x509
    by_suffix: dict[str, list[bytes]] = {"cer": [], "crl": [], "ocsp": []}
    for name, content in read.kept.items():
        suffix = name.rpartition(".")[2]
        if name.startswith("evidence/") and suffix in by_suffix:
            by_suffix[suffix].append(content)
    certificates = []
    for content in by_suffix["cer"]:
        try:
            certificates.append(x509.load_der_x509_certificate(content))
        except ValueError:
            # Evidence that is no certificate proves nothing; the chain that needs it will lack it.
            continue
    return trust.plus(
        authorities=certificates,
        crls=[one for one in by_suffix["crl"] if _is_crl(one)],
        ocsps=[one for one in by_suffix["ocsp"] if _is_ocsp(one)],
    )


def _is_crl(content: bytes) -> bool:
    from cryptography import x509

    try:
        x509.load_der_x509_crl(content)
    except ValueError:
        return False
    return True


def _is_ocsp(content: bytes) -> bool:
    from cryptography.x509 import ocsp

    try:
        ocsp.load_der_ocsp_response(content)
    except ValueError:
        return False
    return True


def _undermined(verdict: SignatureVerdict) -> SignatureVerdict:
    if not verdict.holds:
        return verdict
    reason = Reason(
        "archive-chain-broken",
        Message(N_("The timestamps that should prove when this was there do not hold.")),
        Message(N_("Look at them first; restore the archive package from a backup.")),
    )
    return replace(
        verdict,
        indication="INDETERMINATE",
        subindication="NO_POE",
        proven_time=None,
        reasons=(reason, *verdict.reasons),
    )


def _out_of_order(verdict: SignatureVerdict) -> SignatureVerdict:
    reason = Reason(
        "timestamp-order", Message(N_("The timestamp is later than the one that should prove it."))
    )
    return replace(
        verdict,
        indication="INDETERMINATE",
        subindication="TIMESTAMP_ORDER_FAILURE",
        proven_time=None,
        reasons=(reason, *verdict.reasons),
    )
