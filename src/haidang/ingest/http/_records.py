"""JSON of a request to records by line, without decoding it: what is broken is told from what is not.

- Lines are looked at all at once (msgspec passes over an object without building it, 0.3 µs for 470 bytes).
  Only where that fails is each line looked at by itself.
- What is no JSON object by line (an array, objects over several lines, objects behind one another) is cut
  into objects by ``events.json_splitting``; each becomes one line.

All input is untrusted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from haidang.events.json_splitting import JsonSplitter
from haidang.events.model import FileReport
from haidang.ingest.http.exchange import RequestError
from haidang.ingest.model import BrokenLines, Portion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.limits import Limits

__all__ = [
    "JSON_FORMATS",
    "NDJSON",
    "any_json",
    "are_objects",
    "is_object",
    "json_lines",
    "portions_of",
    "refuse_too_many",
    "text_of",
]

NDJSON = "ndjson"
"""The format of what is an object by line: which log it is, its fields tell."""
JSON_FORMATS = frozenset(
    {"", NDJSON, "collected", "json", "laurel", "opencanary", "suricata", "web-json", "zeek"}
)
"""Formats of which an object is a record as it is."""
_BOM = b"\xef\xbb\xbf"
_SMALL = 4 << 20
_BRACES = 4
"""Objects in an event of a request that has as many events as it may."""
_SPACE = b" \t\r\n\x00"


class _Object(msgspec.Struct, gc=False):
    """Any JSON object: its fields are passed over."""


_DECODER = msgspec.json.Decoder(_Object)


def refuse_too_many(body: bytes, limits: Limits) -> None:
    """See that a body does not hold so many records that their mere number takes too much memory.

    Raises:
        RequestError: It may.
    """
    most = limits.ingest_request_events
    if len(body) > _SMALL and (body.count(b"\n") > most or body.count(b"{") > most * _BRACES):
        raise RequestError(413, f"the body holds more than {most} events")


def is_object(line: bytes) -> bool:
    """Return whether a line is one JSON object."""
    try:
        _DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def are_objects(lines: bytes, count: int) -> bool:
    """Return whether ``count`` lines, joined by line feeds, are one JSON object each.

    Between ``}`` and ``{`` JSON wants a comma, so that an object ends wherever these stand around a line's
    end. When they stand around all of them, as many objects as lines are one in each.
    """
    if count and lines.count(b"}\n{") != count - 1:
        return False
    try:
        return len(_DECODER.decode_lines(lines)) == count
    except (msgspec.MsgspecError, RecursionError):
        return False


def json_lines(body: bytes, limits: Limits) -> tuple[Portion, BrokenLines]:
    """Return the JSON objects of a body by line, and the lines that are none. Blank lines mean nothing.

    Raises:
        RequestError: There are too many.
    """
    refuse_too_many(body, limits)
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

    Raises:
        RequestError: There are too many.
    """
    refuse_too_many(body, limits)
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


class _Envelope(msgspec.Struct, gc=False):
    """Where shippers put the line of a log that they read."""

    message: msgspec.Raw = msgspec.Raw()
    log: msgspec.Raw = msgspec.Raw()


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def portions_of(documents: Sequence[bytes], format_: str) -> list[Portion]:
    """Return JSON objects as records of a source's format.

    Where that is the format of a text, the records are the lines in their ``message`` (or ``log``); what has
    none stays an object.
    """
    if format_ in JSON_FORMATS:
        return [Portion(format_ or NDJSON, b"\n".join(documents), len(documents))]
    lines, rest = [], []
    for document in documents:
        envelope = _ENVELOPE.decode(document)
        said = next((one for one in (envelope.message, envelope.log) if bytes(one).startswith(b'"')), None)
        if said is None:
            rest.append(document)
        else:
            lines.append(text_of(bytes(said)))
    found = [Portion(format_, b"\n".join(lines), len(lines)), Portion(NDJSON, b"\n".join(rest), len(rest))]
    return [one for one in found if one.count]


def text_of(string: bytes) -> bytes:
    """Return the text that a JSON string holds, once it was passed over; what is no Unicode is replaced."""
    try:
        return msgspec.json.decode(string, type=str).encode()
    except ValueError:
        said = json.loads(string.decode(errors="replace"), strict=False)
        return str(said).encode(errors="replace")
