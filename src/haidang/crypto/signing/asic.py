"""ASiC-E containers with CAdES (ETSI EN 319 162-1): files and one signature over all of them, in one zip.

    mimetype                        stored first, so that the kind can be told from the first bytes
    …                               the files
    META-INF/ASiCManifest001.xml    their names and SHA-256 digests, and of which form the zip is
    META-INF/signature001.p7s       CAdES over the manifest

Rules:

- Written in one forward pass to a stream that need not seek, in constant memory: digests are made while
  the files go by.
- The manifest says of which form the zip is (:mod:`haidang.crypto.containers.zip_form`), so that no bit of
  the container can be altered unseen.
- A container is complete when :func:`write_container` returns; before that it has no signature.

Example::

    with appearing(Path("report.asice")) as stream:
        write_container(stream, [Item("report.csv", content, now)], signatory, now=now)
"""

from __future__ import annotations

import hashlib
import mimetypes
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from haidang.crypto.containers.checksums import BLOCK, alongside
from haidang.crypto.containers.manifest import Reference, write_manifest
from haidang.crypto.containers.member_names import NameRegister
from haidang.crypto.containers.zip_writing import ZipWriter
from haidang.crypto.files import appearing
from haidang.crypto.lean import loading_alongside
from haidang.crypto.signing.cades import sign_digest
from haidang.errors import InputError, SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from haidang.crypto.containers.zip_writing import Writable
    from haidang.crypto.marking.labels import Label
    from haidang.crypto.signers import Signatory

__all__ = ["ASIC_E", "MANIFEST", "SIGNATURE", "Item", "sign_container", "write_container"]

ASIC_E: Final = "application/vnd.etsi.asic-e+zip"
MANIFEST: Final = "META-INF/ASiCManifest001.xml"
SIGNATURE: Final = "META-INF/signature001.p7s"


class Item(NamedTuple):
    """One file or folder of a container."""

    name: str
    """Its path in the container; a folder's ends with a slash. Folders are not signed."""
    content: bytes | Iterable[bytes]
    """All of it, or its pieces, which are taken once."""
    modified: dt.datetime
    mime: str = ""


def write_container(
    target: Writable,
    items: Iterable[Item],
    signatory: Signatory,
    *,
    now: dt.datetime,
    timestamper: Any = None,
    labels: Sequence[Label] = (),
    threads: bool = True,
) -> None:
    """Write a signed container of ``items`` to ``target``, which need not seek.

    Args:
        target: where to; it stays open.
        items: what is signed, in this order; read once, as it is written.
        signatory: who signs.
        now: the time that the signer claims.
        timestamper: a pyHanko ``TimeStamper``; None signs without a timestamp.
        labels: how the content is marked; a signed attribute says it.
        threads: see :func:`haidang.crypto.containers.checksums.alongside`.

    Raises:
        ContainerError: A name is not safe, or is there twice.
        SigningError: The key cannot sign, or there is no timestamp, or nothing to sign.
    """
    writer = ZipWriter(target)
    writer.add("mimetype", ASIC_E.encode(), now, plain=True)
    names = NameRegister()
    for name in ("mimetype", MANIFEST, SIGNATURE):
        names.add(name)
    references = []
    # Signing comes last, and takes 0.1 s to load.
    with loading_alongside("pyhanko.sign.signers.pdf_cms"):
        for item in items:
            names.add(item.name)
            digest = _write_item(writer, item, threads=threads)
            if not item.name.endswith("/"):
                references.append(Reference(item.name, digest, mime=item.mime or _mime(item.name)))
    if not references:
        raise SigningError(N_("There is no file to sign."), hint=N_("Name at least one file."))
    manifest = write_manifest(SIGNATURE, references, listed=writer.listed())
    writer.add(MANIFEST, manifest, now)
    algorithm = signatory.digest
    digest = hashlib.new(algorithm, manifest).digest()
    signature = sign_digest(signatory, digest, algorithm, now=now, timestamper=timestamper, labels=labels)
    writer.add(SIGNATURE, signature, now)
    writer.close()


def sign_container(
    sources: Sequence[Path],
    target: Path,
    signatory: Signatory,
    *,
    now: dt.datetime,
    timestamper: Any = None,
    labels: Sequence[Label] = (),
    replace: bool = False,
) -> None:
    """Write a signed container of the files ``sources`` to ``target``, whole or not at all.

    Raises:
        InputError: A file cannot be read.
        ContainerError: Two files have the same name.
        OutputError: ``target`` cannot be written, or is there already.
        SigningError: See :func:`write_container`.
    """
    with appearing(target, replace=replace) as stream:
        items = (_item_of(path) for path in sources)
        write_container(stream, items, signatory, now=now, timestamper=timestamper, labels=labels)


def _item_of(path: Path) -> Item:
    import datetime as dt

    try:
        if not path.is_file():
            raise InputError(f"{path} is not a file", hint="Name regular files; seal a folder instead.")
        modified = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
        return Item(path.name, _pieces(path.open("rb", buffering=0), path), modified)
    except OSError as error:
        raise _unreadable(path, error) from error


def _pieces(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    with stream:
        while True:
            try:
                chunk = stream.read(BLOCK)
            except OSError as error:
                raise _unreadable(path, error) from error
            if not chunk:
                return
            yield chunk


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be read: {error.strerror or error}", hint="Check the name and the permissions."
    )


def _write_item(writer: ZipWriter, item: Item, *, threads: bool) -> bytes:
    if isinstance(item.content, bytes):
        writer.add(item.name, item.content, item.modified)
        return hashlib.sha256(item.content).digest()
    digest = hashlib.sha256()
    writer.stream(item.name, _passing(item.content, digest, threads=threads), item.modified)
    return digest.digest()


def _passing(chunks: Iterable[bytes], digest: Any, *, threads: bool) -> Iterator[bytes]:
    with alongside(digest.update, threads=threads) as update:
        for chunk in chunks:
            update(chunk)
            yield chunk


def _mime(name: str) -> str:
    return mimetypes.guess_type(name, strict=False)[0] or "application/octet-stream"
