r"""NDJSON: the stable contract for machines, one object a line, UTF-8, ``kind`` first.

Rules:

- A line is a ``finding`` (``docs/reference/finding.schema.json``) or, last of all, the ``summary``
  (``docs/reference/summary.schema.json``). A stream without a summary was cut off.
- The findings of the same input and rules are the same bytes on every run, whatever the number of
  processes; only the summary tells times.
- Keys are only ever added. ``members``, ``member_sources``, ``group`` and ``count`` are there for
  correlations alone.
- Text that is not Unicode (half of a surrogate pair) is written with its escape, ``\udcff``, as text.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import msgspec

from haidang._version import __version__
from haidang.findings.outputs._json import file_record, unicode_only

if TYPE_CHECKING:
    from haidang.errors import RuleError
    from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source

__all__ = ["OUTPUT", "NdjsonOutput", "NdjsonWriter"]


class _Line(msgspec.Struct, frozen=True, tag_field="kind", tag="finding", gc=False):
    """A finding on a single event, in the order that people read it."""

    id: str
    time: str | None
    rule: msgspec.Raw
    host: str
    origin: str
    source: Any
    matched: Any
    event: dict[str, Any]


class _CorrelationLine(_Line, frozen=True, tag_field="kind", tag="finding", gc=False):
    """A finding on a group of events."""

    group: dict[str, Any] | None
    count: int
    members: tuple[str, ...]
    member_sources: Any


class _Rule(msgspec.Struct, frozen=True):
    """What the contract says of a rule; its description and file are in the rule itself."""

    id: str
    title: str
    level: str
    status: str
    tags: tuple[str, ...]
    author: str


class NdjsonWriter:
    """Writes a line for each finding, and the account of the run."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to ``stream``."""
        self._write = stream.write
        self._encode = msgspec.json.Encoder().encode
        self._rules: dict[FindingRule, msgspec.Raw] = {}

    def write(self, finding: Finding) -> None:
        """Write one finding."""
        rule = self._rules.get(finding.rule)
        if rule is None:
            rule = self._rules[finding.rule] = self._rule(finding.rule)
        line = _line(finding, rule)
        try:
            self._write(self._encode(line) + b"\n")
        except UnicodeEncodeError:
            builtins = unicode_only(msgspec.to_builtins(line, builtin_types=(msgspec.Raw,)))
            self._write(self._encode(builtins) + b"\n")

    def close(self, summary: ScanSummary) -> None:
        """Write the account of the run."""
        self._write(self._encode(unicode_only(_account(summary))) + b"\n")

    def _rule(self, rule: FindingRule) -> msgspec.Raw:
        parts = _Rule(rule.id, rule.title, rule.level, rule.status, rule.tags, rule.author)
        return msgspec.Raw(self._encode(unicode_only(msgspec.to_builtins(parts))))


class NdjsonOutput:
    """``--format ndjson``."""

    name = "ndjson"
    title = "NDJSON, one object a line: the stable contract for machines"
    suffixes: tuple[str, ...] = (".ndjson", ".jsonl", ".json")

    def open(self, stream: IO[bytes], *, lang: str) -> NdjsonWriter:  # noqa: ARG002 -- data speaks English
        """Begin an output on ``stream``."""
        return NdjsonWriter(stream)


OUTPUT = NdjsonOutput()


def _line(finding: Finding, rule: msgspec.Raw) -> _Line:
    source: Source = finding.source
    matched: tuple[Match, ...] = finding.matched
    start = (finding.id, finding.time, rule, finding.host, finding.origin, source, matched, finding.event)
    if finding.origin != "correlation" and not finding.members:
        return _Line(*start)
    return _CorrelationLine(*start, finding.group, finding.count, finding.members, finding.member_sources)


def _account(summary: ScanSummary) -> dict[str, Any]:
    incomplete = [file_record(report) for report in summary.files if not report.complete]
    return {
        "kind": "summary",
        "version": __version__,
        "complete": not (incomplete or summary.interrupted),
        "interrupted": summary.interrupted,
        "findings": summary.findings,
        "rules": {
            "loaded": summary.rules,
            "feeding": summary.feeding,
            "refused": [_refused(error) for error in summary.refused],
        },
        "events": summary.events,
        "bytes": summary.size,
        "files": {"total": len(summary.files), "incomplete": incomplete},
        "notices": summary.notices,
        "seconds": round(summary.elapsed, 3),
        "cpu_seconds": round(summary.cpu, 3),
        "processes": summary.processes,
    }


def _refused(error: RuleError) -> dict[str, Any]:
    return {"rule": error.rule, "path": error.path, "line": error.line, "reason": error.reason}
