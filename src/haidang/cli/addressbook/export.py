"""``haidang addressbook export``: hands the address book on as the one signed file that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, home_of, present
from haidang.cli.addressbook._wording import no_book, say_head
from haidang.cli.pki._options import said
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_LARGEST = 64 << 20


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument("file", metavar="FILE", help=_("where it is written"))
    add_home(parser, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Write it.

    Raises:
        KeyAccessError: There is none.
        OutputError: The file is there already, or cannot be written.
    """
    from haidang.crypto.addressbook import open_checked
    from haidang.crypto.files import read_bounded, write_whole

    home = home_of(args, context)
    checked = open_checked(home)
    if checked is None or checked.book is None:
        raise no_book(home.path)
    write_whole(Path(args.file), read_bounded(home.address_book, _LARGEST), replace=False)
    say_head(checked.book, present(context), context, checked.proof)
    said(
        N_("It is in {file}. Others take it with: haidang addressbook import {file}"), context, file=args.file
    )
    return 0


COMMAND = Command(
    name="addressbook export",
    summary=N_("Hand the address book on as one file."),
    usage="FILE [--home DIR]",
    configure=configure,
    run=run,
)
