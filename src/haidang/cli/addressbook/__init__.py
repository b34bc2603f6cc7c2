"""``haidang addressbook``: who is who, as an authority vouches for it; one thin module for each command.

A module whose name does not begin with an underscore and that defines ``COMMAND``, called ``addressbook`` and
its own word, is a command of the group; there is no list to edit::

    $ haidang addressbook import so.asice --root FINGERPRINT
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context, grouped_commands
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND", "addressbook_commands"]


def addressbook_commands() -> dict[str, Command]:
    """Return the commands of the group by the word that calls each."""
    return grouped_commands(__name__, __path__)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add nothing: the commands of the group have the options."""


def run(args: argparse.Namespace, context: Context) -> int:  # noqa: ARG001 -- a command's signature
    """Do nothing: a command of the group is run instead."""
    return 2


COMMAND = Command(
    name="addressbook",
    summary=N_("Publish, take and search the address book of units and people."),
    usage="COMMAND …",
    configure=configure,
    run=run,
    group=addressbook_commands,
)
