"""Where to begin with a file of which nothing is to be taken that it holds already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.ingest.tailing.positions import at_end, moved
from haidang.ingest.tailing.preambles import preamble_behind

if TYPE_CHECKING:
    from haidang.ingest.tailing.positions import Content, Position

__all__ = ["behind_all"]

_TOP = 65_536


def behind_all(start: Position, content: Content, *, packed: bool) -> Position:
    """Return the position behind the last whole line; a compressed file is as good as taken."""
    if packed:
        return moved(start, ended=True)
    size = content.size()
    last = content.read(max(0, size - _TOP), _TOP)
    # Where no line ends, all of it is the beginning of one, unless that is very long.
    offset = size - len(last) + last.rfind(b"\n") + 1 if b"\n" in last else size * (size > _TOP)
    top, line_end, _ = content.read(0, min(offset, _TOP)).rpartition(b"\n")
    return at_end(moved(start, preamble=preamble_behind(top + line_end, start)), content, offset)
