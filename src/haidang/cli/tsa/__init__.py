"""``haidang tsa``: a time stamping authority of one's own; one thin module for each command.

A module whose name does not begin with an underscore and that defines ``COMMAND``, called ``tsa`` and its
own word, is a command of the group; there is no list to edit::

    $ haidang tsa serve --as tsa
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context, grouped_commands
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND", "tsa_commands"]


def tsa_commands() -> dict[str, Command]:
    """Return the commands of the group by the word that calls each."""
    return grouped_commands(__name__, __path__)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add nothing: the commands of the group have the options."""


def run(args: argparse.Namespace, context: Context) -> int:  # noqa: ARG001 -- a command's signature
    """Do nothing: a command of the group is run instead."""
    return 2


COMMAND = Command(
    name="tsa",
    summary=N_("Run a time stamping authority."),
    usage="COMMAND …",
    configure=configure,
    run=run,
    group=tsa_commands,
)
