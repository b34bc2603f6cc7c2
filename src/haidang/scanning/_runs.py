"""A run: inputs to workers, evidence back in order, correlations at the end, and the account of it all.

Output order: files in the order in which they were named and found, events in the order of the file,
rules of an event in the order of the ruleset, correlations last by time. It is the same for any number
of processes.
"""

from __future__ import annotations

import time as clock
from contextlib import closing
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError, RuleErrors
from haidang.findings.gathering import Trails
from haidang.findings.model import Finding, ScanSummary
from haidang.scanning._evidence import to_finding
from haidang.scanning._options import ScanOptions
from haidang.scanning._parallel import cpu_seconds, work
from haidang.scanning._ruleset import INTEL, Ruleset, Selection, load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from haidang.events.model import FileReport
    from haidang.scanning._correlating import Correlating
    from haidang.scanning._worker import FileEvidence

__all__ = ["run", "scan"]


def run(
    options: ScanOptions,
    on_finding: Callable[[Finding], None],
    on_progress: Callable[[int, int, int, int], None] = lambda *_: None,
    *,
    wants_rules: bool = False,
) -> ScanSummary:
    """Scan; give each finding to ``on_finding`` in order, and return the account.

    ``on_progress`` gets bytes done, bytes in all (0 where unknown), events and findings so far.

    Raises:
        ConfigurationError: The rules, pipelines, maps or placeholders are wrong; or ``wants_rules``, and
            there is none to be reported, nor an indicator, so that "nothing found" would say nothing.
        RuleErrors: A rule was refused, and ``options.strict`` does not allow that.
        InputError: A path does not exist.
    """
    ruleset = load_rules(
        *options.rules,
        builtin=options.builtin,
        pipelines=options.pipelines,
        placeholders=options.placeholders,
        logsource_maps=options.logsource_maps,
        selection=Selection(
            options.min_level, options.statuses, options.tags, options.include, options.exclude
        ),
        cache=options.cache,
        intel=options.intel,
        limits=options.limits,
    )
    if options.strict and ruleset.refused:
        raise RuleErrors(ruleset.refused)
    if wants_rules and not ruleset.reported and not ruleset.refused:
        raise ConfigurationError(
            "there is no rule to look for",
            hint="Check --rules, and the filters: --rule, --tag, --min-level …",
        )
    return _Run(options, ruleset, on_finding, on_progress).run()


def scan(
    *paths: str | Path,
    rules: Ruleset | None = None,
    processes: int = 1,
    full_event: bool = False,
    input_format: str | None = None,
    summary: ScanSummary | None = None,
) -> Iterator[Finding]:
    """Yield the findings in files, folders and archives, in order.

    Args:
        paths: What to scan.
        rules: From :func:`load_rules`; by default the built-in pack.
        processes: How many processes share the work.
        full_event: Whether findings carry all fields of their event.
        input_format: A reader's name, to be used instead of recognition.
        summary: Filled in while scanning: files, what could not be read, counts.

    Raises:
        InputError: A path does not exist.
    """
    ruleset = rules if rules is not None else load_rules()
    options = ScanOptions(
        tuple(map(str, paths)),
        processes=processes,
        full_event=full_event,
        input_format=input_format,
        limits=ruleset.limits,
    )
    run = _Run(options, ruleset, lambda _: None, lambda *_: None)
    if summary is not None:
        run.summary = summary
    return run.findings()


class _Run:
    """The state of one run."""

    def __init__(
        self,
        options: ScanOptions,
        ruleset: Ruleset,
        on_finding: Callable[[Finding], None],
        on_progress: Callable[[int, int, int, int], None],
    ) -> None:
        self._options = options
        self._ruleset = ruleset
        self._on_finding = on_finding
        self._on_progress = on_progress
        self.summary = ScanSummary()
        self._correlating = _correlating(ruleset)

    def run(self) -> ScanSummary:
        begin, cpu = clock.monotonic(), cpu_seconds()
        try:
            with closing(self.findings()) as findings:
                for finding in findings:
                    self._on_finding(finding)
        except KeyboardInterrupt:
            # What was found is handed out already; the account says how far it came.
            self.summary.interrupted = True
        self.summary.elapsed = clock.monotonic() - begin
        self.summary.cpu = cpu_seconds() - cpu
        return self.summary

    def findings(self) -> Generator[Finding, None, None]:
        begin, cpu = clock.monotonic(), cpu_seconds()
        summary = self.summary
        summary.rules = sum(not key.startswith(INTEL) for key in self._ruleset.reported)
        only_fed = self._ruleset.correlated - self._ruleset.reported
        summary.feeding = sum(not key.startswith(INTEL) for key in only_fed)
        summary.refused = list(self._ruleset.refused)
        told = self._ruleset.reported | only_fed
        summary.words = {
            info.id or info.title: info.words
            for info in self._ruleset.infos
            if info.words and info.key in told
        }
        if self._ruleset.watched is not None:
            summary.notices += self._ruleset.watched.notices()
        if self._options.trails:
            summary.trails = Trails(self._options.limits)
        for part in work(self._options, self._ruleset, self._progress, summary):
            yield from self._of_part(part.file, part.before)
        if self._correlating is not None:
            for _, finding in self._correlating.finish():
                summary.findings += 1
                yield finding
            summary.notices += self._correlating.notices
        summary.elapsed = clock.monotonic() - begin
        summary.cpu = cpu_seconds() - cpu

    def _of_part(self, file: FileEvidence, before: int) -> Iterator[Finding]:
        ruleset, correlating = self._ruleset, self._correlating
        if self.summary.trails is not None and file.trails is not None:
            self.summary.trails.merge(file.trails)
        for evidence in file.evidence:
            finding = to_finding(ruleset, evidence, file.report.path, before=before)
            key = ruleset.infos[evidence.rule].key
            if correlating is not None and evidence.values is not None:
                correlating.add(
                    key,
                    evidence.time,
                    self._event_position(file.report, evidence.record),
                    evidence.values,
                    finding,
                )
            if key in ruleset.reported:
                self.summary.findings += 1
                yield finding

    def _event_position(self, report: FileReport, record: int) -> int:
        """Return the event's place in the run: hits of one event share it."""
        if report is not self._last_report or record != self._last_record:
            self._last_report, self._last_record = report, record
            self._events += 1
        return self._events

    _last_report: FileReport | None = None
    _last_record = 0
    _events = 0

    def _progress(self, done: int, total: int, events: int) -> None:
        self._on_progress(done, total, events, self.summary.findings)


def _correlating(ruleset: Ruleset) -> Correlating | None:
    if not ruleset.correlations:
        return None
    from haidang.scanning._correlating import Correlating

    return Correlating(ruleset)
