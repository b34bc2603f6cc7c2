"""A finding: one rule (or correlation) that one event (or group) satisfies.

Findings are msgspec structs because a scan makes many; they are immutable and encode to the NDJSON
contract of ``docs/reference/finding.schema.json`` as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.findings.trails import About  # noqa: TC001 - msgspec looks it up when it decodes

if TYPE_CHECKING:
    from haidang.errors import RuleError
    from haidang.events.model import FileReport
    from haidang.findings.gathering import Trails
    from haidang.sigma.ir import RuleWords

__all__ = ["Finding", "FindingRule", "Match", "MemberSource", "NamedRule", "ScanSummary", "Source"]


class FindingRule(msgspec.Struct, frozen=True, omit_defaults=False):
    """The rule that was satisfied."""

    id: str
    title: str
    level: str
    status: str
    tags: tuple[str, ...]
    author: str = ""
    """Who wrote the rule; licences of public rules ask that findings name them."""
    description: str = ""
    path: str = ""
    """File of the rule; in the pages, not in the contract's required part."""


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field that the rule looked at and that held: ``field`` "" means a keyword anywhere."""

    field: str
    value: Any
    test: str
    """The test in words of Sigma, e.g. ``endswith '\\\\mimikatz.exe'``."""
    indicator: str = ""
    """For an indicator: the id that its source gave it, e.g. ``indicator--…``."""


class Source(msgspec.Struct, frozen=True):
    """Where the event is: path (``outer.zip!inner``) and record (line, row or event record id)."""

    path: str
    record: int


class NamedRule(msgspec.Struct, frozen=True):
    """A rule by its names: one that only feeds correlations has no finding that tells more of it."""

    id: str
    title: str


class MemberSource(Source, frozen=True):
    """Where an event is that a correlation joins, when it happened and which rule holds for it."""

    time: str
    """Event time, RFC 3339 UTC with a Z."""
    rule: NamedRule


class Finding(msgspec.Struct, frozen=True):
    """One rule on one event, or one correlation on one group of events."""

    id: str
    """Stable: 32 hex digits of a hash over rule, source content position and event."""
    rule: FindingRule
    time: str | None
    """Event time, RFC 3339 UTC with a Z, or None where the event has none."""
    host: str
    """Host that the event speaks of, "" where unknown."""
    source: Source
    event: dict[str, Any]
    """The fields that the rule looked at, or all of them."""
    matched: tuple[Match, ...]
    origin: str = ""
    """Family of logs: windows, auditd, zeek …; "correlation" for correlations."""
    members: tuple[str, ...] = ()
    """For a correlation: ids of the findings that it joins."""
    group: dict[str, Any] | None = None
    """For a correlation: the group-by fields and their values."""
    count: int = 1
    """For a correlation: how many events it joins."""
    member_sources: tuple[MemberSource, ...] = ()
    """For a correlation: the events that it joins, in the order of ``members``."""
    about: About | None = None
    """Who acted, in which process, and whence, where the run was asked for it; not in the contract."""


@dataclass(slots=True)
class ScanSummary:
    """The account of a whole run; outputs show it when they close."""

    files: list[FileReport] = field(default_factory=list)
    refused: list[RuleError] = field(default_factory=list)
    """Rules that could not be supported."""
    notices: list[str] = field(default_factory=list)
    """Plain sentences: regexes that hit their time limit, dropped correlation state …"""
    rules: int = 0
    """Rules loaded (after filters)."""
    feeding: int = 0
    """Rules loaded besides, of which nothing is reported: their hits only feed correlations."""
    events: int = 0
    size: int = 0
    """Bytes of log read, after decompression."""
    findings: int = 0
    elapsed: float = 0.0
    """Seconds of wall time."""
    cpu: float = 0.0
    """Seconds of processor time over all processes."""
    processes: int = 1
    words: dict[str, tuple[RuleWords, ...]] = field(default_factory=dict)
    """Rule (its id, or its title where it has none) to what it says in the languages of its readers."""
    interrupted: bool = False
    """Whether the user stopped the run; what is said here is then of the part before that."""
    trails: Trails | None = None
    """Process starts and moves between hosts, where the run was asked for them."""
