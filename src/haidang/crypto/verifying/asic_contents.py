"""What is in an ASiC container: read in one forward pass, before anything of it is believed.

The container is not trusted; :data:`MOST_METADATA` bounds what is kept of it.
"""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from haidang.crypto.containers.checksums import alongside
from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.containers.zip_form import ZipForm
from haidang.crypto.containers.zip_walking import DEFAULT_BOUNDS, walk
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from haidang.crypto.containers.zip_source import Readable
    from haidang.crypto.containers.zip_walking import Bounds, Member

__all__ = ["LARGEST_KEPT", "MOST_METADATA", "Contents", "chunks_of", "read_contents"]

MOST_METADATA = 64 << 20
"""Bytes of all files below ``META-INF/`` together."""
LARGEST_KEPT = 64 << 20
"""Bytes of all files together that :func:`verified_contents` returns."""

_META: Final = "META-INF/"


class Contents(NamedTuple):
    """What one pass over a container found."""

    mimetype: str
    first: str
    """Name of the first member."""
    metadata: dict[str, bytes]
    """The files below META-INF."""
    digests: dict[str, bytes]
    """SHA-256 of each other file but ``mimetype``."""
    kept: dict[str, bytes]
    """The files that were asked for."""
    form: ZipForm
    """What the zip around them is like."""


def read_contents(
    stream: Readable,
    *,
    sizes: dict[int, int] | None = None,
    wanted: Collection[str] = (),
    most: int = LARGEST_KEPT,
    sink: Callable[[Member], Iterator[bytes]] | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
    threads: bool = True,
) -> Contents:
    """Read a container to its end: keep its metadata, take the digests of its files.

    Args:
        stream: the container, from its first byte.
        sizes: see :func:`haidang.crypto.containers.zip_walking.walk`.
        wanted: names of files to keep.
        most: bytes of all of them together.
        sink: given each member that is neither metadata nor ``mimetype``, yields its chunks on; what it
            does with them is provisional until this function has returned.
        bounds: what the zip may take.
        threads: see :func:`haidang.crypto.containers.checksums.alongside`.

    Raises:
        ContainerError: It is damaged, or could be read differently.
    """
    contents = Contents("", "", {}, {}, {}, ZipForm())
    left = {"meta": MOST_METADATA, "kept": most}
    for member in walk(stream, bounds=bounds, sizes=sizes, form=contents.form):
        if not contents.first:
            contents = contents._replace(first=member.name)
        if member.name == "mimetype":
            mimetype = _whole(member, {"left": 256}, "left").decode("ascii", "replace").strip()
            contents = contents._replace(mimetype=mimetype)
        elif member.name.startswith(_META):
            if not member.folder:
                contents.metadata[member.name] = _whole(member, left, "meta")
        elif member.name in wanted:
            content = contents.kept[member.name] = _whole(member, left, "kept")
            contents.digests[member.name] = hashlib.sha256(content).digest()
        else:
            digest = hashlib.sha256()
            with alongside(digest.update, threads=threads) as update:
                for chunk in member.chunks() if sink is None else sink(member):
                    update(chunk)
            if not member.folder:
                contents.digests[member.name] = digest.digest()
    return contents


def _whole(member: Member, left: dict[str, int], budget: str) -> bytes:
    parts = []
    for chunk in member.chunks():
        left[budget] -= len(chunk)
        if left[budget] < 0:
            raise ContainerError(
                "metadata-too-large", N_("{name} is larger than is accepted."), name=member.name
            )
        parts.append(chunk)
    return b"".join(parts)


def chunks_of(stream: IO[bytes], sizes: dict[int, int], name: str) -> Iterator[bytes]:
    """Yield the content of a file, from a container that is read again from its first byte."""
    for member in walk(stream, sizes=sizes):
        if member.name == name:
            yield from member.chunks()
            return
