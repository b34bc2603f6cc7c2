"""``haidang addressbook publish``: writes an authority's address book, signed by the authority."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import (
    add_authorities,
    add_home,
    add_passphrase,
    present,
    timestamper_of,
)
from haidang.cli.addressbook._wording import say_head
from haidang.cli.pki._options import add_authority, authority_of, said, unlocked
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_authority(parser, translate)
    output = parser.add_argument_group(_("Outputs"))
    output.add_argument(
        "--output", metavar="FILE", help=_("where it is written (default: AUTHORITY-addressbook.asice)")
    )
    add_passphrase(parser.add_argument_group(_("Passphrases")), translate)
    add_authorities(parser.add_argument_group(_("Timestamps")), translate)
    add_home(parser, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Publish it.

    Raises:
        AuthorityError: The authority has no certificate yet, or its log was altered.
        OutputError: The file cannot be written.
        SigningError: No timestamp can be had.
    """
    from haidang.crypto.addressbook import publish

    target = Path(args.output or f"{args.authority.rstrip('/')}-addressbook.asice")
    stamper = timestamper_of(args, context, needed=False)
    with authority_of(args) as authority:
        opened = unlocked(authority, args, context)
        # After the passphrase was typed: the book's moment and its timestamp belong together.
        now = present(context)
        book = publish(opened, target, now=now, timestamper=stamper, replace=True)
    say_head(book, now, context)
    said(N_("It is in {file}. Others take it with: haidang addressbook import {file}"), context, file=target)
    return 0


COMMAND = Command(
    name="addressbook publish",
    summary=N_("Publish an authority's address book as one signed file."),
    usage="AUTHORITY [OPTION]…",
    configure=configure,
    run=run,
)
