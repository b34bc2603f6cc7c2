"""``haidang rules list``: which rules there are, chosen as a scan chooses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._rule_options import cache_option, chosen_rules, rule_options, selected, selection_options
from haidang.cli.rules._options import chosen_format, format_option
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from haidang.i18n import Translator
    from haidang.scanning import Ruleset
    from haidang.sigma.ir import LogSource, RuleInfo

__all__ = ["COMMAND", "FORMATS"]

FORMATS = ("table", "json", "csv")
_COLUMNS = ("id", "title", "level", "status", "tags", "logsource", "path")
_WIDEST_TITLE = 60


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    rules = parser.add_argument_group(translate("Rules"))
    rule_options(rules, translate)
    selection_options(parser.add_argument_group(translate("Filters")), translate)
    output = parser.add_argument_group(translate("Outputs"))
    format_option(output, translate("table for people, json or csv for programs"), "table")
    cache_option(parser.add_argument_group(translate("Running")), translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the list.

    Raises:
        ConfigurationError: An option, a rule path or a logsource map is wrong.
    """
    form = chosen_format(args.format, FORMATS, context, "haidang rules list")
    selection = selected(args)
    ruleset = chosen_rules(args, cache=args.cache)
    sources = _logsources(ruleset)
    infos = [info for info in ruleset.infos if selection.wants(info)]
    writer = {"table": _table, "json": _json, "csv": _csv}[form]
    text = writer(infos, sources, context.translate)
    context.answer(text)
    if form == "table" and ruleset.refused:
        n = len(ruleset.refused)
        words = context.translate.ngettext("{n} rule was refused", "{n} rules were refused", n)
        context.say(words.format(n=n))
    return 0


def _logsources(ruleset: Ruleset) -> dict[str, LogSource]:
    return {rule.info.key: rule.logsource for rule in ruleset.event_rules()}


def _row(info: RuleInfo, sources: dict[str, LogSource]) -> tuple[str, ...]:
    source = sources.get(info.key)
    words = " ".join(part for part in source if part) if source is not None else "correlation"
    return info.id, info.title, info.level, info.status, " ".join(info.tags), words, info.path


def _json(infos: list[RuleInfo], sources: dict[str, LogSource], _: Translator) -> str:
    import json

    listed = []
    for info in infos:
        source = sources.get(info.key)
        listed.append(
            {
                "id": info.id,
                "name": info.name,
                "title": info.title,
                "level": info.level,
                "status": info.status,
                "tags": list(info.tags),
                "logsource": None if source is None else source._asdict(),
                "correlation": info.correlation,
                "path": info.path,
                "line": info.line,
            }
        )
    return json.dumps(listed, ensure_ascii=False, indent=1) + "\n"


def _csv(infos: list[RuleInfo], sources: dict[str, LogSource], _: Translator) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_row(info, sources) for info in infos)
    return text.getvalue()


def _table(infos: list[RuleInfo], sources: dict[str, LogSource], translate: Translator) -> str:
    return "".join(f"{line}\n" for line in _lines(infos, sources, translate))


def _lines(infos: list[RuleInfo], sources: dict[str, LogSource], translate: Translator) -> Iterator[str]:
    from haidang.findings.words import rule_title

    head = (translate("Level"), translate("Status"), translate("Rule"), translate("Log source"), "Id")
    rows = [head]
    for info in infos:
        identity, _, level, status, _, source, path = map(neutralise, _row(info, sources))
        title = neutralise(rule_title(info, translate.lang))
        source = translate("correlation") if info.correlation else source
        short = title if len(title) <= _WIDEST_TITLE else title[: _WIDEST_TITLE - 1] + "…"
        rows.append((level, status or "–", short, source, identity or path))
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
    n = len(infos)
    yield translate.ngettext("{n} rule.", "{n} rules.", n).format(n=n)


COMMAND = Command(
    name="rules list",
    summary=N_("List rules: id, title, level, status, log source."),
    usage="[OPTION]…",
    configure=configure,
    run=run,
)
