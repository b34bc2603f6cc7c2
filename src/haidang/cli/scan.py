"""``haidang scan PATH…``: from logs to findings.

Options become the engine's options (:mod:`haidang.cli._scan_options`), findings go to the outputs
(:mod:`haidang.cli._destinations`), and the account of the run becomes words and an exit code.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from haidang.cli._command import Command, Context
from haidang.cli._destinations import STDOUT, Destination, OpenDestination, pair
from haidang.cli._progress import Progress
from haidang.cli._scan_options import configure, scan_options
from haidang.cli._stopping import heeding_termination
from haidang.cli._syslog_stream import is_syslog
from haidang.findings.model import Finding, ScanSummary
from haidang.findings.outputs.html import OUTPUT as PAGE
from haidang.findings.outputs.terminal import OUTPUT as SUMMARY
from haidang.findings.outputs.terminal import SummaryWriter, print_account
from haidang.findings.words import level_rank
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from haidang.scanning import ScanOptions

__all__ = ["COMMAND"]

DONE = 0
FINDINGS = 1
INCOMPLETE = 3
INTERRUPTED = 130


def run(args: argparse.Namespace, context: Context) -> int:
    """Scan; return the exit code.

    Raises:
        HaidangError: The options, the rules or an output are wrong.
    """
    destinations = pair(args.outputs)
    if not args.quiet and all(destination.path != STDOUT for destination in destinations):
        destinations = (*destinations, Destination(SUMMARY, STDOUT))
    files = tuple(each.path for each in destinations if each.path != STDOUT and not is_syslog(each.path))
    options = replace(scan_options(args, context), outputs=files)
    options = replace(options, trails=_needed("trails", destinations), things=_needed("things", destinations))
    opened: list[OpenDestination] = []
    try:
        lang = context.translate.lang
        # Each is in the list as soon as it is open, so that all are abandoned where a later one fails.
        with _collecting_seldom(), heeding_termination():
            opened.extend(OpenDestination(each, context.stdout, lang=lang) for each in destinations)
            return _Scan(args, context, options, opened).run()
    except BaseException:
        for output in opened:
            output.abandon()
        raise


def _needed(what: str, destinations: Iterable[Destination]) -> bool:
    """Return whether a format says that it needs more of a run than what the rules looked at."""
    return any(getattr(destination.format, what, False) for destination in destinations)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Let the cyclic garbage collector run seldom: rules are millions of objects, none of them garbage.

    It still runs, so that memory stays flat. The library never touches the collector of its caller.
    """
    import gc

    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    yield
    # Nor need it look through all of them on the way out.
    gc.freeze()


class _Scan:
    """One run, from the first finding to the exit code."""

    def __init__(
        self, args: argparse.Namespace, context: Context, options: ScanOptions, opened: list[OpenDestination]
    ) -> None:
        self._args = args
        self._context = context
        self._options = options
        self._opened = opened
        self._summary = ScanSummary(interrupted=True)
        self._levels: set[str] = set()
        self._progress = self._start_progress()

    def run(self) -> int:
        from haidang.scanning import run as run_scan

        begin = time.monotonic()
        try:
            self._summary = run_scan(self._options, self._taker(), self._on_progress, wants_rules=True)
        except KeyboardInterrupt:
            # Stopped before the engine began; later it ends by itself and gives its account.
            self._summary.elapsed = time.monotonic() - begin
        finally:
            if self._progress is not None:
                self._progress.clear()
        self._finish_outputs()
        self._give_account()
        return self._exit_code()

    def _start_progress(self) -> Progress | None:
        stderr = self._context.stderr
        if self._args.quiet or not stderr.isatty() or self._context.environ.get("TERM") == "dumb":
            return None
        streaming = any(
            o.destination.path == STDOUT and o.destination.format.name != SUMMARY.name for o in self._opened
        )
        if streaming and self._context.stdout.isatty():
            # Findings that scroll by would tear the line.
            return None
        return Progress(
            stderr,
            self._context.translate,
            clock=time.monotonic,
            columns=lambda: shutil.get_terminal_size().columns,
            colour=not self._context.environ.get("NO_COLOR"),
        )

    def _taker(self) -> Callable[[Finding], None]:
        """Return what takes each finding."""
        writes = [output.write for output in self._opened]
        levels = self._levels

        def take(finding: Finding) -> None:
            levels.add(finding.rule.level)
            for write in writes:
                write(finding)

        return take

    def _on_progress(self, done: int, total: int, events: int, findings: int) -> None:
        if self._progress is not None:
            self._progress.update(done, total, events, findings)

    def _finish_outputs(self) -> None:
        translate = self._context.translate
        for output in self._opened:
            if isinstance(output.writer, SummaryWriter):
                output.writer.list_refused = self._args.list_refused
                output.writer.paged = self._paged()
            partial = output.finish(self._summary)
            if partial is not None:
                self._context.say(translate("What was found until then is in {path}.").format(path=partial))

    def _paged(self) -> bool:
        return any(output.destination.format.name == PAGE.name for output in self._opened)

    def _give_account(self) -> None:
        """Say on standard error what the outputs do not say to people."""
        told = any(output.destination.format.name == SUMMARY.name for output in self._opened)
        if told or (self._args.quiet and not self._args.list_refused):
            return
        stderr = self._context.stderr
        stderr.flush()
        print_account(
            stderr.buffer,
            self._summary,
            self._context.translate,
            list_refused=self._args.list_refused,
            paged=self._paged(),
        )

    def _exit_code(self) -> int:
        summary = self._summary
        if summary.interrupted:
            return INTERRUPTED
        fail_on = self._args.fail_on
        if fail_on and any(level_rank(level) <= level_rank(fail_on) for level in self._levels):
            return FINDINGS
        return DONE if all(report.complete for report in summary.files) else INCOMPLETE


COMMAND = Command(
    name="scan", summary=N_("Find attacks in logs."), usage="[OPTION]… PATH…", configure=configure, run=run
)
