"""OTLP log records to records of the spool; see :mod:`haidang.ingest.http.otlp` for what stands where.

Fields besides attributes and body, where these have none of the name: ``@timestamp`` (the record's time,
else when it was observed), ``severity_text``, ``severity_number``, ``event.name``, ``otel.scope.name``,
``trace_id``, ``span_id``.

All input is untrusted.
"""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.ingest.http._records import JSON_FORMATS, NDJSON
from haidang.ingest.model import BrokenLines, Portion

if TYPE_CHECKING:
    from haidang.limits import Limits

__all__ = ["LogRecord", "Sorter", "text_or_base64"]

_SECOND = 1_000_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(slots=True)
class LogRecord:
    """A record, decoded; its values are those of JSON."""

    attributes: dict[str, Any]
    body: Any
    time: int
    """Nanoseconds since 1970, 0 for unknown."""
    severity_text: str
    severity_number: int
    event_name: str
    trace_id: str
    span_id: str

    def fields(self) -> dict[str, Any]:
        """Return what it says besides attributes and body, empty or not."""
        return {
            "@timestamp": _moment(self.time),
            "severity_text": self.severity_text,
            "severity_number": self.severity_number,
            "event.name": self.event_name,
            "trace_id": self.trace_id,
            "span_id": self.span_id,
        }


class Sorter:
    """Collects the records of one request: objects, lines, and what is broken."""

    def __init__(self, format_: str, limits: Limits) -> None:
        """Collect for a source of a format."""
        self._format = format_
        self._lines: list[bytes] = []
        self._objects: list[bytes] = []
        self.limits = limits
        self.broken = BrokenLines(limits)

    def add(self, resource: dict[str, Any], scope: str, record: LogRecord) -> None:
        """Take a record with the attributes of its resource and the name of its scope."""
        body = record.body
        if isinstance(body, str):
            if self._format not in JSON_FORMATS:
                self._lines.append(body.strip("\r\n").encode())
                return
            body = (_object(body) if body.startswith("{") else None) or {"message": body}
        elif not isinstance(body, dict):
            body = {} if body is None else {"body": body}
        fields = {**resource, **record.attributes, **body}
        for name, value in (*record.fields().items(), ("otel.scope.name", scope)):
            if value:
                fields.setdefault(name, value)
        self._objects.append(msgspec.json.encode(fields))

    def refuse(self, record: bytes) -> None:
        """Put a record that is nested too deeply into the quarantine."""
        detail = f"JSON nested deeper than {self.limits.json_depth} levels"
        self.broken.broken("too-deep", record, detail)

    def portions(self) -> list[Portion]:
        """Return the records."""
        found = [
            Portion(NDJSON, b"\n".join(self._objects), len(self._objects)),
            Portion(self._format, b"\n".join(self._lines), len(self._lines)),
        ]
        return [one for one in found if one.count]


def text_or_base64(data: bytes) -> str:
    """Return bytes as the text that they are, or else in base64."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def _object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is, None if it is none."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError):
        return None


def _moment(nanoseconds: int) -> str:
    """Return a time in nanoseconds since 1970 as RFC 3339, "" for none."""
    if nanoseconds <= 0:
        return ""
    seconds, rest = divmod(nanoseconds, _SECOND)
    try:
        moment = _EPOCH + dt.timedelta(seconds=seconds)
    except OverflowError:
        return ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
