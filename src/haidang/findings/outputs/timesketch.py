"""Timesketch: one JSON object a line, as its importer takes a JSONL file.

Rules:

- ``message``, ``datetime`` (ISO 8601, UTC) and ``timestamp_desc`` are what Timesketch requires; ``timestamp``
  in microseconds stands beside them. The fields of the event follow by their own names, and what the finding
  says by names that begin with ``haidang_`` or that Timesketch's own analyzers know (``tag``, ``hostname``).
- A field of the event never takes the place of one of these: it is then called ``event_NAME``. Values that
  are lists or objects are written as JSON text, because Timesketch indexes flat values.
- An event without a time cannot stand on a time line: it gets 1970-01-01 and says so in ``timestamp_desc``.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from haidang.events.times import parse_time
from haidang.findings.outputs._json import encode
from haidang.findings.reasons import reasons
from haidang.findings.words import tactics, techniques

if TYPE_CHECKING:
    from haidang.findings.model import Finding, ScanSummary

__all__ = ["OUTPUT", "TimesketchOutput", "TimesketchWriter", "timesketch_event"]

_NO_TIME = "1970-01-01T00:00:00+00:00"
_RESERVED_PREFIXES = ("haidang_", "__ts_", "_")
# Timesketch gives these a meaning or a type of their own.
_RESERVED = frozenset({
    "message", "datetime", "timestamp", "timestamp_desc", "tag", "label", "comment", "hostname", "data_type",
    "source_short", "es_index", "es_id",
})  # fmt: skip


class TimesketchWriter:
    """Writes a line for each finding."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to ``stream``."""
        self._write = stream.write

    def write(self, finding: Finding) -> None:
        """Write one finding."""
        self._write(encode(timesketch_event(finding)) + b"\n")

    def close(self, summary: ScanSummary) -> None:
        """Write nothing more: every line is an event there."""


class TimesketchOutput:
    """``--format timesketch``."""

    name = "timesketch"
    title = "Timesketch JSONL, an event for each finding"
    suffixes: tuple[str, ...] = (".timesketch.jsonl", ".timesketch.json")
    things: bool = True
    """Findings should carry the fields that name process, user, addresses and the like."""

    def open(self, stream: IO[bytes], *, lang: str) -> TimesketchWriter:  # noqa: ARG002 -- data speaks English
        """Begin an output on ``stream``."""
        return TimesketchWriter(stream)


OUTPUT = TimesketchOutput()


def timesketch_event(finding: Finding) -> dict[str, Any]:
    """Return a finding as a Timesketch event."""
    rule = finding.rule
    nanoseconds = parse_time(finding.time) if finding.time else None
    why = reasons(finding)
    where = f" on {finding.host}" if finding.host else ""
    event: dict[str, Any] = {
        "message": f"[{rule.level}] {rule.title}{where}" + (f": {why}" if why else ""),
        "datetime": _NO_TIME if nanoseconds is None else _datetime(finding.time or ""),
        "timestamp": 0 if nanoseconds is None else nanoseconds // 1000,
        "timestamp_desc": "Event time unknown" if nanoseconds is None else "Event time (Sigma finding)",
        "hostname": finding.host,
        "data_type": f"haidang:finding:{finding.origin or 'unknown'}",
        "tag": [rule.level, *tactics(rule.tags), *techniques(rule.tags)],
        "haidang_finding_id": finding.id,
        "haidang_rule": rule.title,
        "haidang_rule_id": rule.id,
        "haidang_level": rule.level,
        "haidang_source": finding.source.path,
        "haidang_record": finding.source.record,
        "haidang_count": finding.count,
    }
    if finding.members:
        event["haidang_members"] = ", ".join(finding.members)
    for name, value in (*finding.event.items(), *(finding.group or {}).items()):
        event.setdefault(_field(name), _flat(value))
    return event


def _datetime(time: str) -> str:
    return time.removesuffix("Z") + "+00:00"


def _field(name: str) -> str:
    return f"event_{name}" if name in _RESERVED or name.startswith(_RESERVED_PREFIXES) else name


def _flat(value: Any) -> Any:
    return encode(value).decode() if isinstance(value, dict | list) else value
