"""Text in whatever encoding Windows tools leave it, to UTF-8, block by block.

Rules of this module:

- A byte order mark decides (UTF-8, UTF-16, UTF-32) and is removed. Without one, text in which every other
  byte is NUL is UTF-16; anything else is taken as it is, for the detector and the readers judge UTF-8.
- What cannot be decoded is replaced by U+FFFD.

All input is untrusted.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["decode_head", "encoding_of", "to_utf8"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 4096
_ENOUGH = 16


def encoding_of(head: bytes) -> tuple[str, int]:
    """Return the encoding that the first bytes of a file show, and the length of its mark."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    sample = head[: _SAMPLE & ~1]
    half = len(sample) // 2
    if half >= _ENOUGH:
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if odd > half * 0.6 and even < half * 0.05:
            return "utf-16-le", 0
        if even > half * 0.6 and odd < half * 0.05:
            return "utf-16-be", 0
    return "utf-8", 0


def decode_head(head: bytes) -> str:
    """Return the text of the first bytes of a file; a character that is cut off at the end is left out."""
    name, mark = encoding_of(head)
    return codecs.getincrementaldecoder(name)("replace").decode(head[mark:])


def to_utf8(blocks: Iterator[bytes], head: bytes, on_replaced: Callable[[str], None]) -> Iterator[bytes]:
    """Yield the blocks of a file that begins with ``head``, as UTF-8 without a mark.

    ``on_replaced`` is called with the name of the encoding for each block in which it was not kept to;
    UTF-8 goes through unseen.
    """
    name, mark = encoding_of(head)
    left = mark
    if name == "utf-8":
        while left:
            block = next(blocks, b"")
            if len(block) > left:
                yield block[left:]
            left -= min(left, len(block)) if block else left
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    for block in blocks:
        text = decoder.decode(block[left:])
        left = max(0, left - len(block))
        if "\ufffd" in text:
            on_replaced(name)
        if text:
            yield text.encode("utf-8", "replace")
    text = decoder.decode(b"", final=True)
    if text:
        on_replaced(name)
        yield text.encode("utf-8", "replace")
