"""Matching logs as they arrive: a piece at a time, with the same rules, evidence and ids as a scan's.

Example::

    live = LiveMatcher(load_rules())
    piece = live.match(data, "winlogbeat", first=1)
    for finding in piece.findings: ...

A piece is whole records of one format. Correlations look back over pieces: what they need of earlier events
is kept here, within the ruleset's limits, and is lost with the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.detect.batches import BatchMatcher
from haidang.events.model import FileReport
from haidang.scanning._correlating import correlated_finding, named_rules
from haidang.scanning._evidence import EvidenceMaker, to_finding
from haidang.scanning._wanted import wanted_of_events
from haidang.scanning.decoding import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.detect.correlation import Correlated
    from haidang.findings.model import Finding
    from haidang.scanning._ruleset import Ruleset

__all__ = ["TOLERANCE_NS", "LiveMatcher", "Member", "Piece"]

TOLERANCE_NS = 60 * 1_000_000_000
"""Nanoseconds that events may come behind others and still be in order to correlations."""


class Piece(NamedTuple):
    """What was found in some records."""

    report: FileReport
    """Their account: format, records, and the lines that could not be read."""
    findings: list[Finding]
    """Of rules that are reported, in the order of the records; then those of correlations."""
    members: list[Member]
    """What correlations were fed with, to be fed again after a restart."""


class Member(NamedTuple):
    """A hit that correlations look back at."""

    rule: str
    time: int
    """Nanoseconds since 1970."""
    values: dict[str, Any]
    finding: tuple[str, str, str, int]
    """Its id, host, path and record."""


class LiveMatcher:
    """Matches pieces one after another."""

    def __init__(self, ruleset: Ruleset, *, full_event: bool = False) -> None:
        """Prepare; rules are compiled as events of their kind come."""
        wanted = None if full_event else wanted_of_events(ruleset)
        self._ruleset = ruleset
        self._matcher = BatchMatcher(ruleset.matcher, ruleset.limits, wanted)
        self._maker = EvidenceMaker(ruleset, full_event=full_event)
        self._correlating = _correlating(ruleset)
        self._position = 0

    def match(
        self,
        data: bytes,
        input_format: str = "",
        *,
        path: str = "",
        first: int = 1,
        report: FileReport | None = None,
    ) -> Piece:
        """Return what is found in whole records.

        Args:
            data: The records as they came, one behind another.
            input_format: A reader's name; "" has them recognised.
            path: Where they came from, as findings name it; with the record it makes a finding's id.
            first: Number of the first record.
            report: The account to write, by default a new one.
        """
        report = FileReport(path) if report is None else report
        findings: list[Finding] = []
        members: list[Member] = []
        reported = self._ruleset.reported
        for batch in read_records(data, input_format, report, self._ruleset.limits):
            for hit in self._matcher.match(batch):
                for evidence in self._maker.of_hit(hit):
                    finding = to_finding(self._ruleset, evidence, path, before=first - 1)
                    key = self._ruleset.infos[evidence.rule].key
                    if evidence.values is not None and evidence.time is not None:
                        place = (finding.id, finding.host, path, finding.source.record)
                        members.append(Member(key, evidence.time, evidence.values, place))
                    if key in reported:
                        findings.append(finding)
        return Piece(report, [*findings, *self.feed(members)], members)

    def feed(self, members: Iterable[Member]) -> Iterator[Finding]:
        """Yield what correlations make of hits; after a restart, of those that were fed before it."""
        if self._correlating is None:
            return
        for member in sorted(members, key=lambda one: one.time):
            self._position += 1
            yield from self._correlating.feed(member, self._position)

    def advance(self, time: int) -> Iterator[Finding]:
        """Yield what correlations know now that ``time`` (nanoseconds since 1970) has passed."""
        if self._correlating is not None:
            yield from self._correlating.advance(time)

    def finish(self) -> Iterator[Finding]:
        """Yield what correlations know when nothing more comes."""
        if self._correlating is not None:
            yield from self._correlating.finish()

    def ongoing(self) -> Iterator[Finding]:
        """Yield what correlations hold true by now and did not say so before.

        The finding comes again, with the same id and in whole, when nothing more can join it.
        """
        if self._correlating is not None:
            yield from self._correlating.ongoing()

    @property
    def looks_back(self) -> int:
        """Nanoseconds of event time that correlations look back from the newest hit."""
        spans = [rule.timespan_ns for rule in self._ruleset.correlations]
        return sum(spans) + TOLERANCE_NS if spans else 0


class _Live:
    """Correlations over hits as they come."""

    def __init__(self, ruleset: Ruleset) -> None:
        from haidang.detect.correlation import Correlator

        self._ruleset = ruleset
        self._correlator = Correlator(ruleset.correlations, ruleset.limits, tolerance_ns=TOLERANCE_NS)
        self._rules = named_rules(ruleset)
        self._told: dict[int, Correlated] = {}

    def feed(self, member: Member, position: int) -> Iterator[Finding]:
        from haidang.detect.correlation import Hit

        hit = Hit(member.rule, member.time, position, member.values, member.finding)
        yield from self._findings(self._correlator.feed(hit))

    def advance(self, time: int) -> Iterator[Finding]:
        yield from self._findings(self._correlator.advance(time))

    def finish(self) -> Iterator[Finding]:
        yield from self._findings(self._correlator.finish())

    def ongoing(self) -> Iterator[Finding]:
        # The objects are kept, so that no other one takes their identity.
        pending = {id(one): one for one in self._correlator.pending()}
        before, self._told = self._told, pending
        yield from self._findings(one for key, one in pending.items() if key not in before)

    def _findings(self, found: Iterable[Correlated]) -> Iterator[Finding]:
        for item in found:
            if item.rule.info.key in self._ruleset.reported:
                yield correlated_finding(item, self._rules)


def _correlating(ruleset: Ruleset) -> _Live | None:
    return _Live(ruleset) if ruleset.correlations else None
