"""The account of a run in words: files read and not read, rules refused, notices, throughput.

It is a list of labelled lines, so that the summary on a terminal and the short account on standard error
say the same things in the same words. Log and rule text is made safe by
:func:`haidang.plaintext.neutralise`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from haidang.findings.details import detail
from haidang.findings.figures import duration, number, place, size
from haidang.i18n import N_, Translator
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from haidang.errors import RuleError
    from haidang.events.model import FileReport, Problem
    from haidang.findings.model import ScanSummary

__all__ = [
    "PROBLEM_WORDS",
    "Entry",
    "files_line",
    "problem_entries",
    "refused_entry",
    "rules_line",
    "speed_line",
]

PROBLEM_WORDS = {
    "truncated": N_("cut short"),
    "corrupt": N_("corrupt"),
    "unknown-format": N_("unknown format"),
    "empty": N_("empty"),
    "unreadable": N_("cannot be opened"),
    "broken-line": N_("broken lines"),
    "broken-record": N_("broken records"),
    "ragged-row": N_("rows of another length than the header"),
    "split-event": N_("events in pieces"),
    "oversized-line": N_("lines too long"),
    "too-deep": N_("nested too deep"),
    "invalid-utf8": N_("invalid UTF-8"),
    "archive-limit": N_("archive beyond the limits"),
    "encrypted": N_("encrypted"),
    "symlink-loop": N_("loop of symbolic links"),
    "duplicate": N_("the same name twice"),
    "output": N_("written by this run"),
    "ahead": N_("times later than now"),
    "crashed": N_("ended the process that read it"),
    "missing-library": N_("needs a library that is not installed"),
}
"""Kind of problem to message id; an unknown kind is shown as it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that went wrong with one file or rule."""

    name: str
    """The file, or the rule's file and line."""
    reasons: tuple[str, ...]
    lost: bool
    """Whether nothing of it could be used."""


def files_line(summary: ScanSummary, translate: Translator) -> str:
    """Return how many files were read, in whole, in part and not at all."""
    broken = [report for report in summary.files if not report.complete]
    lost = sum(1 for report in broken if not report.records)
    partly = len(broken) - lost
    read = len(summary.files) - lost
    parts = [_fill(translate.ngettext("{n} file read", "{n} files read", read), read, translate)]
    if partly:
        parts.append(_fill(translate("{n} of them in part"), partly, translate))
    if lost:
        parts.append(
            _fill(translate.ngettext("{n} file not read", "{n} files not read", lost), lost, translate)
        )
    return ", ".join(parts)


def rules_line(summary: ScanSummary, translate: Translator) -> str:
    """Return how many rules were loaded, for findings and for correlations alone, and refused."""
    loaded, feeding, refused = summary.rules, summary.feeding, len(summary.refused)
    line = _fill(translate.ngettext("{n} rule loaded", "{n} rules loaded", loaded), loaded, translate)
    if feeding:
        line += ", " + _fill(
            translate.ngettext(
                "{n} more that only feeds correlations", "{n} more that only feed correlations", feeding
            ),
            feeding,
            translate,
        )
    if refused:
        line += ", " + _fill(
            translate.ngettext("{n} rule refused", "{n} rules refused", refused), refused, translate
        )
    return line


def speed_line(summary: ScanSummary, translate: Translator) -> str:
    """Return events, bytes, time and rates."""
    lang = translate.lang
    seconds = max(summary.elapsed, 1e-9)
    message = translate.ngettext(
        "{events} event, {size} in {time}: {rate} events/s, {throughput}/s",
        "{events} events, {size} in {time}: {rate} events/s, {throughput}/s",
        summary.events,
    )
    return message.format(
        events=number(summary.events, lang),
        size=size(summary.size, lang),
        time=duration(summary.elapsed, lang),
        rate=number(summary.events / seconds, lang),
        throughput=size(summary.size / seconds, lang),
    )


def problem_entries(summary: ScanSummary, translate: Translator) -> list[Entry]:
    """Return the files of which something is to be told, those of which nothing was read first."""
    entries = [_file_entry(report, translate) for report in summary.files if report.told]
    return sorted(entries, key=lambda entry: not entry.lost)


def refused_entry(error: RuleError, translate: Translator) -> Entry:
    """Return where a refused rule is and why it was refused."""
    where = f"{error.path}:{error.line}" if error.line else error.path
    reason = detail(error.reason, translate)
    if error.rule:
        reason = f"{error.rule}: {reason}"
    return Entry(neutralise(where), (neutralise(reason),), lost=True)


def _file_entry(report: FileReport, translate: Translator) -> Entry:
    reasons = tuple(neutralise(_problem(problem, translate)) for problem in report.problems.values())
    return Entry(neutralise(report.path), reasons, lost=not report.records)


def _problem(problem: Problem, translate: Translator) -> str:
    word = PROBLEM_WORDS.get(problem.kind)
    text = translate(word) if word else problem.kind
    if problem.count > 1:
        text += f" \u00d7 {number(problem.count, translate.lang)}"
    if problem.where:
        position = place(problem.where, translate)
        first = translate("first at {place}") if problem.count > 1 else translate("at {place}")
        text += f" ({first.format(place=position)})"
    return f"{text}: {detail(problem.detail, translate)}" if problem.detail else text


def _fill(message: str, n: int, translate: Translator) -> str:
    return message.format(n=number(n, translate.lang))
