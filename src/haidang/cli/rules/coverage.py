"""``haidang rules coverage``: which rules can fire on what is read, by which formats, why others cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._scan_options import rule_options
from haidang.errors import ConfigurationError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND", "FORMATS"]

FORMATS = ("table", "json", "navigator")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
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
    parser.add_argument_group(translate("Running")).add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help=translate("compile the rules anew, and keep nothing of it"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the coverage to standard output.

    Raises:
        ConfigurationError: An option, a rule path or a logsource map is wrong.
    """
    if args.format not in FORMATS:
        raise ConfigurationError(
            context.translate("{word} is none of: {known}").format(
                word=repr(args.format), known=", ".join(FORMATS)
            ),
            hint=context.translate("See {command} --help.").format(command="haidang rules coverage"),
        )
    from haidang.scanning import load_rules
    from haidang.scanning.coverage import coverage

    rules = load_rules(
        *args.rules,
        builtin=args.builtin,
        pipelines=args.pipeline,
        placeholders=args.placeholders,
        logsource_maps=args.logsource_map,
        cache=args.cache,
    )
    found = coverage(rules)
    context.answer(_written(args, found, context.translate))
    return 0


def _written(args: argparse.Namespace, found: Any, translate: Translator) -> str:
    import json

    if args.format == "table":
        from haidang.cli.rules._coverage_table import table

        return table(found, translate, list_missing=args.list_missing)
    if args.format == "json":
        from haidang.cli.rules._coverage_json import as_json

        document = as_json(found)
    else:
        from haidang.cli.rules._navigator_layer import layer

        document = layer(found)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


COMMAND = Command(
    name="rules coverage",
    summary=N_("Say which rules can fire, and why the others cannot."),
    usage="[OPTION]…",
    configure=configure,
    run=run,
)
