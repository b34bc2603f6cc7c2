"""Plain text: one event for each line, for rules that are made of keywords.

Rules of this module:

- Any text that no other reader claims is read so; a file with many control characters is no text.
- NUL bytes, which files that were being written during a crash are padded with, are removed from both ends of
  a line; a line that is blank without them is no event.
- Bytes that are not UTF-8 are replaced, and noted with the first line they are in.
- Input is untrusted.

Fields (origin ``text``):

    time      the line's time, as written: what it begins with, after a level or a name in brackets or not
    message   the line, whole
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers._lines import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["ORIGIN", "READER", "TextReader"]

ORIGIN = Origin("text", time_fields=("time",), host_fields=("hostname",))

_HOLES = expression(rb"\x00{8,}")
# Tab, line ends, form feed, escape (colours) and NUL (padding) do occur in logs.
_CONTROL = bytes([*range(1, 7), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])


# The times of programs, whole: neither the end nor the beginning of a longer word.
_TIME = expression(
    r"(?<![\w.:/+-])("
    r"\d{4}[-/]\d\d[-/]\d\d[T ] ?\d?\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?Z| ?[+-]\d\d:?\d\d)?"
    r"|\d\d?/[A-Z][a-z]{2}/\d{4}[: ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: [+-]\d{4})?"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4}"
    r"|(?<=\[)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r")(?!\w|:\d)",
    re.ASCII,
)
_WITHIN = 96
"""Characters of a line in which its time is looked for."""
_WORDS_BEFORE = 2
"""Words that may stand before the time of a line: a level, an address, the name of a container."""


class TextReader:
    """Reads anything that is made of lines."""

    name = "text"
    title = "Plain text"
    origins: tuple[Origin, ...] = (ORIGIN,)
    splittable = True
    """Whether any part of a file can be read without what comes before it."""

    def recognises(self, head: Head) -> int:
        """Return 1 for text, 0 for anything with more than a few control or undecodable characters."""
        data = head.text.encode("utf-8", "replace")
        if b"\x00" in data:
            data = _HOLES.sub(b"", data)
        strange = len(data) - len(data.translate(None, _CONTROL)) + head.text.count("\ufffd")
        return 1 if data and (strange + data.count(0) / 10) * 20 <= len(data) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        for first, lines in stream.line_batches(report, limits):
            texts = _texts(first, lines, report)
            records: Sequence[int] = range(first, first + len(texts))
            if not all(texts) or any(map(str.isspace, texts)):
                records = [number for number, text in zip(records, texts, strict=True) if text.strip()]
                texts = [text for text in texts if text.strip()]
            if texts:
                yield EventBatch(report, ORIGIN.name, list(map(_event, texts)), records)


def _event(text: str) -> Fields:
    found = _TIME.search(text, 0, _WITHIN)
    if found is None or not _may_precede(text[: found.start()]):
        return {"message": text}
    return {"time": found[1], "message": text}


def _may_precede(before: str) -> bool:
    """Return whether what stands before a time leaves it the line's own, and not one that the text tells."""
    words = before.split()
    return len(words) <= _WORDS_BEFORE and (len(words) < 2 or not any(map(str.isalpha, words)))


def _texts(first: int, lines: list[bytes], report: FileReport) -> list[str]:
    try:
        texts = list(map(bytes.decode, lines))
    except UnicodeDecodeError:
        texts = [decode(line, number, report) for number, line in enumerate(lines, first)]
    # Padding is at the ends of lines, and rare.
    if b"\x00" in b"".join(lines):
        texts = [text.strip("\x00") for text in texts]
    return texts


READER = TextReader()
