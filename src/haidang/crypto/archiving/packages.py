"""Writes and renews archive packages; :mod:`haidang.crypto.verifying.archives` verifies them.

    mimetype
    archive.json                          which documents, and which file is whose signature
    documents/…                           the documents and their detached signatures, as they were
    evidence/001/….cer|crl|ocsp           what proves their signatures
    META-INF/ASiCManifest001.xml          digests of all of the above
    META-INF/timestamp001.tst             its timestamp
    evidence/002/…                        what proves the timestamp before, gathered when it was renewed
    META-INF/ASiCArchiveManifest.xml      digests of all of the above (the newest; older ones are numbered)
    META-INF/timestamp002.tst             its timestamp

A renewal takes digests of everything anew with SHA-512, so that the chain outlives the digests before it. It
writes the package anew, whole or not at all. The newest manifest says of which form the zip is
(:mod:`haidang.crypto.containers.zip_form`), so that no bit of the package can be altered unseen; what older
ones say of it was of the package before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from haidang.crypto.archiving.evidence import Evidence, evidence_for
from haidang.crypto.containers.manifest import Reference, write_manifest
from haidang.crypto.containers.member_names import NameRegister
from haidang.crypto.containers.zip_walking import stored_sizes, walk
from haidang.crypto.containers.zip_writing import ZipWriter
from haidang.crypto.coroutines import finished
from haidang.crypto.embedded import signatures_in
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import appearing
from haidang.crypto.signing.asic import ASIC_E
from haidang.errors import InputError, SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["INDEX", "NEWEST", "TOKEN_MIME", "ArchiveIndex", "Kept", "make_package", "renew_package"]

INDEX: Final = "archive.json"
NEWEST: Final = "META-INF/ASiCArchiveManifest.xml"
TOKEN_MIME: Final = "application/vnd.etsi.timestamp-token"  # noqa: S105 -- of a timestamp
FORMAT: Final = "haidang-archive"

_ALGORITHM: Final = "sha512"
_CHUNK = 1 << 18
_NUMBERED = re.compile(r"META-INF/timestamp(\d{3,6})\.tst")
_MOST_RENEWALS = 999


class Kept(msgspec.Struct, frozen=True):
    """One document of a package."""

    name: str
    """Its member, below ``documents/``."""
    signature: str = ""
    """The member with its detached signature; "" where the signature is inside the document."""


class ArchiveIndex(msgspec.Struct, frozen=True):
    """What a package says of itself."""

    created: dt.datetime
    documents: tuple[Kept, ...]
    format: str = FORMAT
    version: int = 1


class _Digests(NamedTuple):
    """Writes members and remembers their digests."""

    writer: ZipWriter
    references: list[Reference]

    def add(self, name: str, content: bytes, modified: dt.datetime) -> None:
        """Add a member that is in memory."""
        self.writer.add(name, content, modified)
        self.references.append(Reference(name, hashlib.new(_ALGORITHM, content).digest(), _ALGORITHM))

    def stream(self, name: str, chunks: Iterable[bytes], modified: dt.datetime) -> None:
        """Add a member that comes in pieces."""
        digest = hashlib.new(_ALGORITHM)

        def passing() -> Iterator[bytes]:
            for chunk in chunks:
                digest.update(chunk)
                yield chunk

        self.writer.stream(name, passing(), modified)
        self.references.append(Reference(name, digest.digest(), _ALGORITHM))


def make_package(
    documents: Sequence[tuple[Path, Path | None]],
    target: Path,
    *,
    trust: Trust,
    timestamper: Any,
    now: dt.datetime,
    replace: bool = False,
) -> None:
    """Write a package of signed documents.

    Args:
        documents: each with the file of its detached signature, None where the signature is inside.
        target: where the package appears, whole or not at all.
        trust: where the evidence comes from.
        timestamper: a pyHanko ``TimeStamper``.
        now: the present.
        replace: whether a file that is there is replaced.

    Raises:
        InputError: A document cannot be read.
        OutputError: The package cannot be written.
        SigningError: No timestamp can be had.
    """
    names = NameRegister()
    kept = []
    for document, signature in documents:
        for path in filter(None, (document, signature)):
            names.add(f"documents/{path.name}")
        kept.append(Kept(f"documents/{document.name}", f"documents/{signature.name}" if signature else ""))
    files = [path for pair in documents for path in pair if path is not None]
    evidence = _evidence(files, trust)
    index = msgspec.json.encode(ArchiveIndex(now, tuple(kept)))
    with appearing(target, replace=replace) as stream:
        writer = ZipWriter(stream)
        writer.add("mimetype", ASIC_E.encode(), now, plain=True)
        digests = _Digests(writer, [])
        digests.add(INDEX, msgspec.json.format(index), now)
        for path in files:
            _add_file(digests, path)
        _add_evidence(digests, evidence, 1, now)
        _seal(digests, "META-INF/ASiCManifest001.xml", 1, timestamper, now)


def renew_package(path: Path, *, trust: Trust, timestamper: Any, now: dt.datetime) -> None:
    """Put one more timestamp over everything in a package, which is replaced whole or not at all.

    Whether the package holds is not asked here: whoever renews one that does not gains nothing by it.

    Raises:
        InputError: It cannot be read.
        ContainerError: It is damaged.
        SigningError: No timestamp can be had, or it was renewed too often.
    """
    tokens = signatures_in(path)
    try:
        with path.open("rb") as source:
            sizes = stored_sizes(source)
            source.seek(0)
            with appearing(path) as stream:
                writer = ZipWriter(stream)
                digests = _Digests(writer, [])
                number = _copy(source, sizes, digests, now) + 1
                if number > _MOST_RENEWALS:
                    raise SigningError(N_("{path} was renewed too often."), path=path)
                _add_evidence(digests, evidence_for(tokens, trust), number, now)
                _seal(digests, NEWEST, number, timestamper, now)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error


def _evidence(files: Iterable[Path], trust: Trust) -> Evidence:
    try:
        return evidence_for([info for path in files for info in signatures_in(path)], trust)
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be read: {error.strerror or error}",
            hint="Check the name and the permissions.",
        ) from error


def _add_file(digests: _Digests, path: Path) -> None:
    try:
        with path.open("rb") as stream:
            modified = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
            digests.stream(f"documents/{path.name}", _chunks(stream), modified)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
        ) from error


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _add_evidence(digests: _Digests, evidence: Evidence, number: int, now: dt.datetime) -> None:
    kinds = (("cer", evidence.certificates), ("crl", evidence.crls), ("ocsp", evidence.ocsps))
    for suffix, contents in kinds:
        for content in dict.fromkeys(contents):
            name = f"evidence/{number:03}/{hashlib.sha256(content).hexdigest()[:32]}.{suffix}"
            digests.add(name, content, now)


def _copy(source: IO[bytes], sizes: dict[int, int], digests: _Digests, now: dt.datetime) -> int:
    """Copy every member, the newest archive manifest under a number; return how many timestamps there are."""
    last = 0
    for member in walk(source, sizes=sizes):
        modified = dt.datetime.fromtimestamp(member.modified, dt.UTC) if member.modified else now
        if member.name == "mimetype":
            digests.writer.add("mimetype", b"".join(member.chunks()), now, plain=True)
            continue
        numbered = _NUMBERED.fullmatch(member.name)
        if numbered:
            last = max(last, int(numbered[1]))
        name = member.name
        if name == NEWEST:
            # It is written right before its timestamp, so its number is one more than those seen so far.
            name = f"META-INF/ASiCArchiveManifest{last + 1:03}.xml"
        digests.stream(name, member.chunks(), modified)
    return last


def _seal(digests: _Digests, manifest: str, number: int, timestamper: Any, now: dt.datetime) -> None:
    """Write the manifest of everything so far, and its timestamp, and close the package."""
    token_name = f"META-INF/timestamp{number:03}.tst"
    listed = digests.writer.listed()
    content = write_manifest(token_name, digests.references, mime=TOKEN_MIME, listed=listed)
    digests.writer.add(manifest, content, now)
    digests.writer.add(token_name, _stamp(content, timestamper), now)
    digests.writer.close()


def _stamp(content: bytes, timestamper: Any) -> bytes:
    with needs_extra():
        from pyhanko.sign.timestamps.common_utils import TimestampRequestError
    try:
        token = finished(timestamper.async_timestamp(hashlib.new(_ALGORITHM, content).digest(), _ALGORITHM))
    except (TimestampRequestError, OSError) as error:
        raise SigningError(
            N_("No timestamp could be had: {reason}"),
            hint=N_("Check the network and the authorities in the settings, or sign without one."),
            reason=error,
        ) from error
    der: bytes = token.dump()
    return der
