"""Header lines without which the lines below them cannot be understood.

A portion is read by itself, so it brings them along: the ``#`` lines of W3C extended and Zeek logs, the
latest of each kind, and the header row of a table (format ``csv``). They are trusted no more than the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haidang.ingest.tailing.positions import Position

__all__ = ["preamble_behind"]

_BOM = b"\xef\xbb\xbf"
_FIRST = (b"#Software:", b"#Version:", b"#Date:", b"#Fields:", b"#separator ")
_DIRECTIVE = re.compile(rb"^#[^\n]*", re.MULTILINE)
_KIND = re.compile(rb"#[^\s:]*")
_TABLES = frozenset({"csv"})
_LONGEST = 65_536


def preamble_behind(lines: bytes, position: Position) -> bytes:
    """Return the header lines that hold behind ``lines``, which begin at ``position``."""
    if not position.offset:
        first = lines.removeprefix(_BOM)
        if position.form in _TABLES:
            row = first.partition(b"\n")[0]
            return row if len(row) <= _LONGEST else b""
        if not first.startswith(_FIRST):
            return b""
    elif not position.preamble.startswith(b"#") or (b"\n#" not in lines and not lines.startswith(b"#")):
        return position.preamble
    found: dict[bytes, bytes] = {}
    for part in (position.preamble, lines.removeprefix(_BOM)):
        for line in _DIRECTIVE.findall(part):
            kind = _KIND.match(line)
            found[kind[0] if kind else b""] = line
    preamble = b"\n".join(found.values())
    return preamble if len(preamble) <= _LONGEST else position.preamble
