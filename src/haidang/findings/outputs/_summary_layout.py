"""How the terminal summary looks: the table of rules and the labelled lines under it.

The only module that knows rich; it is imported when a summary is printed. Wide terminals get a column
for each thing, narrow ones put techniques and times on a second line under the rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from haidang.findings.account import (
    Entry,
    files_line,
    problem_entries,
    refused_entry,
    rules_line,
    speed_line,
)
from haidang.findings.details import detail
from haidang.findings.figures import number, span
from haidang.findings.hosts import machines
from haidang.findings.words import LEVEL_WORDS, TACTIC_WORDS, rule_words, techniques
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from haidang.findings.model import ScanSummary
    from haidang.findings.tally import RuleTally, Tally
    from haidang.i18n import Translator

__all__ = ["account_grid", "print_findings"]

_WIDE = 120
_ROWS = 50
"""Rules shown in the table."""
_EXAMPLES = 4
"""Files and refused rules shown under the table."""
_HOSTS = 3
"""Hosts named in a row, the ones with most hits."""
_HOST_CHARS = 24

_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "bright_black",
}
_QUIET = "bright_black"


def print_findings(
    console: Console, tally: Tally, summary: ScanSummary, translate: Translator, *, paged: bool
) -> None:
    """Print the table of rules, or nothing where nothing was found; ``paged``: a page shows them all."""
    rules = tally.rules()
    if not rules:
        return
    wide = console.width >= _WIDE
    table = _table(wide=wide, translate=translate)
    for found in rules[:_ROWS]:
        title = neutralise(rule_words(found.rule, summary, translate.lang).title)
        table.add_row(*(_wide_row if wide else _narrow_row)(found, title, translate))
    console.print(table)
    if len(rules) > _ROWS:
        console.print(_left_out(rules[_ROWS:], translate, paged=paged))
        console.print()


def account_grid(
    summary: ScanSummary,
    translate: Translator,
    tally: Tally | None,
    *,
    list_refused: bool,
    paged: bool,
    width: int,
) -> Table:
    """Return the labelled lines: findings, tactics, files, rules, notices, speed."""
    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    if summary.interrupted:
        stopped = translate("You stopped the run; this is what it had found until then.")
        grid.add_row(Text(translate("Stopped"), "bold red"), stopped)
    if tally is not None:
        # The longest label is Vietnamese, "Tệp nhật ký".
        _add_findings(grid, summary, tally, translate, width=width - 14)
    # A run that was stopped early knows neither its files nor its rules; zeros would be untrue.
    if summary.files or not summary.interrupted:
        grid.add_row(translate("Files"), files_line(summary, translate))
        hint = "" if paged else translate("--output report.html lists all of them")
        _add_entries(grid, problem_entries(summary, translate), translate, limit=_EXAMPLES, hint=hint)
    if summary.rules or not summary.interrupted:
        grid.add_row(translate("Rules"), rules_line(summary, translate))
        _add_refused(grid, summary, translate, list_refused=list_refused)
    for notice in summary.notices:
        grid.add_row(Text(translate("Note"), "yellow"), Text(neutralise(detail(notice, translate))))
    grid.add_row(translate("Speed"), Text(speed_line(summary, translate), _QUIET))
    return grid


def _table(*, wide: bool, translate: Translator) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", padding=(0, 1), expand=False)
    table.add_column(" " + translate("Level"), no_wrap=True)
    table.add_column(translate("Rule"), overflow="fold")
    table.add_column(translate("Hits"), justify="right", no_wrap=True)
    if wide:
        table.add_column("ATT&CK", overflow="fold", max_width=21)
        table.add_column(translate("Hosts"), overflow="fold", max_width=36)
        table.add_column(translate("First and last (UTC)"), no_wrap=True)
    return table


def _wide_row(found: RuleTally, title: str, translate: Translator) -> tuple[Text, ...]:
    return (
        _level(found.rule.level, translate),
        Text(title, "bold"),
        Text(number(found.hits, translate.lang), "bold"),
        Text(", ".join(techniques(found.rule.tags)), _QUIET),
        Text(_hosts(found, translate)),
        Text(_when(found), _QUIET),
    )


def _narrow_row(found: RuleTally, title: str, translate: Translator) -> tuple[Text, ...]:
    rule = Text.assemble((title, "bold"))
    hosts = _hosts(found, translate)
    if hosts:
        rule.append(f"\n{hosts}")
    when = _when(found)
    rest = " · ".join(filter(None, (when and f"{when} UTC", ", ".join(techniques(found.rule.tags)))))
    if rest:
        rule.append(f"\n{rest}", _QUIET)
    return _level(found.rule.level, translate), rule, Text(number(found.hits, translate.lang), "bold")


def _level(level: str, translate: Translator) -> Text:
    return Text(f" {_level_word(level, translate)} ", _STYLES.get(level, ""))


def _level_word(level: str, translate: Translator) -> str:
    return translate(LEVEL_WORDS[level]) if level in LEVEL_WORDS else neutralise(level)


def _hosts(found: RuleTally, translate: Translator) -> str:
    hits = machines(found.hosts)
    busiest = sorted(hits, key=lambda host: (-hits[host], host))
    text = ", ".join(_short(neutralise(host)) for host in busiest[:_HOSTS])
    rest = len(busiest) - _HOSTS
    if rest > 0:
        more = f"{number(rest, translate.lang)}+" if found.more_hosts else number(rest, translate.lang)
        text += " " + translate("and {n} more").format(n=more)
    return text


def _short(host: str) -> str:
    """Return a long name by its first label: the unit's domain is in the evidence."""
    if len(host) <= _HOST_CHARS:
        return host
    label = host.partition(".")[0]
    return f"{label[: _HOST_CHARS - 1]}…"


def _when(found: RuleTally) -> str:
    return span(found.first, found.last) if found.first and found.last else ""


def _left_out(rules: Sequence[RuleTally], translate: Translator, *, paged: bool) -> Text:
    hits = sum(found.hits for found in rules)
    more = translate.ngettext(
        "… and {rules} more rule with {hits} findings",
        "… and {rules} more rules with {hits} findings",
        len(rules),
    ).format(rules=number(len(rules), translate.lang), hits=number(hits, translate.lang))
    hint = translate("--output report.html lists all of them")
    return Text(more if paged else f"{more}; {hint}", _QUIET)


def _add_findings(
    grid: Table, summary: ScanSummary, tally: Tally, translate: Translator, *, width: int
) -> None:
    lang, total = translate.lang, tally.total
    if not total:
        whole = all(report.complete for report in summary.files) and not summary.interrupted
        none = translate("None.") if whole else translate("None in what could be read.")
        grid.add_row(translate("Findings"), Text(none, "green" if whole else "yellow"))
        return
    rules = len(tally.rules())
    by = translate.ngettext("{n} rule", "{n} rules", rules).format(n=number(rules, lang))
    head = Text(translate("{n} by {rules}").format(n=number(total, lang), rules=by) + ":", "bold")
    levels = [
        Text(f"{number(count, lang)} {_level_word(level, translate).lower()}", _STYLES.get(level, ""))
        for level, count in tally.levels().items()
    ]
    grid.add_row(translate("Findings"), _flow([head, *levels], "  ", width))
    tactics = [
        Text.assemble(translate(TACTIC_WORDS[tactic]), " ", (number(count, lang), "bold"))
        for tactic, count in tally.tactics().items()
    ]
    if tactics:
        grid.add_row(translate("Tactics"), _flow(tactics, " \u203a ", width))


def _flow(pieces: Sequence[Text], separator: str, width: int) -> Text:
    """Return the pieces in lines of at most ``width``, broken between pieces only."""
    text = Text()
    column = 0
    for piece in pieces:
        needed = piece.cell_len + len(separator)
        if column and column + needed > width:
            text.append("\n")
            column = 0
        elif column:
            text.append(separator, _QUIET)
        text.append_text(piece)
        column += needed
    return text


def _add_refused(grid: Table, summary: ScanSummary, translate: Translator, *, list_refused: bool) -> None:
    refused = [refused_entry(error, translate) for error in summary.refused]
    hint = translate("--list-refused lists all of them")
    _add_entries(grid, refused, translate, limit=len(refused) if list_refused else _EXAMPLES, hint=hint)


def _add_entries(
    grid: Table, entries: Sequence[Entry], translate: Translator, *, limit: int, hint: str = ""
) -> None:
    for entry in entries[:limit]:
        # A column of its own for the mark, so that a long path does not part from it.
        lines = Table.grid(padding=(0, 1))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        lines.add_row(Text("✗", "red") if entry.lost else Text("!", "yellow"), Text(entry.name))
        for reason in entry.reasons:
            lines.add_row("", Text(reason, _QUIET))
        grid.add_row("", lines)
    rest = len(entries) - limit
    if rest > 0:
        more = translate("… and {n} more").format(n=number(rest, translate.lang))
        grid.add_row("", Text(f"{more}; {hint}" if hint else more, _QUIET))
