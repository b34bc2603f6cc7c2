"""``haidang rules coverage``: which rules can fire on what is read, by which formats, why others cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._rule_options import cache_option, chosen_rules, rule_options
from haidang.cli.rules._options import chosen_format, log_options
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.events.model import FileReport
    from haidang.i18n import Translator
    from haidang.scanning import Ruleset
    from haidang.scanning.coverage import Coverage
    from haidang.workshop.sighting import Sighting

__all__ = ["COMMAND", "FORMATS"]

FORMATS = ("table", "json", "navigator")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    paths = translate("logs of yours, to say which log sources are seen in them")
    log_options(parser.add_argument_group(translate("Inputs")), translate, paths)
    rule_options(parser.add_argument_group(translate("Rules")), translate)
    output = parser.add_argument_group(translate("Outputs"))
    output.add_argument(
        "--format",
        metavar="FORMAT",
        default="table",
        help=translate("table for people, json for programs, navigator for a layer of the ATT&CK Navigator"),
    )
    output.add_argument(
        "--list-missing", action="store_true", help=translate("name every rule that cannot fire")
    )
    cache_option(parser.add_argument_group(translate("Running")), translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the coverage to standard output; 3 where some of the logs could not be read.

    Raises:
        ConfigurationError: An option, a rule path or a logsource map is wrong.
        InputError: A log does not exist.
    """
    form = chosen_format(args.format, FORMATS, context, "haidang rules coverage")
    from haidang.scanning.coverage import coverage

    rules = chosen_rules(args, cache=args.cache)
    found = coverage(rules)
    reports: list[FileReport] = []
    seen = _seen(args, found, rules, reports) if args.paths else None
    for report in reports:
        for problem in report.problems.values():
            context.say(neutralise(f"{report.path}: {problem.kind} ({problem.where}): {problem.detail}"))
    context.answer(_written(form, args, found, seen, context.translate))
    return 0 if all(report.complete for report in reports) else 3


def _seen(args: argparse.Namespace, found: Coverage, rules: Ruleset, reports: list[FileReport]) -> Sighting:
    """Return which of the log sources that rules need are in the logs."""
    from itertools import islice

    from haidang.detect.coverage import BY_NAME
    from haidang.detect.origins import Recogniser
    from haidang.workshop.reading import read_events
    from haidang.workshop.sighting import sighting

    recognise = Recogniser((m.origin, names) for m in rules.maps for names in m.recognise).origin
    events = read_events(args.paths, recognise, input_format=args.input_format, reports=reports)
    # Events of which nothing tells what they are may be looked at by name; that shows no log source.
    needed = {one.logsource: one.routes.keys() - {BY_NAME} for one in found.by_logsource()}
    return sighting(islice(events, args.events), needed, rules.maps)


def _written(
    form: str, args: argparse.Namespace, found: Coverage, seen: Sighting | None, translate: Translator
) -> str:
    import json

    if form == "table":
        from haidang.cli.rules._coverage_table import table

        return table(found, seen, translate, list_missing=args.list_missing)
    if form == "json":
        from haidang.cli.rules._coverage_json import as_json

        document = as_json(found, seen)
    else:
        from haidang.cli.rules._navigator_layer import layer

        document = layer(found, seen)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


COMMAND = Command(
    name="rules coverage",
    summary=N_("Say which rules can fire, and why the others cannot."),
    usage="[OPTION]… [PATH]…",
    configure=configure,
    run=run,
)
