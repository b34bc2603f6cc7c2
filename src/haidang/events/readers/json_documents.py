"""JSON that is not one object a line: arrays, pretty-printed and concatenated objects, and wrapped ones.

Rules of this module:

- Each object of an array (or of arrays in it), and each object that stands by itself, is one event. They are
  cut out undecoded by :mod:`haidang.events.json_splitting`, in bounded memory.
- An object that wraps an array of events is opened: ``{"Records": [...]}``, ``{"hits": {"hits": [...]}}``,
  and any object with a single key.
- A broken object is noted and skipped; reading goes on with the next one.
- Input is untrusted.

Fields: those of the objects; see :mod:`haidang.events.readers.ndjson`. Records are counted from 1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.json_splitting import JsonSplitter
from haidang.events.model import DocumentBatch, Origin
from haidang.events.patterns import expression
from haidang.events.readers.ndjson import ORIGIN
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "JsonDocumentsReader"]

# An object in an array, or a key: what else begins with a bracket is no JSON.
_ARRAY = expression(r"(?:\[\s*)+(?:\{|\]|\Z)")
_OBJECT = expression(r'\{\s*(?:"|\}|\Z)')
_WRAPPER = expression(
    r'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[\s*\{|\{.{0,1000}?"hits"\s*:\s*\{'
    # The answers of interfaces, which begin with what they are and then hold the array.
    r'|\{\s*"(?:@odata|kind|apiVersion|status|pagination|stat|paging|response|preview|Stats|Schema)'
    r'.{0,1000}?"(?:value|items|data|response|entities|authlogs|results|Results)"\s*:\s*\[\s*\{',
    re.DOTALL,
)
_WRAPPED_LINES = expression(r'\{\s*"[Rr]ecords"\s*:\s*\[\s*\{')


class JsonDocumentsReader:
    """Reads JSON that is not one object a line."""

    name = "json"
    title = "JSON (arrays, objects)"
    origins: tuple[Origin, ...] = (ORIGIN, WINDOWS)
    splittable = False
    """Where an object begins can only be told from the beginning."""

    def recognises(self, head: Head) -> int:
        """Return 75 for what wraps an array, 60 for an array or object that no line ends."""
        text = head.text.lstrip("\x00\x1e \t\r\n")
        if _ARRAY.match(text):
            return 75
        if not _OBJECT.match(text):
            return 0
        # Where the first line is an object, only what is known to wrap on each line: CloudTrail and Azure
        # write such files.
        alone = len(head.lines) <= 1 or not head.lines[0].rstrip().endswith("}")
        wrapper = _WRAPPER if alone else _WRAPPED_LINES
        return 75 if wrapper.match(text) else 60

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[DocumentBatch]:
        """Yield the objects in batches."""
        splitter = JsonSplitter(report, limits)
        for block in stream.text_blocks():
            yield from _batches(splitter.feed(block), report, limits)
        yield from _batches(splitter.finish(), report, limits)


def _batches(
    documents: Iterator[tuple[int, bytes]], report: FileReport, limits: Limits
) -> Iterator[DocumentBatch]:
    batch: list[bytes] = []
    records: list[int] = []
    size = 0
    for record, document in documents:
        batch.append(document)
        records.append(record)
        size += len(document)
        if len(batch) >= limits.batch_events or size >= limits.batch_bytes:
            yield DocumentBatch(report, batch, records)
            batch, records = [], []
            size = 0
    if batch:
        yield DocumentBatch(report, batch, records)


READER = JsonDocumentsReader()
