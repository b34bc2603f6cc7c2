"""What one process does: read one input, match its events, make evidence.

A worker holds a ruleset and memos; inputs come one after another. What it yields is in the order of the
input, so that the order of a scan's findings does not depend on how many workers there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.batches import BatchMatcher
from haidang.detect.regexes import timeouts
from haidang.detect.values import cuts
from haidang.errors import HaidangError
from haidang.scanning._evidence import Evidence, EvidenceMaker
from haidang.scanning._trails import TrailReader
from haidang.scanning._wanted import wanted_of_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.events.model import FileReport
    from haidang.events.streams import Input
    from haidang.findings.gathering import Trails
    from haidang.scanning._options import ScanOptions
    from haidang.scanning._ruleset import Ruleset

__all__ = ["FileEvidence", "Worker"]


class FileEvidence(NamedTuple):
    """One batch's evidence; ``last`` says that the file is read to its end and the report is complete."""

    report: FileReport
    evidence: list[Evidence]
    last: bool
    trails: Trails | None = None
    """With the last of a file: what its events tell of process starts and moves, where it was asked for."""


class Worker:
    """Scans inputs with one ruleset."""

    def __init__(self, ruleset: Ruleset, options: ScanOptions) -> None:
        """Prepare; rules are compiled as events of their kind come."""
        self._options = options
        # Trails and things are read from whole events.
        whole = options.full_event or options.trails or options.things
        wanted = None if whole else wanted_of_events(ruleset)
        self._matcher = BatchMatcher(ruleset.matcher, options.limits, wanted)
        self._trails = TrailReader(options, ruleset.maps) if options.trails else None
        self._maker = EvidenceMaker(
            ruleset,
            full_event=options.full_event,
            things=options.things,
            since=options.since,
            until=options.until,
            trails=self._trails,
        )

    def scan(self, item: Input, on_batch: Callable[[int, int], None]) -> Iterator[FileEvidence]:
        """Yield the evidence in ``item``; ``on_batch`` gets bytes and events as they are read."""
        from haidang.events.streams import open_input

        options, trails = self._options, self._trails
        opened = open_input(
            item, limits=options.limits, password=options.password, input_format=options.input_format
        )
        for report, batches in opened:
            size = records = 0
            if trails is not None:
                trails.begin()
            try:
                for batch in batches:
                    found = [
                        evidence for hit in self._matcher.match(batch) for evidence in self._maker.of_hit(hit)
                    ]
                    on_batch(report.size - size, report.records - records)
                    size, records = report.size, report.records
                    if trails is not None:
                        trails.read(batch)
                    if found:
                        yield FileEvidence(report, found, last=False)
            except HaidangError as error:
                report.note("unreadable", f"record {report.records + 1}", error.message)
            on_batch(report.size - size, report.records - records)
            yield FileEvidence(report, [], last=True, trails=None if trails is None else trails.trails)


def matching_notices() -> list[str]:
    """Return one sentence for each thing that rules did not look at in this process, and forget it."""
    notices: list[str] = []
    for pattern, count in sorted(timeouts.items()):
        notices.append(
            f"The regular expression {pattern!r} took too long, or was given up after it had, on {count} "
            "values; it was taken as not matching there."
        )
    if cuts["values"]:
        notices.append(
            f"{cuts['values']} values were longer than rules look at; their beginnings were looked at."
        )
    timeouts.clear()
    cuts.clear()
    return notices
