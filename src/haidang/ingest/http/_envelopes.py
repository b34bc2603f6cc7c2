"""The body of a HEC request: envelopes behind one another, each with an event.

- An event that is an object is a record of JSON; what the envelope says (time, host, source, sourcetype,
  fields) is put before its own fields, which win where both have a name. Time is called ``_time``, as
  Splunk does.
- An event that is a string is a line of a log as it was written, or an object that was encoded twice.
- What is broken goes to the quarantine, the rest is taken.

All input is untrusted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from haidang.ingest.http._records import NDJSON, is_object, refuse_too_many, text_of
from haidang.ingest.model import BrokenLines, Portion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.limits import Limits

__all__ = ["read_envelopes"]

_RETRIES = 4
"""How many times the body what is broken is looked at again."""
_NONE = msgspec.Raw()


class _Envelope(msgspec.Struct, gc=False, omit_defaults=True):
    event: msgspec.Raw = _NONE
    time: msgspec.Raw = _NONE
    host: msgspec.Raw = _NONE
    source: msgspec.Raw = _NONE
    sourcetype: msgspec.Raw = _NONE
    fields: msgspec.Raw = _NONE


_DECODER = msgspec.json.Decoder(_Envelope)


def read_envelopes(body: bytes, format_: str, limits: Limits) -> tuple[list[Portion], BrokenLines]:
    """Return the records of a body, those of JSON apart from lines, and what is broken.

    Raises:
        RequestError: There are too many.
    """
    refuse_too_many(body, limits)
    broken = BrokenLines(limits)
    data = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        envelopes: Sequence[_Envelope] = _DECODER.decode_lines(data)
    except (msgspec.MsgspecError, RecursionError):
        envelopes = list(_one_by_one(data, broken))
    objects, lines = [], []
    for envelope in envelopes:
        event = bytes(envelope.event)
        if event.startswith(b"{"):
            objects.append(_spliced(envelope, event))
            continue
        line = text_of(event) if event.startswith(b'"') else event
        if event.startswith(b'"') and line.startswith(b"{") and is_object(line):
            objects.append(_flat(line))
        elif line.strip() in {b"", b"null"}:
            broken.broken("broken-record", msgspec.json.encode(envelope), "The envelope holds no event.")
        else:
            lines.append(line.strip(b"\r\n"))
    portions = [
        Portion(NDJSON, b"\n".join(objects), len(objects)),
        Portion(format_, b"\n".join(lines), len(lines)),
    ]
    return [one for one in portions if one.count], broken


def _spliced(envelope: _Envelope, event: bytes) -> bytes:
    """Return an event with what its envelope says before its own fields."""
    said = (
        (b'"_time":', envelope.time),
        (b'"host":', envelope.host),
        (b'"source":', envelope.source),
        (b'"sourcetype":', envelope.sourcetype),
        (b'"fields":', envelope.fields),
    )
    parts = [name + bytes(value) for name, value in said if value is not _NONE]
    own = event[1:].lstrip()
    if not own.startswith(b"}"):
        parts.append(own)
        own = b""
    return _flat(b"{" + b",".join(parts) + own)


def _flat(document: bytes) -> bytes:
    # In strings JSON forbids line ends, so that they are white space.
    return document.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in document else document


def _one_by_one(data: bytes, broken: BrokenLines) -> Iterator[_Envelope]:
    """Yield the envelopes that are whole; behind what is broken go on at the next line."""
    text = data.decode(errors="surrogateescape")
    decoder = json.JSONDecoder()
    budget = len(text) * _RETRIES
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            budget -= error.pos - at if isinstance(error, json.JSONDecodeError) else len(text) - at
            line_end = text.find("\n", at)
            end = len(text) if line_end < 0 or budget < 0 else line_end
        piece = text[at:end].encode(errors="surrogateescape").strip()
        try:
            yield _DECODER.decode(piece)
        except (msgspec.MsgspecError, RecursionError):
            broken.broken("broken-record", piece, "The envelope is no JSON object.")
        at = end
