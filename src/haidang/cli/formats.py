"""``haidang formats``: what can be read and written, as the registries of readers and outputs say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add nothing: the command has no options of its own."""


def run(args: argparse.Namespace, context: Context) -> int:  # noqa: ARG001 -- a command's signature
    """Print the formats."""
    from haidang.events.readers import readers
    from haidang.findings.outputs import outputs

    translate = context.translate
    inputs = sorted((reader.name, reader.title) for reader in readers().values())
    formats = sorted((output.name, _titled(output.title, output.suffixes)) for output in outputs().values())
    width = max(len(name) for name, _title in (*inputs, *formats)) + 2
    lines = [
        translate("Input formats (--input-format); they are recognised by their content:"),
        *(f"  {name:<{width}}{title}" for name, title in inputs),
        "",
        translate("Output formats (--format):"),
        *(f"  {name:<{width}}{title}" for name, title in formats),
    ]
    context.answer("\n".join(lines) + "\n")
    return 0


def _titled(title: str, suffixes: tuple[str, ...]) -> str:
    return f"{title} ({', '.join(suffixes)})" if suffixes else title


COMMAND = Command(
    name="formats",
    summary=N_("List the formats that can be read and written."),
    usage="",
    configure=configure,
    run=run,
)
