"""Which format a file has, by its first bytes.

Rules of this module:

- A reader with a ``signature`` (bytes that its files begin with) takes what begins so. Otherwise every
  reader is asked how sure it is (0 to 100); the surest wins, and of equals the first by name.
- No reader is sure of anything: the format is unknown. Plain text is a format too, the least sure of all.
- What a file of an unknown format is, is said where a signature tells.

All input is untrusted.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from haidang.events.encodings import decode_head
from haidang.events.files import HEAD_BYTES
from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.events.readers import Reader

__all__ = ["HEAD_BYTES", "Head", "by_signature", "describe", "make_head", "recognise"]

_HARDLY = -1
"""The confidence of plain text, negated: it takes what nobody else wants."""
_SEPARATOR = expression(r"[/\\!]")
_COMPRESSION = expression(r"\.(gz|bz2|xz|zst|zstd)\Z", re.IGNORECASE)

_SIGNATURES = (
    (b"\x00\x05\x16\x07", "an AppleDouble file (attributes that macOS puts into archives), no log"),
    (b"LfLe", "an event log of Windows XP (EVT)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (b"MSCF", "a cabinet archive; unpack it first"),
    (b"\x04\x22\x4d\x18", "an LZ4 file; unpack it first"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture; give it to Zeek and read its logs"),
    (b"\xa1\xb2\xc3\xd4", "a packet capture; give it to Zeek and read its logs"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture; give it to Zeek and read its logs"),
    (b"LPKSHHRH", "a systemd journal; export it with journalctl --output json"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a Linux program"),
    (b"MZ\x90\x00", "a Windows program"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"regf", "a Windows registry hive"),
)


class Head:
    """The beginning of a file, for recognition: decompressed, at most 64 KiB."""

    def __init__(self, name: str, data: bytes) -> None:
        """Keep the name and the first bytes; the rest is made when a reader asks for it."""
        base = _SEPARATOR.split(name)[-1]
        self.name = _COMPRESSION.sub("", base).lower()
        """Base name of the file, without the suffix of its compression, lower-cased."""
        self.data = data
        """The first bytes."""

    @cached_property
    def text(self) -> str:
        """The same, decoded (BOM, UTF-16 and UTF-8 handled; undecodable bytes replaced)."""
        return decode_head(self.data)

    @cached_property
    def lines(self) -> list[str]:
        """The non-empty lines of ``text``, without a last one that is cut off."""
        lines = self.text.split("\n")
        if len(self.data) >= HEAD_BYTES:
            lines.pop()
        return [line.removesuffix("\r") for line in lines if line and not line.isspace()]


def make_head(name: str, data: bytes) -> Head:
    """Return the head of a file of that name, whose first ``HEAD_BYTES`` are ``data``."""
    return Head(name, data)


def recognise(head: Head, readers: Mapping[str, Reader]) -> Reader | None:
    """Return the reader that is surest of a file, None where none is sure of anything."""
    if (reader := by_signature(head.data, readers)) is not None:
        return reader
    sure = [(-reader.recognises(head), name) for name, reader in readers.items()]
    confidence, name = min(sure, default=(0, ""))
    # What has the signature of something else is no plain text, be there ever so little else in it.
    if confidence == 0 or (confidence == _HARDLY and _stranger(head.data)):
        return None
    return readers[name]


def by_signature(data: bytes, readers: Mapping[str, Reader]) -> Reader | None:
    """Return the reader whose files begin as this one does, None where only looking further tells."""
    for reader in readers.values():
        # A folder of event logs has thousands of small files; nobody else need look at them.
        signature = getattr(reader, "signature", b"")
        if signature and data.startswith(signature):
            return reader
    return None


def describe(data: bytes) -> str:
    """Return one sentence on what a file of an unknown format is."""
    what = _stranger(data)
    if what:
        return f"This is {what}."
    if not data.strip(b"\x00"):
        return "There is nothing but NUL bytes at its beginning."
    return "No reader knows this format, and it is no text."


def _stranger(data: bytes) -> str:
    """Return what has a signature that no reader knows, "" for anything else."""
    return next((what for signature, what in _SIGNATURES if data.startswith(signature)), "")
