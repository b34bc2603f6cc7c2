"""Whether a zip is, byte for byte, what :class:`.zip_writing.ZipWriter` would write.

A signature covers files. The zip around them has bits that no file is made of: times, versions, attributes,
extra fields, the padding of DEFLATE. A manifest of ours therefore says two things, which are signed with it:
that the zip is of this form, and the SHA-256 of the directory's lines of all members before the manifest.
Then no bit is left that could be altered unseen:

- The lines say the name, time, size, checksum and place of every member; what stands at the member follows
  from its line, and the end follows from the lines.
- After the manifest come the signature and nothing else, both with the time of the first member.

No zip of another program says so, and nothing of this is asked of one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from haidang.crypto.containers.zip_headers import (
    DEFLATED,
    SIZES_BEHIND,
    STORED,
    central_header,
    end_of_directory,
    flags_for,
    local_header,
)

if TYPE_CHECKING:
    from haidang.crypto.containers.zip_headers import Record

__all__ = ["ZipForm"]

_META = b"META-INF/"
_FIRST = b"mimetype"


class _Place(NamedTuple):
    """Where a line stands in the directory."""

    number: int
    listed: bytes
    """SHA-256 of the lines before it."""
    time: tuple[int, int]


class ZipForm:
    """Is told of each header of a zip as it is read; answers :meth:`kept` once all of them were."""

    def __init__(self) -> None:
        """Believe that the zip has the form until something is seen that has not."""
        self._exact = True
        self._ended = False
        # Headers in front of members come long before the lines that they follow from, and may be many.
        self._found = hashlib.sha256()
        self._expected = hashlib.sha256()
        self._lines = hashlib.sha256()
        self._count = 0
        self._time = (0, 0)
        self._places: dict[bytes, _Place] = {}

    def broken(self) -> None:
        """Remember that something was read that ``ZipWriter`` does not write."""
        self._exact = False

    def local(self, header: bytes) -> None:
        """Take what stands in front of a member."""
        self._found.update(header)

    def central(self, record: Record, line: bytes) -> None:
        """Take a line of the directory, and what was read from it."""
        if not self._exact:
            return
        if not _writable(record) or line != central_header(record):
            self.broken()
            return
        plain = not self._count and record.name == _FIRST
        self._expected.update(local_header(record, plain=plain))
        time = (record.stamp, record.seconds)
        if not self._count:
            self._time = time
        if record.name.startswith(_META):
            self._places[record.name] = _Place(self._count, self._lines.digest(), time)
        self._lines.update(line)
        self._count += 1

    def end(self, end: bytes, size: int, begin: int) -> None:
        """Take all that stands behind the directory, which has ``size`` bytes from ``begin`` on."""
        self._ended = end == end_of_directory(self._count, size, begin)

    def kept(self, manifest: str, signature: str, listed: bytes) -> bool:
        """Return whether the zip has the form, and is the one that its manifest describes.

        Args:
            manifest: name of the manifest that says so.
            signature: name of the signature over it.
            listed: what it says of the lines before it.
        """
        if not (self._exact and self._ended and self._found.digest() == self._expected.digest()):
            return False
        last, end = self._places.get(manifest.encode()), self._places.get(signature.encode())
        if last is None or end is None:
            return False
        return last == (self._count - 2, listed, self._time) and end[::2] == (self._count - 1, self._time)


def _writable(record: Record) -> bool:
    """Return whether ``ZipWriter`` would choose the method and flags of a member, and can write its time."""
    method = DEFLATED if record.flags & SIZES_BEHIND else STORED
    flags = flags_for(record.name.decode("utf-8", "replace")) | record.flags & SIZES_BEHIND
    return record.seconds >= 0 and (record.method, record.flags) == (method, flags)
