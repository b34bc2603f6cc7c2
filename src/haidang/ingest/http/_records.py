"""JSON of a request to records by line, without decoding it: what is broken is told from what is not.

- Lines are looked at all at once (msgspec passes over an object without building it, 0.3 µs for 470 bytes).
  Only where that fails is each line looked at by itself.
- What is no JSON object by line (an array, objects over several lines, objects behind one another) is cut
  into objects by ``events.json_splitting``; each becomes one line.

All input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from haidang.events.json_splitting import JsonSplitter
from haidang.events.model import FileReport
from haidang.ingest.model import BrokenLines, Portion

if TYPE_CHECKING:
    from haidang.limits import Limits

__all__ = ["NDJSON", "any_json", "are_objects", "is_object", "json_lines"]

NDJSON = "ndjson"
"""The format of what is an object by line: which log it is, its fields tell."""
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n\x00"


class _Object(msgspec.Struct, gc=False):
    """Any JSON object: its fields are passed over."""


_DECODER = msgspec.json.Decoder(_Object)


def is_object(line: bytes) -> bool:
    """Return whether a line is one JSON object."""
    try:
        _DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def are_objects(lines: bytes, count: int) -> bool:
    """Return whether ``count`` lines, joined by line feeds, are one JSON object each."""
    try:
        return len(_DECODER.decode_lines(lines)) == count
    except (msgspec.MsgspecError, RecursionError):
        return False


def json_lines(body: bytes, limits: Limits) -> tuple[Portion, BrokenLines]:
    """Return the JSON objects of a body by line, and the lines that are none. Blank lines mean nothing."""
    broken = BrokenLines(limits)
    data = body.removeprefix(_BOM).strip(_SPACE)
    count = data.count(b"\n") + 1 if data else 0
    if len(data) <= limits.line_bytes and are_objects(data, count):
        return Portion(NDJSON, data, count), broken
    good = []
    for line in data.split(b"\n"):
        record = line.strip(_SPACE)
        if not record:
            continue
        if len(record) > limits.line_bytes:
            broken.broken("oversized-line", record, f"longer than {limits.line_bytes} bytes")
        elif is_object(record):
            good.append(record)
        else:
            broken.broken("broken-line", record, "The line is no JSON object.")
    return Portion(NDJSON, b"\n".join(good), len(good)), broken


def any_json(body: bytes, limits: Limits) -> tuple[Portion, BrokenLines]:
    """Return the JSON objects of a body, whether they stand in an array, in a row or over several lines.

    What is no object is noted once, with the beginning of the body.
    """
    broken = BrokenLines(limits)
    data = body.removeprefix(_BOM).strip(_SPACE)
    report = FileReport("")
    splitter = JsonSplitter(report, limits)
    records = []
    for documents in (splitter.feed(data), splitter.finish()):
        for _, document in documents:
            # In strings JSON forbids line ends, so that they are white space.
            record = document.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in document else document
            if is_object(record):
                records.append(record)
            else:
                broken.broken("broken-record", record, "The record is no JSON object.")
    for problem in report.problems.values():
        broken.broken(problem.kind, data, problem.detail)
    return Portion(NDJSON, b"\n".join(records), len(records)), broken
