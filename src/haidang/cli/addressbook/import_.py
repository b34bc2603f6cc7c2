"""``haidang addressbook import``: checks an address book and takes it, also on a machine without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, home_of, present
from haidang.cli.addressbook._wording import say_head
from haidang.cli.pki._options import said
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument("file", metavar="FILE", help=_("the address book (.asice)"))
    group = add_home(parser, translate)
    group.add_argument(
        "--root",
        metavar="FINGERPRINT",
        default="",
        help=_("believe the root with this fingerprint (SHA-256), as you have it from elsewhere"),
    )
    group.add_argument(
        "--allow-older", action="store_true", help=_("take it although the one that is here is newer")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Take it; 1 where it does not hold, 3 where that cannot be told.

    Raises:
        InputError: It cannot be read.
        AuthorityError: It is older than the one that is here.
    """
    from haidang.crypto.addressbook import import_book
    from haidang.crypto.verifying.wording import verdict_lines

    now = present(context)
    checked = import_book(
        home_of(args, context), Path(args.file), now=now, root=args.root, allow_older=args.allow_older
    )
    if not checked.holds or checked.book is None:
        for line in verdict_lines(checked.verdict, context.translate, zone=None):
            context.say(neutralise(line))
        said(N_("The address book was not taken."), context)
        return 3 if checked.verdict.indication == "INDETERMINATE" else 1
    said(N_("The address book is taken."), context)
    say_head(checked.book, now, context)
    return 0


COMMAND = Command(
    name="addressbook import",
    summary=N_("Check an address book and take it."),
    usage="FILE [--root FINGERPRINT] [OPTION]…",
    configure=configure,
    run=run,
)
