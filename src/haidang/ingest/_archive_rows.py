"""Batches of the spool as rows of the archive, and rows as batches again.

What a reader cannot read is a row all the same, with its raw text alone. What events hold is untrusted.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import orjson

from haidang.events.model import FileReport
from haidang.scanning.decoding import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from haidang.ingest.spool import Spooled
    from haidang.limits import Limits
    from haidang.scanning.decoding import EventDecoder, LogEvent

__all__ = ["flattened", "schema", "table"]

_LOG = logging.getLogger(__name__)
_DEEPEST = 32
_TEXTS: frozenset[type] = frozenset({str})
_PLAIN: frozenset[type] = frozenset({str, int, float})
_FIRST, _LAST = -(2**62) // 1000, 2**62 // 1000
"""Microseconds that every reader of Parquet can take, from 1823 to 2116."""


def schema() -> Any:
    """Return the columns."""
    import pyarrow as pa

    return pa.schema(
        [
            ("time", pa.timestamp("us")),
            ("received", pa.timestamp("us")),
            ("batch", pa.int64()),
            ("record", pa.int32()),
            ("format", pa.string()),
            ("origin", pa.string()),
            ("host", pa.string()),
            ("raw", pa.string()),
            ("raw_bytes", pa.binary()),
            ("fields", pa.map_(pa.string(), pa.string())),
        ]
    )


def table(batches: Sequence[Spooled], decoder: EventDecoder, limits: Limits) -> Any:
    """Return the rows of batches as a table of pyarrow."""
    import pyarrow as pa

    rows = _Rows()
    for spooled in batches:
        _add(rows, spooled, decoder, limits)
    columns = schema()
    texts = {name: _texts(getattr(rows, name)) for name in ("format", "origin", "host", "keys", "values")}
    arrays = [
        pa.array(rows.time, pa.int64()).cast(columns.field("time").type),
        pa.array(rows.received, pa.int64()).cast(columns.field("received").type),
        pa.array(rows.batch, pa.int64()),
        pa.array(rows.record, pa.int32()),
        texts["format"],
        texts["origin"],
        texts["host"],
        *_raw(rows.raw),
        pa.MapArray.from_arrays(pa.array(rows.offsets, pa.int32()), texts["keys"], texts["values"]),
    ]
    return pa.Table.from_arrays(arrays, schema=columns)


def flattened(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields of an event as texts: objects by names with dots, lists as JSON, null not at all."""
    for name, value in fields.items():
        if type(value) is str:
            yield name, value
        elif value is not None:
            yield from _flattened(str(name), value)


def _flattened(prefix: str, whole: Any) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, Any, int]] = [(prefix, whole, 0)]
    while pending:
        name, value, depth = pending.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict) and depth < _DEEPEST:
            pending += [(f"{name}.{key}", inner, depth + 1) for key, inner in reversed(value.items())]
        elif isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, dict | list | tuple):
            yield name, _json(value)
        elif value is not None:
            yield name, str(value)


class _Rows:
    """The columns, while they grow."""

    def __init__(self) -> None:
        self.time: list[int] = []
        self.received: list[int] = []
        self.batch: list[int] = []
        self.record: list[int] = []
        self.format: list[str] = []
        self.origin: list[str] = []
        self.host: list[str] = []
        self.raw: list[bytes] = []
        self.offsets: list[int] = [0]
        self.keys: list[str] = []
        self.values: list[str] = []


def _add(rows: _Rows, spooled: Spooled, decoder: EventDecoder, limits: Limits) -> None:
    arrival = spooled.arrival
    lines = arrival.data.split(b"\n")
    read, events = _events(spooled, len(lines), decoder, limits)
    received = arrival.received // 1000
    for record, line in enumerate(lines, start=1):
        if not line:
            continue
        event = events.get(record)
        time = decoder.time(event) if event is not None else None
        rows.time.append(received if time is None else min(max(time // 1000, _FIRST), _LAST))
        rows.received.append(received)
        rows.batch.append(spooled.number)
        rows.record.append(record)
        rows.format.append(read)
        rows.origin.append(event.origin if event is not None else "")
        rows.host.append(decoder.host(event) if event is not None else "")
        rows.raw.append(line)
        if event is not None:
            _add_fields(rows, event.fields)
        rows.offsets.append(len(rows.keys))


def _add_fields(rows: _Rows, fields: Mapping[str, Any]) -> None:
    """Add the fields of an event: most have nothing but texts and numbers, which is quick."""
    values = fields.values()
    kinds = set(map(type, values))
    if kinds <= _PLAIN:
        rows.keys.extend(fields)
        rows.values.extend(values if kinds <= _TEXTS else map(str, values))
        return
    # A map has each key once.
    flat = dict(flattened(fields))
    rows.keys.extend(flat)
    rows.values.extend(flat.values())


def _events(
    spooled: Spooled, lines: int, decoder: EventDecoder, limits: Limits
) -> tuple[str, dict[int, LogEvent]]:
    """Return the name of the reader, and the events by the number of their line."""
    arrival = spooled.arrival
    report = FileReport(f"{arrival.source}/{spooled.number}")
    try:
        events = {
            event.record: event
            for batch in read_records(arrival.data, arrival.format, report, limits)
            for event in decoder.events(batch)
        }
    except Exception:  # noqa: BLE001 -- whatever fails on them, the records themselves are kept
        _LOG.exception("a reader fails on batch %s", report.path)
        events = {}
    if any(record > lines for record in events):
        # Lines that hold several events each: nothing says which one an event is of.
        events = {}
    return report.format or arrival.format, events


def _raw(lines: list[bytes]) -> tuple[Any, Any]:
    """Return lines as texts, and as bytes where the text is not all of it."""
    import pyarrow as pa

    received = pa.array(lines, pa.binary())
    try:
        return received.cast(pa.string()), pa.nulls(len(lines), pa.binary())
    except pa.ArrowInvalid:
        texts = [line.decode(errors="replace") for line in lines]
        odd = [None if text.encode() == line else line for text, line in zip(texts, lines, strict=True)]
        return pa.array(texts, pa.string()), pa.array(odd, pa.binary())


def _texts(values: list[str]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([value.encode("utf-8", "backslashreplace").decode() for value in values], pa.string())


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(value, ensure_ascii=False, default=str)
