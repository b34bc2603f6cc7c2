"""Plain text: one event for each line, for rules that are made of keywords.

Rules of this module:

- Any text that no other reader claims is read so; a file with many control characters is no text.
- NUL bytes, which files that were being written during a crash are padded with, are removed from both ends of
  a line; a line that is blank without them is no event.
- Bytes that are not UTF-8 are replaced, and noted with the first line they are in.
- Input is untrusted.

Fields (origin ``text``):

    message   the line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.readers._lines import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "TextReader"]

ORIGIN = Origin("text")

_HOLES = re.compile(r"\x00{8,}")
_PADDING = "\x00 \t\r\x0b\x0c"
# Tab, line ends, form feed, escape (colours) and NUL (padding) do occur in logs.
_CONTROL = re.compile(r"[\x01-\x06\x0e-\x1a\x1c-\x1f\x7f\ufffd]")


class TextReader:
    """Reads anything that is made of lines."""

    name = "text"
    title = "Plain text"
    origins: tuple[Origin, ...] = (ORIGIN,)
    splittable = True
    """Whether any part of a file can be read without what comes before it."""

    def recognises(self, head: Head) -> int:
        """Return 1 for text, 0 for anything with more than a few control or undecodable characters."""
        text = _HOLES.sub("", head.text)
        strange = len(_CONTROL.findall(text)) + text.count("\x00") / 10
        return 1 if text and strange * 20 <= len(text) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            for number, line in enumerate(lines, first):
                text = decode(line, number, report).strip(_PADDING)
                if text:
                    events.append({"message": text})
                    records.append(number)
            if events:
                yield EventBatch(report, ORIGIN.name, events, records)


READER = TextReader()
