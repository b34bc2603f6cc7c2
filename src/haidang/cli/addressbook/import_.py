"""``haidang addressbook import``: checks an address book and takes it; it needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, home_of, present
from haidang.cli.addressbook._wording import say_head
from haidang.cli.pki._options import colons, said
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.addressbook import CheckedBook
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
        _say_roots(checked, args, context)
        return 3 if checked.verdict.indication == "INDETERMINATE" else 1
    said(N_("The address book is taken."), context)
    say_head(checked.book, now, context, checked.proof)
    return 0


def _say_roots(checked: CheckedBook, args: argparse.Namespace, context: Context) -> None:
    """Say which roots the book names that are not believed: they may be what is missing."""
    from haidang.crypto.certificates import fingerprint
    from haidang.crypto.pki.chains import is_signed_by
    from haidang.crypto.trust import load_trust

    believed = set(map(fingerprint, load_trust(home_of(args, context).trust).anchors))
    carried = checked.book.authority_certificates() if checked.book is not None else []
    for one in carried:
        if is_signed_by(one, one) and fingerprint(one) not in believed and not args.root:
            said(N_("It names a root with the fingerprint {root}"), context, root=colons(fingerprint(one)))
            said(N_("If you have the same on paper, give it with --root FINGERPRINT."), context)


COMMAND = Command(
    name="addressbook import",
    summary=N_("Check an address book and take it."),
    usage="FILE [--root FINGERPRINT] [OPTION]…",
    configure=configure,
    run=run,
)
