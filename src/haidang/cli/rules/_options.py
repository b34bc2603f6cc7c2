"""Options that several commands on rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._arguments import counting
from haidang.cli._rule_options import cache_option, reading_options
from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from haidang.cli._command import Context
    from haidang.i18n import Translator

__all__ = ["chosen_format", "format_option", "log_options", "tested_rules"]


def tested_rules(group: argparse._ArgumentGroup, translate: Translator) -> None:
    """Add rules as arguments, how they are to be read, and where further tests of them are."""
    group.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help=translate("Sigma rules: a folder, a file or a zip (default: the built-in rules)"),
    )
    group.add_argument(
        "--regression",
        metavar="FOLDER",
        action="append",
        default=[],
        help=translate("tests in the layout of SigmaHQ's regression_data (repeatable)"),
    )
    reading_options(group, translate)
    cache_option(group, translate)


def log_options(group: argparse._ArgumentGroup, translate: Translator, paths: str) -> None:
    """Add logs as arguments, and how much of them is looked at; ``paths`` says what they are for."""
    group.add_argument("paths", metavar="PATH", nargs="*", help=paths)
    group.add_argument(
        "--input-format",
        metavar="FORMAT",
        help=translate("read every file as FORMAT (see haidang formats)"),
    )
    group.add_argument(
        "--events",
        metavar="N",
        type=counting(translate),
        default=200_000,
        help=translate("look at the first N events (default: 200000)"),
    )


def format_option(group: argparse._ArgumentGroup, text: str, default: str) -> None:
    """Add ``--format``."""
    group.add_argument("--format", metavar="FORMAT", default=default, help=text)


def chosen_format(word: str, known: Sequence[str], context: Context, command: str) -> str:
    """Return the format, which must be one of ``known``; raise ConfigurationError."""
    if word in known:
        return word
    raise ConfigurationError(
        context.translate("{word} is none of: {known}").format(word=repr(word), known=", ".join(known)),
        hint=context.translate("See {command} --help.").format(command=command),
    )
