"""The options that say which rules are meant and how they are read, for every command that loads rules."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from haidang.cli._arguments import one_of
from haidang.sigma.ir import LEVELS, STATUSES

if TYPE_CHECKING:
    from haidang.i18n import Translator
    from haidang.scanning import Ruleset
    from haidang.scanning._ruleset import Selection

__all__ = [
    "cache_option",
    "chosen_rules",
    "reading_options",
    "rule_options",
    "selected",
    "selection_options",
]


def rule_options(group: argparse._ArgumentGroup, _: Translator) -> None:
    """Add the options that say which rules are meant, and how they are to be read."""
    group.add_argument(
        "--rules",
        metavar="PATH",
        action="append",
        default=[],
        help=_("Sigma rules: a folder, a file or a zip (repeatable)"),
    )
    group.add_argument(
        "--builtin",
        action=argparse.BooleanOptionalAction,
        help=_("use the built-in rules (default: only where no --rules is given)"),
    )
    reading_options(group, _)


def reading_options(group: argparse._ArgumentGroup, _: Translator) -> None:
    """Add the options that say how rules are to be read."""
    group.add_argument(
        "--pipeline",
        metavar="FILE",
        action="append",
        default=[],
        help=_("pySigma processing pipeline to apply to the rules (repeatable)"),
    )
    group.add_argument(
        "--placeholders",
        metavar="FILE",
        action="append",
        default=[],
        help=_("YAML file with the values of placeholders (repeatable)"),
    )
    group.add_argument(
        "--logsource-map",
        metavar="FILE",
        action="append",
        default=[],
        help=_("your own logsource map (repeatable)"),
    )


def cache_option(group: argparse._ArgumentGroup, _: Translator) -> None:
    """Add ``--no-cache``."""
    group.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help=_("compile the rules anew, and keep nothing of it"),
    )


def selection_options(group: argparse._ArgumentGroup, _: Translator) -> None:
    """Add the options that say which of the rules are meant."""
    group.add_argument(
        "--min-level",
        metavar="LEVEL",
        type=one_of(LEVELS, _),
        help=_("only rules of LEVEL or a higher one (informational, low, medium, high, critical)"),
    )
    group.add_argument(
        "--status",
        metavar="STATUS",
        type=one_of(STATUSES, _),
        action="append",
        default=[],
        help=_("only rules of this status (stable, test, experimental, deprecated, unsupported; repeatable)"),
    )
    group.add_argument(
        "--tag",
        metavar="TAG",
        action="append",
        default=[],
        help=_("only rules with this tag, e.g. attack.t1059 (repeatable)"),
    )
    group.add_argument(
        "--rule",
        metavar="RULE",
        action="append",
        default=[],
        help=_("only this rule: its id, its title or a pattern with * (repeatable)"),
    )
    group.add_argument(
        "--exclude-rule", metavar="RULE", action="append", default=[], help=_("not this rule (repeatable)")
    )


def selected(args: argparse.Namespace) -> Selection:
    """Return which of the rules are meant."""
    from haidang.scanning._ruleset import Selection

    return Selection(
        args.min_level, tuple(args.status), tuple(args.tag), tuple(args.rule), tuple(args.exclude_rule)
    )


def chosen_rules(
    args: argparse.Namespace, *, selection: Selection | None = None, cache: bool = True
) -> Ruleset:
    """Return the rules that the options name.

    Raises:
        ConfigurationError: A path, pipeline, placeholder file or logsource map is wrong.
    """
    from haidang.scanning import load_rules

    return load_rules(
        *args.rules,
        builtin=args.builtin,
        pipelines=args.pipeline,
        placeholders=args.placeholders,
        logsource_maps=args.logsource_map,
        selection=selection,
        cache=cache,
    )
